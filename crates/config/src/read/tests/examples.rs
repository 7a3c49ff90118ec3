//! Configurations as people have them, each with what comes of it: files in the directory `examples`.
//!
//! `NAME.yml` is a file, `NAME.env` an environment, one variable a line; an example has one of them or both, and an environment
//! may name the file of another example. `NAME.expected` says what somebody set, with the source of each value, and what is
//! told about it. What nobody set is left out there, but not unproven: the settings as Apus shows them, defaults and all, are
//! read once more, and must mean the same.
//!
//! With `WRITE_EXPECTED=1` in the environment the expectations are written anew. Read the difference before you believe it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use crate::{
    Config, ConfigError, Environment, Loaded, Source, StorageDriver, SwiftCredentials, SwiftSecret,
    SwiftSignIn,
};

/// From the root of the crate, where tests run.
const DIRECTORY: &str = "src/read/tests/examples/";

fn names() -> BTreeSet<String> {
    let files = std::fs::read_dir(DIRECTORY).unwrap().map(|file| file.unwrap().path());
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn load(name: &str) -> Result<Loaded, ConfigError> {
    let file = PathBuf::from(format!("{DIRECTORY}{name}.yml"));
    let variables = std::fs::read_to_string(format!("{DIRECTORY}{name}.env")).unwrap_or_default();
    let variables = variables
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("{name}.env: no variable: {line}")));
    Config::load_with(file.exists().then_some(file.as_path()), &Environment::new(variables))
}

/// What somebody set, and what is told about it.
fn told(loaded: &Result<Loaded, ConfigError>) -> String {
    let mut text = String::new();
    match loaded {
        Err(error) => writeln!(text, "error: {error}").unwrap(),
        Ok(loaded) => {
            let said =
                loaded.effective.settings().into_iter().filter(|said| said.source.source != Source::Default);
            for setting in said {
                writeln!(text, "{} = {}  # {}", setting.key, setting.value, setting.source).unwrap();
            }
            let hindrances = loaded.hindrances.iter().map(|warning| format!("hindrance: {warning}"));
            let warnings = loaded.warnings.iter().map(|warning| format!("warning: {warning}"));
            let notes = loaded.notes.iter().map(|note| format!("note: {note}"));
            let passed_over = loaded.passed_over.iter().map(|name| format!("passed over: {name}"));
            for line in hindrances.chain(warnings).chain(notes).chain(passed_over) {
                writeln!(text, "{line}").unwrap();
            }
        }
    }
    text.replace(DIRECTORY, "")
}

#[test]
fn each_means_what_is_expected() {
    let mut wrong = Vec::new();
    for name in names() {
        let told = told(&load(&name));
        let path = format!("{DIRECTORY}{name}.expected");
        if std::env::var_os("WRITE_EXPECTED").is_some() {
            std::fs::write(&path, &told).unwrap();
        }
        let expected = std::fs::read_to_string(Path::new(&path)).unwrap_or_default();
        if told != expected {
            wrong.push(format!("--- {name} is told to be\n{told}--- and expected to be\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_enough_of_them() {
    assert!(names().len() >= 40, "{}", names().len());
}

/// What Apus shows of a configuration is a file of the same meaning: no default that it shows is another than the one that
/// holds. Secrets are hidden in both.
#[test]
fn what_is_shown_means_the_same() {
    for name in names() {
        let Ok(loaded) = load(&name) else { continue };
        // Of a URL that may hold a secret only the host is shown.
        let shown = loaded.effective.to_yaml().replace("<hidden>@", "").replace("/<hidden>", "");
        let again = Config::parse(&shown, "shown").unwrap_or_else(|error| panic!("{name}: {error}\n{shown}"));
        assert_eq!(with_defaults(again.config), with_defaults(loaded.config), "{name}\n{shown}");
    }
}

/// All that holds, with the defaults that this crate leaves to others.
fn with_defaults(mut config: Config) -> String {
    config.http.relative_urls.get_or_insert(true);
    config.catalog_max_entries = config.catalog_max_entries.or(NonZeroUsize::new(1000));
    config.tags_max_tags = config.tags_max_tags.or(NonZeroUsize::new(10_000));
    if let StorageDriver::Swift(swift) = &mut config.storage.driver {
        swift.endpoint_type.get_or_insert_default();
    }
    format!("{config:#?}")
}

/// The examples call all their secrets so, or by numbers that are none.
#[test]
fn no_secret_is_told() {
    for name in names() {
        let loaded = load(&name);
        let everything = format!("{loaded:?}{}", told(&loaded));
        for secret in
            ["hunter2", "s3cret", "redrum", "haSharedSecret", "asecretforlocaldevelopment", "c0ffee", "31415"]
        {
            assert!(!everything.contains(secret), "{name} tells {secret}");
        }
    }
}

/// What looks like a number is kept as it was written where it is a secret or a name.
#[test]
fn passwords_are_what_was_written() {
    for (name, expected) in [
        ("magnum", "0042"),
        ("harbor", "31415"),
        ("harbor-helm", "31415926"),
        ("openshift-operator", "00042"),
        ("swift-over-image", "12345"),
        ("merges", "007"),
        ("openrc", "hunter2"),
        ("openrc-beside", "hunter2"),
        ("tempauth", "hunter2"),
    ] {
        let StorageDriver::Swift(swift) = load(name).unwrap().config.storage.driver else { panic!("{name}") };
        let SwiftSignIn::Service {
            credentials: SwiftCredentials::Password { password: SwiftSecret::Text(password), .. },
            ..
        } = swift.sign_in
        else {
            panic!("{name} signs in otherwise");
        };
        assert_eq!(password.expose_secret(), expected, "{name}");
    }
}

/// Whatever stands in place of a value: there is an answer, and an error names its place and no secret.
#[test]
fn a_wrong_value_is_told_and_nothing_worse() {
    let odd = ["[]", "{a: b}", "-1", "99999999999999999999999", "\"\\0\"", "*"];
    for name in names() {
        let Ok(text) = std::fs::read_to_string(format!("{DIRECTORY}{name}.yml")) else { continue };
        let lines: Vec<_> = text.lines().collect();
        for at in 0..lines.len() {
            let Some((key, _)) = lines[at].split_once(": ") else { continue };
            for value in odd {
                let changed =
                    [&lines[..at], &[&*format!("{key}: {value}")], &lines[at + 1..]].concat().join("\n");
                if let Err(error) = Config::parse(&changed, "changed.yml") {
                    assert!(
                        error.place().is_some_and(|place| place.line as usize <= lines.len() + 1),
                        "{error}\n{changed}"
                    );
                    assert!(!error.to_string().contains("hunter2"), "{error}\n{changed}");
                }
            }
        }
    }
}
