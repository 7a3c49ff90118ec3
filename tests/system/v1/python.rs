//! docker-registry-client, the Python package (`registry.py` beside this file).

use std::process::Command;

use serde_json::{Value, json};

use super::{Old, TOP};
use crate::clients::programs::{run, script};
use crate::support::backend::variable;

/// Promise: docker-registry-client from PyPI finds out that this is version 1, and reads tags, images and ancestries from Apus.
#[tokio::test]
async fn docker_registry_client_reads_what_the_original_wrote() {
    for old in [Old::in_swift(), Old::in_directory()] {
        let old = old.with_sample().await;
        let apus = old.start();
        let mut command = Command::new(variable("APUS_TEST_DOCKER_REGISTRY_CLIENT"));
        command.arg(script("../tests/system/v1/registry.py")).arg(format!("http://{}", apus.address()));
        let told: Value = serde_json::from_str(run(&mut command).trim()).unwrap();
        assert_eq!(told["version"], 1, "{}", old.name);
        // Not the one that is private.
        assert_eq!(told["repositories"], json!(["library/base"]));
        assert_eq!(told["tags"], json!(["1.0", "dev", "latest"]));
        assert_eq!(told["image"], TOP);
        assert_eq!(told["ancestry"].as_array().unwrap().len(), 5);
        assert_eq!(told["size"], 98_304);
        assert_eq!(told["set_by"], "1.3.2");
        assert_eq!(told["after"], json!(["1.0", "dev", "latest", "python"]));
        drop(apus);
        old.remove().await;
    }
}
