//! `clouds.yaml` and `secure.yaml` (openstacksdk, "Configuring OpenStack SDK Applications"): found, read, and laid one over
//! the other.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::Surroundings;
use super::settings::{Settings, Source};
use super::yaml::{self, Node};
use crate::config::ConfigError;

/// The largest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// The settings of this cloud.
pub(super) fn named(surroundings: &Surroundings, name: &str) -> Result<Settings, ConfigError> {
    let Some(file) = find(surroundings, "OS_CLIENT_CONFIG_FILE", "clouds") else {
        let places = listed(surroundings.directories.iter().map(|directory| directory.display()));
        let reason = format!("is in none of {places}: nothing is known of the cloud {name:?}");
        return Err(ConfigError::new("clouds.yaml", reason));
    };
    let clouds = load(&file)?;
    match clouds.iter().find(|(known, _)| known == name) {
        Some((_, cloud)) => settings(surroundings, &file, name, cloud),
        None => Err(unusable(&file, format!("has no cloud {name:?}, but {}", names(&clouds)))),
    }
}

/// The settings of the only cloud there is; `None` when there is no `clouds.yaml`.
pub(super) fn only(surroundings: &Surroundings) -> Result<Option<Settings>, ConfigError> {
    let Some(file) = find(surroundings, "OS_CLIENT_CONFIG_FILE", "clouds") else { return Ok(None) };
    let clouds = load(&file)?;
    match &clouds[..] {
        [(name, cloud)] => settings(surroundings, &file, name, cloud).map(Some),
        _ => Err(unusable(&file, format!("has the clouds {}: say by OS_CLOUD which one", names(&clouds)))),
    }
}

/// What is said of a cloud, and over it what `secure.yaml` says of it.
fn settings(
    surroundings: &Surroundings,
    file: &Path,
    name: &str,
    cloud: &Node,
) -> Result<Settings, ConfigError> {
    let mut settings = Settings::new(Source::Cloud { name: name.to_owned(), file: file.to_owned() });
    lay_over(&mut settings, file, cloud);
    if let Some(file) = find(surroundings, "OS_CLIENT_SECURE_FILE", "secure") {
        let secure = load(&file)?;
        if let Some((_, cloud)) = secure.iter().find(|(secret, _)| secret == name) {
            lay_over(&mut settings, &file, cloud);
        }
    }
    if let (Some(profile), None) = (settings.first(&["profile", "cloud"]), settings.first(&["auth_url"])) {
        let reason = "names a profile of a vendor, which is not known here: give auth_url in its place";
        return Err(ConfigError::new(profile.origin.clone(), reason));
    }
    Ok(settings)
}

fn find(surroundings: &Surroundings, variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(file) = surroundings.variable(variable) {
        return Some(PathBuf::from(file));
    }
    let names = ["yaml", "yml", "json"].map(|extension| format!("{name}.{extension}"));
    let places = surroundings.directories.iter();
    let mut places = places.flat_map(|directory| names.iter().map(|name| directory.join(name)));
    places.find(|file| file.is_file())
}

/// The clouds of a file.
fn load(file: &Path) -> Result<Vec<(String, Node)>, ConfigError> {
    let text = read_text(file).map_err(|error| unusable(file, format!("cannot be read: {error}")))?;
    let document = yaml::load(&text)
        .map_err(|fault| ConfigError::new(format!("{}:{}", file.display(), fault.line), fault.reason))?;
    match document.into_entries().into_iter().find(|(key, _)| key == "clouds") {
        Some((_, clouds)) => Ok(clouds.into_entries()),
        None => Err(unusable(file, "has no clouds: at its top".to_owned())),
    }
}

fn read_text(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let length = std::fs::File::open(file)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if length as u64 > LONGEST {
        let message = format!("it is longer than {LONGEST} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

fn unusable(file: &Path, reason: String) -> ConfigError {
    ConfigError::new(file.display().to_string(), reason)
}

fn names(clouds: &[(String, Node)]) -> String {
    listed(clouds.iter().map(|(name, _)| name))
}

fn listed(names: impl Iterator<Item = impl ToString>) -> String {
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Settings lie below the cloud, or below its `auth`; lists and other mappings are for services that are not Swift.
fn lay_over(settings: &mut Settings, file: &Path, cloud: &Node) {
    for (name, node) in cloud.entries() {
        match node {
            Node::Text { text, line } => {
                settings.set(name, text.clone(), format!("{}:{line}: {name}", file.display()));
            }
            Node::Mapping(_) if name == "auth" => lay_over(settings, file, node),
            Node::Mapping(_) | Node::Other => {}
        }
    }
}
