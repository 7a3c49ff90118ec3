//! A registry:2 file into a [`Config`]: the top of the file here, a room below for each larger section.
//!
//! Every key that registry:2.8 or 3 knows is in one of these rooms, and its value is checked there, whether Apus obeys it or
//! not. What will never have an effect is listed in [`without_effect`].

mod access;
mod auth;
mod common;
mod database;
mod debug;
pub(crate) mod exposed;
mod health;
mod http;
mod limits;
mod log;
mod maintenance;
mod notifications;
mod proxy;
mod storage;
mod swift;
mod tls;
mod v1;
mod validation;
mod without_effect;

use std::num::NonZeroUsize;

use ::http::Uri;

use self::common::number;
use crate::section::Section;
use crate::tree::Node;
use crate::{Config, ConfigError, Warning};

/// What a tree means, wherever it came from; `is_docker_registry` if from a file of docker-registry 0.x. What may stop `apus serve`
/// is apart: see [`exposed`].
pub(crate) fn interpret(
    tree: Node,
    is_docker_registry: bool,
    warnings: &mut Vec<Warning>,
) -> Result<(Config, Vec<Warning>), ConfigError> {
    let author = exposed::Author::find(&tree, is_docker_registry);
    let config = file(Section::root(tree)?, warnings)?;
    let hindrances = author.judge(&config, warnings);
    Ok((config, hindrances))
}

fn file(mut root: Section, warnings: &mut Vec<Warning>) -> Result<Config, ConfigError> {
    const VERSION: &str = "0.1, the only version of the registry's configuration";
    let version = root.parse("version", VERSION, |text| (text == "0.1").then_some(()))?;
    root.required("version", VERSION, version)?;

    let log = log::read(&mut root, warnings)?;
    let storage = storage::read(&mut root, warnings)?;
    let auth = auth::read(root.take("auth"), warnings)?;
    let proxy = proxy::read(&mut root, warnings)?;
    let v1 = v1::read(root.section("v1")?, proxy.is_some(), warnings)?;
    let config = Config {
        log,
        storage,
        access: access::read(root.take("access"), auth.as_ref())?,
        auth,
        http: http::read(root.section("http")?, warnings)?,
        notifications: notifications::read(root.section("notifications")?, warnings)?,
        health: health::read(root.section("health")?, warnings)?,
        proxy,
        v1,
        limits: limits::read(root.section("limits")?, warnings)?,
        validation: validation::read(root.section("validation")?, warnings)?,
        catalog_max_entries: most(root.section("catalog")?, "maxentries", warnings)?,
        tags_max_tags: most(root.section("tags")?, "maxtags", warnings)?,
    };
    database::refuse(&mut root)?;
    without_effect::read(&mut root, warnings)?;
    root.finish(warnings);
    Ok(config)
}

/// A section that holds one number: how many entries a page has at most. Zero and less are none, as in registry:2.
fn most(
    mut section: Section,
    name: &'static str,
    warnings: &mut Vec<Warning>,
) -> Result<Option<NonZeroUsize>, ConfigError> {
    let most = number(&mut section, name)?;
    section.finish(warnings);
    Ok(most.and_then(|most| usize::try_from(most).ok()).and_then(NonZeroUsize::new))
}

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
