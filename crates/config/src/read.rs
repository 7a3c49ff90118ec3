//! A registry:2 file into a [`Config`]: the top of the file here, a room below for each larger section.
//!
//! Every key that registry:2.8 or 3 knows is in one of these rooms. It is obeyed, or warned about, or it stops the
//! start: the last for what would leave open a registry that its operator believes closed.

mod http;
mod storage;
mod swift;
mod validation;

use std::fs::File;
use std::io::{self, Read as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use ::http::Uri;

use crate::section::{Field, Section};
use crate::tree::Value;
use crate::{Config, ConfigError, LogConfig, LogFormat, LogLevel, Place, Warning, yaml};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What a file said.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What its writer ought to know, in the order of the file.
    pub warnings: Vec<Warning>,
}

impl Config {
    /// Reads a registry:2 configuration file of at most 1 MiB. Reads nothing else: no environment, no other file.
    pub fn load(path: impl AsRef<Path>) -> Result<Loaded, ConfigError> {
        let path = path.as_ref();
        let bytes =
            read_file(path).map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        let file_name = path.display().to_string();
        if let Ok(text) = str::from_utf8(&bytes) {
            return Self::parse(text, &file_name);
        }
        let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let reason = "not UTF-8 from here on".to_owned();
        Err(ConfigError::Syntax { place: end_of(valid, &file_name), reason })
    }

    /// Reads the text of a registry:2 configuration file. `file_name` appears in errors and warnings.
    pub fn parse(text: &str, file_name: &str) -> Result<Loaded, ConfigError> {
        let tree = yaml::load(text, &Arc::from(file_name))?;
        let mut warnings = Vec::new();
        let config = file(Section::root(tree)?, &mut warnings)?;
        warnings.sort_by_key(|warning| (warning.place.line, warning.place.column));
        Ok(Loaded { config, warnings })
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if length as u64 > MAX_FILE {
        let message = format!("larger than {MAX_FILE} bytes, which no configuration is");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The place behind the last character of `text`.
fn end_of(text: &str, file_name: &str) -> Place {
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    let line = text.matches('\n').count() + 1;
    Place { file: Arc::from(file_name), line, column: last_line.chars().count() + 1 }
}

fn file(mut root: Section, warnings: &mut Vec<Warning>) -> Result<Config, ConfigError> {
    const VERSION: &str = "0.1, the only version of the registry's configuration";
    let version = root.parse("version", VERSION, |text| (text == "0.1").then_some(()))?;
    root.required("version", VERSION, version)?;

    if let Some(auth) = root.take("auth") {
        refuse_auth(auth)?;
    }
    root.refuse(
        "proxy",
        "refusing to start: this version is no pull-through cache, and without this section the registry would \
         take pushes; remove it if that is what you want",
    )?;
    for (name, reason) in [
        ("compatibility", "manifests of schema 1 are not taken"),
        ("health", "there are no health checks"),
        ("middleware", "there is no middleware"),
        ("notifications", "no notifications are sent"),
        ("policy", "repositories have no classes"),
        ("redis", "nothing is cached in Redis"),
        ("reporting", "nothing is reported to Bugsnag or New Relic"),
    ] {
        root.not_obeyed(name, reason, warnings);
    }

    let config = Config {
        log: log(&mut root, warnings)?,
        storage: storage::read(&mut root, warnings)?,
        http: http::read(root.section("http")?, warnings)?,
        validation: validation::read(root.section("validation")?, warnings)?,
        catalog_max_entries: most(root.section("catalog")?, "maxentries", warnings)?,
        tags_max_tags: most(root.section("tags")?, "maxtags", warnings)?,
    };
    root.finish(warnings);
    Ok(config)
}

/// A section that holds one number: how many entries a page has at most. Zero and less are none, as in registry:2.
fn most(
    mut section: Section,
    name: &'static str,
    warnings: &mut Vec<Warning>,
) -> Result<Option<NonZeroUsize>, ConfigError> {
    let most = section.parse(name, "a whole number", |text| text.parse::<i64>().ok())?;
    section.finish(warnings);
    Ok(most.and_then(|most| usize::try_from(most).ok()).and_then(NonZeroUsize::new))
}

/// `auth` may say `none`; anything else must not be ignored.
fn refuse_auth(auth: Field) -> Result<(), ConfigError> {
    const REASON: &str = "refusing to start: this version does not check credentials, so anyone could read and write; \
                          remove this section if that is what you want, or let a proxy in front of the registry check";
    let is_none = |scheme: &str| scheme.eq_ignore_ascii_case("none");
    match &auth.node.value {
        Value::Scalar(scheme) if is_none(&scheme.text) => Ok(()),
        Value::Mapping(_) => {
            match auth.section()?.take_rest().iter().find(|scheme| !is_none(&scheme.key.name)) {
                Some(scheme) => Err(scheme.key.unsupported(REASON)),
                None => Ok(()),
            }
        }
        _ if auth.node.is_set() => Err(auth.key.unsupported(REASON)),
        _ => Ok(()),
    }
}

fn log(root: &mut Section, warnings: &mut Vec<Warning>) -> Result<LogConfig, ConfigError> {
    const LEVELS: &str = "error, warn, info or debug";
    let mut section = root.section("log")?;

    let level = section.parse("level", LEVELS, |text| word(text, &LEVEL_WORDS))?;
    let old_level = root.parse("loglevel", LEVELS, |text| word(text, &LEVEL_WORDS))?;

    let formatter = section.given("formatter");
    let format = section.parse("formatter", "text or json", |text| word(text, &FORMAT_WORDS))?;
    if let (Some(Formatter::Logstash), Some(key)) = (format, formatter) {
        warnings.push(key.warning("there is no logstash form, the log is written as json"));
    }

    for (name, reason) in [
        ("accesslog", "requests are not logged in Apache's form"),
        ("fields", "lines of log carry no extra fields"),
        ("hooks", "no mail is sent"),
        ("reportcaller", "lines of log do not name the code they come from"),
    ] {
        section.not_obeyed(name, reason, warnings);
    }
    section.finish(warnings);
    Ok(LogConfig {
        level: level.or(old_level).unwrap_or_default(),
        format: match format {
            Some(Formatter::Json | Formatter::Logstash) => LogFormat::Json,
            Some(Formatter::Text) | None => LogFormat::Text,
        },
    })
}

const LEVEL_WORDS: [(&str, LogLevel); 4] = [
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
];

#[derive(Clone, Copy)]
enum Formatter {
    Text,
    Json,
    Logstash,
}

const FORMAT_WORDS: [(&str, Formatter); 3] =
    [("text", Formatter::Text), ("json", Formatter::Json), ("logstash", Formatter::Logstash)];

/// What a word stands for, in upper or lower case.
fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Option<T> {
    words.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, meaning)| *meaning)
}

/// The text itself if it is an http or https URL that names a host and holds no credentials, query or fragment.
fn web_url(text: &str) -> Option<&str> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https")) && !authority.host().is_empty();
    let is_bare = !text.contains(['@', '?', '#']);
    let has_sound_port = authority.port_u16().is_some() || authority.as_str() == authority.host();
    (is_web && is_bare && has_sound_port).then_some(text)
}

#[cfg(test)]
mod tests;
