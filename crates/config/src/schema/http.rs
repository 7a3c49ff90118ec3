//! The keys of `http`.

use super::{Key, Kind, map, optional, secret, section, text, text_or, texts, word, word_or};

pub(super) const HTTP: &[Key] = &[
    text_or("addr", "127.0.0.1:5000"),
    word_or("net", "tcp"),
    text("host"),
    text("prefix"),
    secret("secret"),
    word_or("relativeurls", "true"),
    texts("trustedproxies"),
    word_or("draintimeout", "30s"),
    optional("tls", TLS),
    map("headers", &Kind::List(&Kind::Text(None))),
    optional(
        "debug",
        &[text("addr"), section("prometheus", &[word_or("enabled", "false"), text_or("path", "/metrics")])],
    ),
    section("http2", &[word_or("disabled", "false")]),
    section("h2c", &[word_or("enabled", "false")]),
];

const TLS: &[Key] = &[
    text("certificate"),
    text("key"),
    texts("clientcas"),
    word("clientauth"),
    word_or("minimumtls", "tls1.2"),
    texts("ciphersuites"),
    optional("letsencrypt", &[text("cachefile"), text("email"), texts("hosts"), text("directoryurl")]),
];
