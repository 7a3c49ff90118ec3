//! A registry that others can reach and in which nobody signs in (threat A21).

use super::parse;
use crate::{Config, Environment};

const OPEN: &str = "whoever reaches this address may read and change all images, for nobody has to sign in: set \
                    auth.htpasswd or auth.token, or listen on 127.0.0.1, or write \"auth: none\" if that is what you want";

/// What stops `apus serve`, and what is warned about.
fn told(http_and_more: &str) -> (Vec<String>, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\nhttp: {http_and_more}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (
        loaded.hindrances.iter().map(ToString::to_string).collect(),
        loaded.warnings.iter().map(ToString::to_string).collect(),
    )
}

#[test]
fn a21_a_file_of_registry_2_starts_with_a_warning() {
    for addr in [":5000", "0.0.0.0:5000", "[::]:5000", "192.0.2.1:5000", "registry.example:5000"] {
        let (hindrances, warnings) = told(&format!("{{addr: '{addr}'}}"));
        assert_eq!(hindrances, [""; 0], "{addr}");
        assert_eq!(warnings, [format!("config.yml:3:8: http.addr: {OPEN}")], "{addr}");
    }
}

#[test]
fn a21_what_is_written_for_apus_needs_a_word() {
    for own in [
        "{addr: ':5000', trustedproxies: []}",
        "{addr: ':5000', trustedproxies: [10.0.0.0/8]}",
        "{addr: ':5000'}\naccess: {protectedtags: [{repositories: ['**'], tags: ['v*']}]}",
    ] {
        let (hindrances, _) = told(own);
        // A list of nobody's addresses says nothing that registry:2 would not do.
        let expected = usize::from(!own.contains("[]"));
        assert_eq!(hindrances.len(), expected, "{own}");
        assert!(
            hindrances.iter().all(|told| told.starts_with(&format!("config.yml:3:8: http.addr: {OPEN}")))
        );
    }
    let (hindrances, _) = told("{addr: ':5000', trustedproxies: [10.0.0.0/8]}\nauth: none");
    assert!(hindrances.is_empty());

    let listening = [("REGISTRY_HTTP_ADDR", ":5000")];
    let without_file = |more: &[(&str, &str)]| {
        let variables = listening.iter().chain(more).copied();
        Config::load_with(None, &Environment::new(variables)).unwrap().fit_to_serve()
    };
    let error = without_file(&[]).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("REGISTRY_HTTP_ADDR: http.addr: refusing to start: {OPEN}")),
        "{error}"
    );
    assert!(without_file(&[("REGISTRY_AUTH", "none")]).is_ok());
}

#[test]
fn a21_nobody_is_warned_in_vain() {
    for harmless in [
        "{addr: '127.0.0.1:5000'}",
        "{addr: '127.9.9.9:5000'}",
        "{addr: 'localhost:5000'}",
        "{addr: '[::1]:5000'}",
        "{}",
        "{net: unix, addr: apus.sock}",
        "{addr: ':5000'}\nauth: none",
        "{addr: ':5000'}\nauth: {htpasswd: {realm: r, path: /p}}",
        "{addr: ':5000'}\naccess: {rules: [{who: [everyone], may: [pull], repositories: ['**']}]}",
        "{addr: ':5000', tls: {certificate: /c, key: /k, clientcas: [/a]}}",
    ] {
        assert_eq!(told(harmless), (vec![], vec![]), "{harmless}");
    }
    let (_, warnings) = told(
        "{addr: ':5000', tls: {certificate: /c, key: /k, clientcas: [/a], clientauth: request-client-cert}}",
    );
    assert_eq!(warnings.len(), 1, "nothing is proven by a certificate that need not be shown");
}
