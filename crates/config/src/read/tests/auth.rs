//! `auth`

use std::path::PathBuf;

use super::parse;
use crate::{AuthConfig, SigningAlgorithm, TokenAuthConfig};

const TOKEN: &str = "realm: 'https://t.example/token', service: registry, issuer: t, rootcertbundle: /b.pem";

/// What `auth: ...` means, and the warnings.
fn auth(value: &str) -> (Option<AuthConfig>, Vec<String>) {
    let text = format!("version: 0.1\nstorage: inmemory\nauth: {value}\n");
    let loaded = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (loaded.config.auth, loaded.warnings.iter().map(ToString::to_string).collect())
}

fn token(keys: &str) -> (TokenAuthConfig, Vec<String>) {
    match auth(&format!("{{token: {{{keys}}}}}")) {
        (Some(AuthConfig::Token(token)), warnings) => (*token, warnings),
        (other, _) => panic!("no tokens: {other:?}"),
    }
}

fn error(value: &str) -> String {
    parse(&format!("version: 0.1\nstorage: inmemory\nauth: {value}\n")).expect_err(value).to_string()
}

#[test]
fn none() {
    for unsaid in ["", "{}", "~"] {
        assert_eq!(auth(unsaid), (None, vec![]), "{unsaid}");
    }
    for nobody in ["none", "{none: }", "{none: {}}"] {
        assert_eq!(auth(nobody), (Some(AuthConfig::Nobody), vec![]), "{nobody}");
    }
}

#[test]
fn htpasswd() {
    let (auth, warnings) = auth("{htpasswd: {realm: Who are you?, path: 007, pth: /x}}");
    let path = PathBuf::from("007");
    assert_eq!(auth, Some(AuthConfig::Htpasswd { realm: "Who are you?".into(), path, tokens: None }));
    assert_eq!(
        warnings,
        ["config.yml:3:51: auth.htpasswd.pth: unknown key, ignored; did you mean \"path\"?"]
    );
}

#[test]
fn tokens_for_passwords() {
    for (said, expected) in [("true", Some(true)), ("off", Some(false)), ("", None)] {
        let (auth, warnings) = auth(&format!("{{htpasswd: {{realm: r, path: /p, tokens: {said}}}}}"));
        let tokens = expected;
        assert_eq!(
            auth,
            Some(AuthConfig::Htpasswd { realm: "r".into(), path: "/p".into(), tokens }),
            "{said}"
        );
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn tokens_of_registry_2() {
    let (token, warnings) = token(TOKEN);
    assert_eq!(token.realm, "https://t.example/token");
    assert_eq!((&*token.service, &*token.issuer), ("registry", "t"));
    assert_eq!((token.root_cert_bundle, token.jwks), (Some("/b.pem".into()), None));
    assert_eq!(token.auto_redirect, None);
    assert_eq!(token.signing_algorithms.len(), 10, "all that share no secret");
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn tokens_of_registry_3() {
    let (token, warnings) = token(
        "service: s, issuer: i, jwks: /k.json, signingalgorithms: [EdDSA, HS256, ES384], autoredirect: true, \
         autoredirectpath: /login",
    );
    assert_eq!((token.root_cert_bundle, token.jwks), (None, Some("/k.json".into())));
    assert_eq!(token.signing_algorithms, [SigningAlgorithm::EdDsa, SigningAlgorithm::Es384]);
    assert_eq!((&*token.realm, token.auto_redirect.as_deref()), ("", Some("/login")));
    assert_eq!(
        warnings,
        [
            "config.yml:3:54: auth.token.signingalgorithms: HS256, HS384 and HS512 are left out: tokens are not signed \
             with shared secrets"
        ]
    );
}

#[test]
fn where_clients_are_sent_for_a_token() {
    let redirect = |keys: &str| token(&format!("{TOKEN}, {keys}"));
    assert_eq!(redirect("autoredirect: yes").0.auto_redirect.as_deref(), Some("/auth/token"));
    assert_eq!(redirect("autoredirect: no").0.auto_redirect, None);
    assert_eq!(
        redirect("autoredirectpath: /x").1,
        ["config.yml:3:104: auth.token.autoredirectpath: without effect unless autoredirect is true"]
    );
    let (_, warnings) = token(&TOKEN.replace("'https://t.example/token'", "myorg"));
    assert_eq!(
        warnings,
        [
            "config.yml:3:16: auth.token.realm: no http or https URL, so no client will find out where to get a token"
        ]
    );
}

#[test]
fn what_is_no_way_to_sign_in() {
    for (value, told) in [
        (
            "openshift",
            "7: auth.openshift: Apus does not know this way to sign in; expected htpasswd, token or none",
        ),
        (
            "{htpaswd: {realm: r}}",
            "8: auth.htpaswd: Apus does not know this way to sign in; expected htpasswd, token or none; did you mean \
             \"htpasswd\"?",
        ),
        ("[htpasswd]", "7: auth: found a list, expected a mapping of keys to values"),
        (
            "{silly: {realm: r, service: s}}",
            "8: auth.silly: it lets in whoever sends any Authorization at all; use htpasswd or token, or \"auth: none\" to \
             let in everyone",
        ),
        (
            "{none: , htpasswd: {realm: r, path: /p}}",
            "8: auth.none: a second way to sign in, beside \"htpasswd\"; give one",
        ),
        (
            "htpasswd",
            "7: auth.htpasswd.realm: missing, expected what a client shows to the person who is asked for a password",
        ),
        (
            "{htpasswd: {realm: r, path: ''}}",
            "8: auth.htpasswd.path: missing, expected a file as Apache's htpasswd writes it",
        ),
        (
            "{htpasswd: {realm: [r], path: /p}}",
            "26: auth.htpasswd.realm: found a list, expected a single text",
        ),
    ] {
        assert_eq!(error(value), format!("config.yml:3:{told}"), "{value}");
    }
}

#[test]
fn what_is_missing_or_wrong_about_tokens() {
    let algorithms = "expected EdDSA, or ES, PS or RS with 256, 384 or 512";
    for (keys, told) in [
        ("service: s", "8: auth.token.rootcertbundle: missing, expected a PEM file of the certificates of the token \
          server, or its key set in \"jwks\"".to_owned()),
        ("jwks: /k", "8: auth.token.realm: missing, expected the URL of the token server".to_owned()),
        (
            "jwks: /k, realm: 'https://t'",
            "8: auth.token.service: missing, expected the name that tokens have for this registry".to_owned(),
        ),
        (
            "jwks: /k, realm: 'https://t', service: s",
            "8: auth.token.issuer: missing, expected the name of the token server in its tokens".to_owned(),
        ),
        (
            "jwks: /k, realm: r, service: s, issuer: i, signingalgorithms: [none]",
            format!("79: auth.token.signingalgorithms[0]: found \"none\", {algorithms}"),
        ),
        (
            "jwks: /k, realm: r, service: s, issuer: i, signingalgorithms: [HS256]",
            format!("59: auth.token.signingalgorithms: tokens are not signed with shared secrets; {algorithms}"),
        ),
        (
            "autoredirect: always",
            "30: auth.token.autoredirect: found \"always\", expected true or false, without quotes".to_owned(),
        ),
        (
            "autoredirectpath: token",
            "34: auth.token.autoredirectpath: found \"token\", expected a path that begins with a slash, such as \
             /auth/token".to_owned(),
        ),
    ] {
        assert_eq!(error(&format!("{{token: {{{keys}}}}}")), format!("config.yml:3:{told}"), "{keys}");
    }
}
