//! The keys of `v1`.

use super::{Key, optional, section, text, text_or, texts, word, word_or};

pub(super) const V1: &[Key] = &[
    word_or("enabled", "false"),
    word_or("exclusive", "false"),
    word_or("version2", "false"),
    word("standalone"),
    word("disabletokenauth"),
    text("indexendpoint"),
    text("flavour"),
    text_or("issue", "\"docker-registry server\""),
    word_or("debug", "false"),
    text("privilegedkey"),
    text("registryendpoints"),
    section("search", &[word_or("enabled", "false")]),
    optional("mirroring", &[text("source"), text("sourceindex"), word_or("tagscachettl", "48h")]),
    optional(
        "cors",
        &[
            texts("origins"),
            texts("methods"),
            texts("headers"),
            texts("exposeheaders"),
            word_or("supportscredentials", "false"),
            word("maxage"),
            word_or("sendwildcard", "true"),
            word_or("alwayssend", "true"),
            word_or("varyheader", "true"),
        ],
    ),
];
