use serde_json::{Value, json};

use super::*;

fn manifest_pushed() -> Event {
    Event {
        id: "320678d8-ca14-430f-8bb6-4ca139cd83f7".to_owned(),
        timestamp: "2016-03-09T14:44:26.402973972Z".to_owned(),
        action: Action::Push,
        target: Target {
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            size: 708,
            digest: "sha256:fea8".to_owned(),
            length: 708,
            repository: "hello-world".to_owned(),
            url: "http://192.168.100.227:5000/v2/hello-world/manifests/sha256:fea8".to_owned(),
            tag: "latest".to_owned(),
            ..Target::default()
        },
        request: TriggeringRequest {
            id: "6df24a34".to_owned(),
            addr: "192.168.64.11:42961".to_owned(),
            host: "192.168.100.227:5000".to_owned(),
            method: "PUT".to_owned(),
            useragent: "curl/7.38.0".to_owned(),
        },
        actor: Actor::default(),
        source: Source { addr: "xtal.local:5000".to_owned(), instance_id: "a53db899".to_owned() },
    }
}

/// Byte for byte what registry:2 sends for the same event, found by listening to one (version 2.8.2).
#[test]
fn an_envelope_is_that_of_registry_2() {
    let body = String::from_utf8(manifest_pushed().envelope().unwrap()).unwrap();
    let expected = r#"{
   "events": [
      {
         "id": "320678d8-ca14-430f-8bb6-4ca139cd83f7",
         "timestamp": "2016-03-09T14:44:26.402973972Z",
         "action": "push",
         "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "size": 708,
            "digest": "sha256:fea8",
            "length": 708,
            "repository": "hello-world",
            "url": "http://192.168.100.227:5000/v2/hello-world/manifests/sha256:fea8",
            "tag": "latest"
         },
         "request": {
            "id": "6df24a34",
            "addr": "192.168.64.11:42961",
            "host": "192.168.100.227:5000",
            "method": "PUT",
            "useragent": "curl/7.38.0"
         },
         "actor": {},
         "source": {
            "addr": "xtal.local:5000",
            "instanceID": "a53db899"
         }
      }
   ]
}"#;
    assert_eq!(body, expected);
}

#[test]
fn what_there_is_nothing_to_say_of_is_left_out() {
    let target = Target { repository: "a".to_owned(), tag: "t".to_owned(), ..Target::default() };
    let event = Event::now(Action::Delete, target, TriggeringRequest::default(), Actor::default());
    let body: Value = serde_json::from_slice(&event.envelope().unwrap()).unwrap();
    let event = &body["events"][0];
    assert_eq!(event["target"], json!({ "repository": "a", "tag": "t" }));
    assert_eq!(event["request"], json!({ "id": "", "method": "", "useragent": "" }));
    assert_eq!((&event["actor"], &event["source"]), (&json!({}), &json!({})));
}

#[test]
fn what_was_written_is_read_back() {
    let mut event = manifest_pushed();
    event.actor.name = "joe".to_owned();
    event.target.references = descriptors(
        json!({
            "config": { "mediaType": "a/config", "digest": "sha256:1", "size": 2 },
            "layers": [{ "mediaType": "a/layer", "digest": "sha256:2", "size": 5, "annotations": { "a": "b" }, "urls": ["http://u"] }],
        })
        .to_string()
        .as_bytes(),
    );
    assert_eq!(event.target.references.len(), 2);
    let text = serde_json::to_vec(&event).unwrap();
    assert!(!text.contains(&b'\n'), "it is to stand on one line");
    assert_eq!(serde_json::from_slice::<Event>(&text).unwrap(), event);
    // What a later version may write too does not keep it from being read.
    let mut later: Value = serde_json::from_slice(&text).unwrap();
    later["target"]["other"] = json!([1]);
    later["more"] = json!({});
    assert_eq!(serde_json::from_value::<Event>(later).unwrap(), event);
}

#[test]
fn descriptors_of_images_and_of_lists_as_registry_2_has_them() {
    let of = |manifest: Value| serde_json::to_value(descriptors(manifest.to_string().as_bytes())).unwrap();
    let config = json!({ "mediaType": "c", "size": 2, "digest": "sha256:1" });
    let layer = json!({ "mediaType": "l", "size": 5, "digest": "sha256:2", "annotations": { "a": "b" } });
    let image = json!({ "schemaVersion": 2, "config": config, "layers": [layer], "subject": config });
    assert_eq!(of(image), json!([config, layer]));
    let child = json!({ "mediaType": "m", "size": 7, "digest": "sha256:3" });
    let mut of_platform = child.clone();
    of_platform["platform"] = json!({ "os": "linux", "architecture": "arm64" });
    assert_eq!(of(json!({ "manifests": [of_platform] })), json!([child]));
    assert_eq!(of(json!({ "layers": "none" })), json!([]));
    assert_eq!(of(json!([])), json!([]));
}

#[test]
fn identifiers_are_random_uuids() {
    let id = || {
        Event::now(Action::Pull, Target::default(), TriggeringRequest::default(), Actor::default())
            .id
            .parse::<Uuid>()
            .unwrap()
    };
    assert!(id() != id() && id().get_version_num() == 4);
}

#[test]
fn a_time_is_one_of_rfc_3339() {
    let event = Event::now(Action::Pull, Target::default(), TriggeringRequest::default(), Actor::default());
    let time: jiff::Timestamp = event.timestamp.parse().unwrap();
    assert!(time.duration_until(jiff::Timestamp::now()).as_secs().abs() < 60);
    assert!(event.timestamp.ends_with('Z') && event.timestamp.as_bytes()[10] == b'T', "{}", event.timestamp);
}
