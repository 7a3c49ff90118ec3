use std::slice;

use apus_registry::{Algorithm, Digest};
use serde_json::{Value, json};

use super::{Description, DescriptionError};

const CHILD: &str = "bbbbbbbbbbbbbbbb";
const PARENT: &str = "aaaaaaaaaaaaaaaa";

fn described(json: &Value) -> Description {
    Description::parse(json.to_string().as_bytes()).unwrap()
}

#[test]
fn who_it_is_and_what_lies_below() {
    let description = described(&json!({ "id": CHILD, "parent": PARENT }));
    assert_eq!((description.id.as_str(), description.parent.unwrap().as_str()), (CHILD, PARENT));
    for none in
        [json!({ "id": CHILD }), json!({ "id": CHILD, "parent": null }), json!({ "id": CHILD, "parent": "" })]
    {
        assert_eq!(described(&none).parent, None);
    }
}

#[test]
fn what_describes_no_image() {
    for text in
        ["", "[]", "{}", r#"{"id":7}"#, r#"{"id":"../x"}"#, r#"{"id":"bbbbbbbbbbbbbbbb","parent":"x"}"#]
    {
        assert!(Description::parse(text.as_bytes()).is_err(), "{text}");
    }
    let error = Description::parse(br#"{"id":"bbbbbbbbbbbbbbbb","parent":7}"#).unwrap_err();
    assert!(matches!(error, DescriptionError::Identifier("parent")), "{error}");
}

#[test]
fn its_step_in_a_history() {
    let description = described(&json!({
        "id": CHILD, "created": "2014-11-20T00:00:00Z", "author": "A", "comment": "",
        "container_config": { "Cmd": ["/bin/sh", "-c", "echo motd"] },
    }));
    let step = |without_files| Value::Object(description.step(without_files).members);
    let expected =
        json!({ "created": "2014-11-20T00:00:00Z", "created_by": "/bin/sh -c echo motd", "author": "A" });
    assert_eq!(step(false), expected);
    assert_eq!(step(true)["empty_layer"], json!(true));
    let nothing = described(&json!({ "id": CHILD, "container_config": { "Cmd": null } }));
    assert_eq!(Value::Object(nothing.step(false).members), json!({}));
}

#[test]
fn the_configuration_keeps_all_but_what_was_of_version_1() {
    let description = described(&json!({
        "id": CHILD, "parent": PARENT, "Size": 7, "checksum": "tarsum+sha256:00", "architecture": "",
        "config": { "Labels": { "a": "b" }, "Env": ["X=1"] }, "docker_version": "1.3.2",
    }));
    let digest = Digest::of(Algorithm::Sha256, b"archive");
    let written = description.configuration(slice::from_ref(&digest), vec![description.step(false)]);
    assert_eq!(written, description.configuration(slice::from_ref(&digest), vec![description.step(false)]));
    let expected = json!({
        "architecture": "amd64", "os": "linux", "docker_version": "1.3.2",
        "config": { "Labels": { "a": "b" }, "Env": ["X=1"] },
        "rootfs": { "type": "layers", "diff_ids": [digest.to_string()] },
        "history": [{}],
    });
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), expected);
}
