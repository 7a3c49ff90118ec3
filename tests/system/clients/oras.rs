//! oras, by its Python package (`artifacts.py` beside this file): artifacts, and artifacts attached to others.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::image::{Image, OCI_IMAGE, parsed};
use super::over_every_backend;
use super::programs::{run, script};
use crate::support::backend::variable;
use crate::support::content::random;

const REPOSITORY: &str = "charts/web";
const CHART: &str = "application/vnd.test.chart";
const SIGNATURE: &str = "application/vnd.test.signature";
const BILL: &str = "application/vnd.test.bill";

/// Promise: an artifact goes in and comes back with the same files; others are attached to it, are discovered by the referrers
/// API, all of them and by their type, and come back too.
#[tokio::test]
async fn oras_attaches_and_discovers() {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in
        [("chart.bin", random(2 << 20)), ("values.txt", random(100)), ("signature", random(64))]
    {
        fs::write(directory.path().join(name), content).unwrap();
    }
    fs::write(directory.path().join("bill"), "{}").unwrap();
    over_every_backend(async |apus| {
        let oras = |arguments: &[&str]| {
            let mut command = Command::new(variable("APUS_TEST_ORAS"));
            command.arg(script("../tests/system/clients/artifacts.py"));
            // It reads what a user of docker has there.
            command.env("HOME", directory.path()).current_dir(directory.path());
            run(command.args(arguments)).trim().to_owned()
        };
        let name = format!("{}/{REPOSITORY}", apus.address());
        let tagged = format!("{name}:1.0");
        let digest = oras(&["push", &tagged, CHART, "chart.bin", "values.txt"]);
        let subject = format!("{name}@{digest}");
        assert_eq!(oras(&["discover", &subject]), json!([]).to_string());

        let signature = oras(&["attach", &format!("{name}:signature"), &tagged, SIGNATURE, "signature"]);
        let bill = oras(&["attach", &format!("{name}:bill"), &subject, BILL, "bill"]);
        let discover = |kind: &[&str]| {
            let found = oras(&[&["discover", &subject], kind].concat());
            let mut found = parsed(found.as_bytes()).as_array().unwrap().clone();
            found.sort_unstable_by_key(|described| described["artifactType"].to_string());
            found
        };
        let all = discover(&[]);
        let told: Vec<_> =
            all.iter().map(|described| (&described["artifactType"], &described["digest"])).collect();
        assert_eq!(told, [(&json!(BILL), &json!(bill)), (&json!(SIGNATURE), &json!(signature))]);
        assert_eq!(discover(&[SIGNATURE]), [all[1].clone()]);
        assert_eq!(discover(&["application/vnd.test.other"]), [Value::Null; 0]);

        let artifact = Image::in_registry(apus.client(), REPOSITORY, &signature).await;
        let named = &parsed(artifact.manifest())["subject"];
        assert_eq!((&named["digest"], &named["mediaType"]), (&json!(digest), &json!(OCI_IMAGE)));

        for (reference, files) in [
            (&tagged, ["chart.bin", "values.txt"].as_slice()),
            (&format!("{name}@{signature}"), &["signature"]),
            (&format!("{name}@{bill}"), &["bill"]),
        ] {
            let pulled = tempfile::tempdir().unwrap();
            oras(&["pull", reference, pulled.path().to_str().unwrap()]);
            let mut names: Vec<_> =
                fs::read_dir(pulled.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort_unstable();
            assert_eq!(names, files);
            for file in files {
                let read = |place: &Path| fs::read(place.join(file)).unwrap();
                assert!(read(pulled.path()) == read(directory.path()), "other bytes in {file}");
            }
        }
    })
    .await;
}
