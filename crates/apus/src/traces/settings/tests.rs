//! When there are traces.

use std::time::Duration;

use super::Settings;

fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Settings::read(variable).map_err(|error| error.to_string())
}

#[test]
fn off_unless_asked_for() {
    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    for (variables, wanted) in [
        (&[][..], false),
        (&[("OTEL_SERVICE_NAME", "registry")], false),
        (&[ENDPOINT], true),
        (&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces")], true),
        (&[("OTEL_TRACES_EXPORTER", "otlp")], true),
        (&[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")], true),
        (&[("OTEL_TRACES_EXPORTER", "none"), ENDPOINT], false),
        (&[("OTEL_TRACES_EXPORTER", ""), ("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], false),
        (&[("OTEL_SDK_DISABLED", "TRUE"), ENDPOINT], false),
    ] {
        assert_eq!(read(variables).unwrap().is_some(), wanted, "{variables:?}");
    }
}

#[test]
fn what_is_not_spoken_is_said() {
    for (variable, value) in
        [("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")]
    {
        let error = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"), (variable, value)]).unwrap_err();
        assert!(error.starts_with(&format!("{variable}={value}: ")), "{error}");
    }
}

#[test]
fn limits() {
    let some = read(&[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "many"),
    ]);
    let settings = some.unwrap().unwrap();
    assert_eq!((settings.queue, settings.batch, settings.delay), (100, 100, Duration::from_millis(10)));
}
