//! Every option beside those of storage: what it is called today, or why nothing comes of it.

use super::storage::SWIFT;
use super::{Old, Today, called, default, entry, typing, wrong};
use crate::section::nearest;
use crate::tree::{Entry, Node, Scalar, Value};
use crate::{ConfigError, Warning};

/// What becomes of an option.
enum Becomes {
    /// The text under this key.
    Text(&'static str),
    /// Texts; one alone, or a list.
    Texts(&'static str),
    /// A switch.
    Switch(&'static str),
    /// The switch that says the contrary.
    Contrary(&'static str),
    /// A time in whole seconds.
    Seconds(&'static str),
    /// Python's name for the least severe kind of message.
    Level(&'static str),
    /// Which search answers: whichever it names, it is the one of today.
    Search(&'static str),
    /// Nothing, for this reason. Of a section only if this key of it says something, of a value if it is not this one: templates
    /// fill in the rest.
    Nothing(&'static str, Option<&'static str>),
}

use Becomes::{Contrary, Level, Nothing, Search, Seconds, Switch, Text, Texts};

const NO_REDIS: &str = "Apus needs no Redis; each replica remembers what can never change";

const OPTIONS: [(&str, Becomes); 33] = [
    ("issue", Text("v1.issue")),
    ("loglevel", Level("log.level")),
    ("debug", Switch("v1.debug")),
    ("standalone", Switch("v1.standalone")),
    ("disable_token_auth", Switch("v1.disabletokenauth")),
    ("index_endpoint", Text("v1.indexendpoint")),
    ("privileged_key", Text("v1.privilegedkey")),
    ("registry_endpoints", Text("v1.registryendpoints")),
    ("search_backend", Search("v1.search.enabled")),
    (
        "sqlalchemy_index_database",
        Nothing("the search needs no database", Some("sqlite:////tmp/docker-registry.db")),
    ),
    ("storage_redirect", Contrary("storage.redirect.disable")),
    ("mirroring.source", Text("v1.mirroring.source")),
    ("mirroring.source_index", Text("v1.mirroring.sourceindex")),
    ("mirroring.tags_cache_ttl", Seconds("v1.mirroring.tagscachettl")),
    ("cors.origins", Texts("v1.cors.origins")),
    ("cors.methods", Texts("v1.cors.methods")),
    ("cors.headers", Texts("v1.cors.headers")),
    ("cors.expose_headers", Texts("v1.cors.exposeheaders")),
    ("cors.supports_credentials", Switch("v1.cors.supportscredentials")),
    ("cors.max_age", Seconds("v1.cors.maxage")),
    ("cors.send_wildcard", Switch("v1.cors.sendwildcard")),
    ("cors.always_send", Switch("v1.cors.alwayssend")),
    ("cors.vary_header", Switch("v1.cors.varyheader")),
    ("cors.automatic_options", Nothing("every route answers OPTIONS", None)),
    ("cors.resources", Nothing("the rules hold for every route", None)),
    ("cache", Nothing(NO_REDIS, Some("host"))),
    ("cache_lru", Nothing(NO_REDIS, Some("host"))),
    ("email_exceptions", Nothing("no mail is sent; the log tells of failures", Some("smtp_host"))),
    ("bugsnag", Nothing("nothing is reported to Bugsnag; the log tells of failures", None)),
    ("nginx_x_accel_redirect", Nothing("layers are sent by Apus itself, or by Swift", None)),
    ("storage_alternate", Nothing(OTHER_DRIVER, None)),
    ("cloudfront", Nothing(OTHER_DRIVER, Some("base"))),
    ("oauth2", Nothing(OTHER_DRIVER, None)),
];

const OTHER_DRIVER: &str = "it belongs to a storage driver that is not chosen";

/// What the options of drivers that Apus does not have begin with, and those of its own where another one is chosen.
const DRIVERS: [&str; 9] =
    ["s3_", "boto_", "azure_", "gs_", "gcs_", "elliptics_", "oss_", "glance_", "swift_"];

/// Sections that mean nothing without one of their keys: templates fill in the others.
const SECTIONS: [(&str, &str); 2] = [("mirroring", "source"), ("cors", "origins")];

/// Whether an option is a text, which stays as it was written.
pub(super) fn is_text(path: &str) -> bool {
    const OF_STORAGE: [&str; 1] = ["storage_path"];
    OF_STORAGE.contains(&path)
        || SWIFT.iter().any(|(name, _)| *name == path)
        || OPTIONS.iter().any(|(name, becomes)| *name == path && matches!(becomes, Text(_)))
}

/// Gives the options their present names, and tells of those that have none.
pub(super) fn translate(
    mut old: Old,
    today: &mut Today,
    warnings: &mut Vec<Warning>,
) -> Result<(), ConfigError> {
    for (section, key) in SECTIONS {
        if !says(&mut old, section, key) {
            old.entries.retain(|entry| entry.key != section);
        }
    }
    let (mut redirects, mut stands) = (false, false);
    for (path, becomes) in &OPTIONS {
        if let Nothing(_, Some(key)) = becomes
            && !says_more(&mut old, path, key)
        {
            old.entries.retain(|entry| entry.key != *path);
        }
        let Some(option) = old.take(path) else { continue };
        redirects = redirects || matches!(becomes, Contrary(_));
        stands = stands || *path == "standalone";
        one(path, becomes, option, today, warnings)?;
    }
    if !redirects {
        // By default the original sent every byte itself.
        today.put("storage.redirect.disable", default("disable", "true"));
    }
    if !stands {
        today.put("v1.standalone", default("standalone", "false"));
    }
    old.entries.into_iter().for_each(|entry| left_over(entry, warnings));
    Ok(())
}

fn one(
    path: &str,
    becomes: &Becomes,
    option: Entry,
    today: &mut Today,
    warnings: &mut Vec<Warning>,
) -> Result<(), ConfigError> {
    let invalid = |expected: &str| wrong(&option.node.place, path, &found(&option.node), expected);
    let value = |key: &str, text: &str| {
        let value = Value::Scalar(Scalar { text: text.to_owned(), plain: true });
        let node = Node { place: option.node.place.clone(), value };
        Entry { key: key.to_owned(), key_place: option.key_place.clone(), node }
    };
    match becomes {
        Text(key) => match &option.node.value {
            Value::Scalar(_) => today.put(key, option),
            _ => return Err(invalid("a single text")),
        },
        Texts(key) => match option.node.value {
            Value::Sequence(_) => today.put(key, option),
            Value::Scalar(_) => {
                let place = option.key_place.clone();
                today.put(key, entry(path, Value::Sequence(vec![option.node]), &place));
            }
            Value::Mapping(_) => return Err(invalid("a text, or a list of texts")),
        },
        Switch(key) | Contrary(key) => {
            let said =
                typing::switch(&option.node).ok_or_else(|| invalid("true or false, without quotes"))?;
            if let Value::Scalar(scalar) = &option.node.value
                && scalar.text == "1"
            {
                let message = "1 is taken as true; to docker-registry it was neither true nor false";
                warnings.push(told(&option, path, message));
            }
            let says = if matches!(becomes, Contrary(_)) { !said } else { said };
            today.put(key, value(key, if says { "true" } else { "false" }));
        }
        Seconds(key) => {
            let seconds = scalar(&option.node).and_then(typing::integer).filter(|seconds| *seconds >= 0);
            let seconds = seconds.ok_or_else(|| invalid("a whole number of seconds"))?;
            today.put(key, value(key, &format!("{seconds}s")));
        }
        Level(key) => {
            let level = match scalar(&option.node).unwrap_or_default().to_ascii_lowercase().as_str() {
                "debug" | "notset" => "debug",
                "info" => "info",
                "warn" | "warning" => "warn",
                "error" | "critical" | "fatal" => "error",
                _ => return Err(invalid("debug, info, warning, error or critical")),
            };
            today.put(key, value(key, level));
        }
        Search(key) => {
            if scalar(&option.node) != Some("sqlalchemy") {
                let message =
                    "this search is not there; that of Apus answers in its place, and keeps no index";
                warnings.push(told(&option, path, message));
            }
            today.put(key, value(key, "true"));
        }
        Nothing(reason, _) => warnings.push(told(&option, path, &format!("no effect: {reason}"))),
    }
    Ok(())
}

/// Whether a section has a key that says something; anything else than a section does.
fn says(old: &mut Old, section: &str, key: &str) -> bool {
    old.find(section).is_some_and(|section| match &section.node.value {
        Value::Mapping(entries) => entries.iter().any(|entry| entry.key == key && entry.node.is_set()),
        _ => section.node.is_set(),
    })
}

/// The same for what may be a value too: whether it is another one.
fn says_more(old: &mut Old, path: &str, usual: &str) -> bool {
    match old.find(path).map(|entry| scalar(&entry.node).map(|text| text == usual)) {
        Some(Some(is_usual)) => !is_usual,
        _ => says(old, path, usual),
    }
}

/// What nobody took: an option of another driver, or one that nobody knows.
fn left_over(entry: Entry, warnings: &mut Vec<Warning>) {
    if let Value::Mapping(entries) = entry.node.value {
        for below in entries {
            let key = format!("{}.{}", entry.key, below.key);
            left_over(called(&key, below), warnings);
        }
        return;
    }
    if !entry.node.is_set() {
        return;
    }
    let message = if DRIVERS.iter().any(|prefix| entry.key.starts_with(prefix)) && known(&entry.key) {
        format!("no effect: {OTHER_DRIVER}")
    } else {
        let names: Vec<_> =
            OPTIONS.iter().map(|(name, _)| *name).chain(SWIFT.map(|(name, _)| name)).collect();
        match nearest(&entry.key, &names) {
            Some(name) => format!("unknown key, ignored; did you mean {name:?}?"),
            None => "unknown key, ignored".to_owned(),
        }
    };
    warnings.push(told(&entry, &entry.key, &message));
}

/// Of other drivers' options not all are known here, of Swift's they are.
fn known(key: &str) -> bool {
    !key.starts_with("swift_") || SWIFT.iter().any(|(name, _)| *name == key)
}

fn told(option: &Entry, path: &str, message: &str) -> Warning {
    Warning { place: option.key_place.clone(), key: path.to_owned(), message: message.to_owned() }
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

fn found(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) => format!("{:?}", scalar.text.chars().take(60).collect::<String>()),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Mapping(_) => "a mapping".to_owned(),
    }
}
