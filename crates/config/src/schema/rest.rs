//! The top of the file, and the keys of all sections but `storage` and `http`.

use super::{
    Key, Kind, foreign, http, list, map, optional, secret, section, storage, text, texts, v1, word, word_or,
};

pub(super) const ROOT: &[Key] = &[
    word("version"),
    section("log", LOG),
    word("loglevel"),
    Key::new("storage", storage::STORAGE),
    Key::new("auth", AUTH),
    optional("access", ACCESS),
    section("http", http::HTTP),
    section("catalog", &[word_or("maxentries", "1000")]),
    section("tags", &[word_or("maxtags", "10000")]),
    section(
        "limits",
        &[section("client", &[word("requestspersecond"), word("burst"), word("uploads")]), word("uploads")],
    ),
    section("validation", VALIDATION),
    optional("v1", v1::V1),
    optional("proxy", PROXY),
    optional("notifications", NOTIFICATIONS),
    optional("health", HEALTH),
    optional("redis", REDIS),
    optional("database", &[word("enabled")]),
    optional(
        "middleware",
        &[list("registry", MIDDLEWARE), list("repository", MIDDLEWARE), list("storage", MIDDLEWARE)],
    ),
    optional(
        "compatibility",
        &[optional("schema1", &[word("enabled"), text("signingkeyfile").in_variables("trustkey")])],
    ),
    optional("policy", &[optional("repository", &[texts("classes")])]),
    optional(
        "reporting",
        &[
            optional("bugsnag", &[secret("apikey"), text("releasestage"), text("endpoint")]),
            optional("newrelic", &[secret("licensekey"), text("name"), word("verbose")]),
        ],
    ),
];

const LOG: &[Key] = &[
    word_or("level", "info"),
    word_or("formatter", "text"),
    map("fields", &Kind::Text(None)),
    section("accesslog", &[word_or("disabled", "false")]),
    list("hooks", &Kind::Optional(HOOK)),
    word("reportcaller"),
];

const HOOK: &[Key] = &[
    word("disabled"),
    text("type"),
    texts("levels"),
    optional(
        "options",
        &[
            optional("smtp", &[text("addr"), text("username"), secret("password"), word("insecure")]),
            text("from"),
            texts("to"),
        ],
    )
    .in_variables("mailoptions"),
];

const AUTH: Kind = Kind::Choice {
    among: &[
        optional("none", &[]),
        optional("htpasswd", &[text("realm"), text("path"), word("tokens")]),
        optional(
            "token",
            &[
                text("realm"),
                text("service"),
                text("issuer"),
                text("rootcertbundle"),
                text("jwks"),
                texts("signingalgorithms"),
                word_or("autoredirect", "false"),
                text("autoredirectpath"),
            ],
        ),
        foreign("silly"),
    ],
    beside: &[],
};

const ACCESS: &[Key] = &[
    map("groups", &Kind::List(&Kind::Text(None))),
    list("rules", &Kind::Optional(&[texts("who"), texts("may"), texts("repositories")])),
    list("protectedtags", &Kind::Optional(&[texts("repositories"), texts("tags")])),
];

const VALIDATION: &[Key] = &[
    word("enabled"),
    word_or("disabled", "false"),
    section(
        "manifests",
        &[
            optional("urls", &[texts("allow"), texts("deny")]),
            section(
                "indexes",
                &[
                    word_or("platforms", "all"),
                    list("platformlist", &Kind::Optional(&[text("os"), text("architecture")])),
                ],
            ),
        ],
    ),
];

const PROXY: &[Key] = &[
    text("remoteurl"),
    text("username"),
    secret("password"),
    text("remotenamespace"),
    word_or("ttl", "168h"),
    word_or("cachewritetimeout", "5m"),
    optional("exec", HELPER),
    texts("ns"),
    word_or("freshness", "0s"),
    texts("tokenservers"),
    texts("allowednetworks"),
    list("upstreams", &Kind::Optional(UPSTREAM)),
];

const UPSTREAM: &[Key] = &[
    text("prefix"),
    text("remoteurl"),
    text("username"),
    secret("password"),
    text("remotenamespace"),
    word("ttl"),
    optional("exec", HELPER),
    texts("ns"),
    word("freshness"),
    texts("tokenservers"),
    texts("allowednetworks"),
];

const HELPER: &[Key] = &[text("command"), word("lifetime")];

const NOTIFICATIONS: &[Key] = &[
    section("events", &[word_or("includereferences", "false")]).in_variables("eventconfig"),
    list("endpoints", &Kind::Optional(ENDPOINT)),
    optional("queue", &[text("directory"), word("maxsize")]),
];

const ENDPOINT: &[Key] = &[
    text("name"),
    word_or("disabled", "false"),
    Key::new("url", Kind::SecretUrl),
    map("headers", SECRETS),
    word_or("timeout", "1s"),
    word_or("threshold", "10"),
    word_or("backoff", "1s"),
    texts("ignoredmediatypes"),
    optional("ignore", &[texts("mediatypes"), texts("actions")]),
];

/// Whatever a header of ours holds: it may be `Authorization`.
const SECRETS: &Kind = &Kind::List(&Kind::Secret);

const HEALTH: &[Key] = &[
    section(
        "storagedriver",
        &[word_or("enabled", "false"), word_or("interval", "10s"), word_or("threshold", "1")],
    ),
    list("file", &Kind::Optional(&[text("file"), word_or("interval", "10s"), word_or("threshold", "1")]))
        .in_variables("filecheckers"),
    list(
        "http",
        &Kind::Optional(&[
            text("uri"),
            map("headers", SECRETS),
            word_or("statuscode", "200"),
            word("timeout"),
            word_or("interval", "10s"),
            word_or("threshold", "1"),
        ]),
    )
    .in_variables("httpcheckers"),
    list(
        "tcp",
        &Kind::Optional(&[
            text("addr"),
            word("timeout"),
            word_or("interval", "10s"),
            word_or("threshold", "1"),
        ]),
    )
    .in_variables("tcpcheckers"),
];

/// Of registry:2, and of registry 3, where they are the options of its client library.
const REDIS: &[Key] = &[
    text("addr"),
    texts("addrs"),
    text("username"),
    secret("password"),
    word("db"),
    word("dialtimeout"),
    word("readtimeout"),
    word("writetimeout"),
    optional("pool", &[word("maxidle"), word("maxactive"), word("idletimeout")]),
    optional(
        "tls",
        &[word("enabled"), text("certificate"), text("key"), texts("clientcas"), texts("rootcas")],
    ),
    text("clientname"),
    text("identitysuffix"),
    text("mastername"),
    text("sentinelmasterset"),
    secret("sentinelpassword"),
    text("sentinelusername"),
    word("connmaxidletime"),
    word("connmaxlifetime"),
    word("contexttimeoutenabled"),
    word("disableidentity"),
    word("disableindentity"),
    word("maxactiveconns"),
    word("maxidleconns"),
    word("maxredirects"),
    word("maxretries"),
    word("maxretrybackoff"),
    word("minidleconns"),
    word("minretrybackoff"),
    word("poolfifo"),
    word("poolsize"),
    word("pooltimeout"),
    word("protocol"),
    word("readonly"),
    word("routebylatency"),
    word("routerandomly"),
    word("unstableresp3"),
];

const MIDDLEWARE: &Kind = &Kind::Optional(&[text("name"), word("disabled"), foreign("options")]);
