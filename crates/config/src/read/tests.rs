//! Tables of whole files: `good` ones with what they mean, `bad` ones with the one line that says why. What belongs to one
//! section alone is in the room of its name.

mod access;
mod auth;
mod bad;
mod examples;
mod exposed;
mod good;
mod health;
mod http;
mod limits;
mod log;
mod maintenance;
mod notifications;
mod proxy;
mod tls;
mod validation;
mod without_effect;

use crate::{Config, ConfigError, Loaded, StorageDriver};

fn parse(text: &str) -> Result<Loaded, ConfigError> {
    Config::parse(text, "config.yml")
}

#[test]
fn a_file_is_read_from_disk() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "version: 0.1\nstorage:\n  inmemory:\n").unwrap();
    assert!(matches!(Config::load(file.path()).unwrap().config.storage.driver, StorageDriver::InMemory));

    std::fs::write(file.path(), "version: 0.1\nstorage:\n  inmemory:\n  delet:\n").unwrap();
    let error = Config::load(file.path()).unwrap_err();
    let place = error.place().unwrap();
    assert_eq!(place.to_string(), format!("{}:4:3", file.path().display()));
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_cause() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("absent.yml");
    assert_eq!(
        Config::load(&absent).unwrap_err().to_string(),
        format!(
            "cannot read the configuration file {}: No such file or directory (os error 2)",
            absent.display()
        )
    );
    assert_eq!(
        Config::load(directory.path()).unwrap_err().to_string(),
        format!(
            "cannot read the configuration file {}: Is a directory (os error 21)",
            directory.path().display()
        )
    );

    let large = directory.path().join("large.yml");
    std::fs::write(&large, vec![b'#'; (1 << 20) + 1]).unwrap();
    let error = Config::load(&large).unwrap_err();
    assert!(error.to_string().ends_with(": larger than 1048576 bytes, which no configuration is"), "{error}");
    assert_eq!(error.place(), None);
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_where_it_ceases_to_be() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("latin1.yml");
    std::fs::write(&path, b"version: 0.1\nlog: # \xc3\xa9 \xe9\n").unwrap();
    assert_eq!(
        Config::load(&path).unwrap_err().to_string(),
        format!("{}:2:10: not a valid YAML configuration: not UTF-8 from here on", path.display())
    );
}
