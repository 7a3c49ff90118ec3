//! Variables that begin with `REGISTRY_` and are not meant for a registry. For a Service named `registry`, or `registry-auth`,
//! Kubernetes gives every container `REGISTRY_SERVICE_HOST`, `REGISTRY_AUTH_PORT=tcp://10.0.0.1:5000` and more of the kind,
//! and so did Docker for linked containers.

use super::Variable;

/// Where podman and skopeo look for credentials.
const CREDENTIALS_OF_CLIENTS: &str = "REGISTRY_AUTH_FILE";

const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Whether it was made for clients of a service, and not to configure it.
pub(super) fn made(variable: &Variable<'_>) -> bool {
    let Variable { name, value } = *variable;
    name == CREDENTIALS_OF_CLIENTS
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && is_address(value))
        || name.match_indices("_PORT_").any(|(at, port)| name.get(at + port.len()..).is_some_and(is_port))
}

/// Such as `tcp://10.0.0.1:5000`.
fn is_address(value: &str) -> bool {
    value
        .split_once("://")
        .is_some_and(|(scheme, _)| PROTOCOLS.iter().any(|known| scheme.eq_ignore_ascii_case(known)))
}

/// Such as `5000_TCP` or `5000_TCP_ADDR`.
fn is_port(text: &str) -> bool {
    let mut parts = text.split('_');
    let number = parts.next().unwrap_or_default();
    let protocol = parts.next().unwrap_or_default();
    let what = parts.next().unwrap_or("ADDR");
    number.parse::<u16>().is_ok()
        && PROTOCOLS.contains(&protocol)
        && ["ADDR", "PORT", "PROTO"].contains(&what)
        && parts.next().is_none()
}
