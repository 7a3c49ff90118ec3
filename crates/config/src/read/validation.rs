//! `validation`: what must be true of a manifest before it is taken.

use regex::Regex;

use super::word;
use crate::section::{Field, Section};
use crate::{ConfigError, IndexPlatforms, Platform, UrlPattern, ValidationConfig, Warning};

pub(super) fn read(
    mut section: Section,
    warnings: &mut Vec<Warning>,
) -> Result<ValidationConfig, ConfigError> {
    let enabled = enabled(&mut section, warnings)?;
    let mut manifests = section.section("manifests")?;
    let mut urls = manifests.section("urls")?;
    let urls_allowed = urls.list("allow", PATTERN, pattern)?;
    let urls_denied = urls.list("deny", PATTERN, pattern)?.unwrap_or_default();
    urls.finish(warnings);
    let index_platforms = index_platforms(manifests.section("indexes")?, warnings)?;
    manifests.finish(warnings);
    section.finish(warnings);
    Ok(ValidationConfig { enabled, index_platforms, urls_allowed, urls_denied })
}

const PATTERN: &str = "a regular expression, such as ^https://layers\\.example\\.org/";

/// As Go understands them, but for `\C` and `\Q...\E`; `\d`, `\s` and `\w` mean more than ASCII.
fn pattern(text: &str) -> Option<UrlPattern> {
    Regex::new(text).ok().map(UrlPattern)
}

/// As registry:2 does: validation is on unless it is disabled, and `enabled: true` overrules that.
fn enabled(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<bool, ConfigError> {
    let (enabled_key, disabled_key) = (section.given("enabled"), section.given("disabled"));
    let enabled = section.boolean("enabled")?;
    let disabled = section.boolean("disabled")?.unwrap_or(false);
    if let (Some(true), true, Some(key)) = (enabled, disabled, disabled_key) {
        warnings.push(key.warning("without effect, as in registry:2, for validation.enabled is true"));
    }
    if let (Some(false), false, Some(key)) = (enabled, disabled, enabled_key) {
        let message = "without effect, as in registry:2; what switches validation off is disabled: true";
        warnings.push(key.warning(message));
    }
    Ok(enabled == Some(true) || !disabled)
}

#[derive(Clone, Copy)]
enum Platforms {
    All,
    None,
    List,
}

const PLATFORMS_WORDS: [(&str, Platforms); 3] =
    [("all", Platforms::All), ("none", Platforms::None), ("list", Platforms::List)];

fn index_platforms(mut section: Section, warnings: &mut Vec<Warning>) -> Result<IndexPlatforms, ConfigError> {
    let platforms = section.parse("platforms", "all, none or list", |text| word(text, &PLATFORMS_WORDS))?;
    let list_key = section.given("platformlist");
    let list = section.take("platformlist").map_or(Ok(None), |field| field.items("a list of platforms"))?;
    let list = list.unwrap_or_default().into_iter().map(|item| platform(item, warnings));
    let list = list.collect::<Result<Vec<_>, _>>()?;
    section.finish(warnings);
    let platforms = match platforms {
        Some(Platforms::List) => return Ok(IndexPlatforms::Listed(list)),
        Some(Platforms::None) => IndexPlatforms::None,
        Some(Platforms::All) | None => IndexPlatforms::All,
    };
    if let Some(key) = list_key {
        warnings.push(key.warning("without effect unless platforms is list"));
    }
    Ok(platforms)
}

fn platform(item: Field, warnings: &mut Vec<Warning>) -> Result<Platform, ConfigError> {
    let mut section = item.section()?;
    let os = section.text("os")?;
    let os = section.required("os", "the name of an operating system, such as linux", os)?;
    let architecture = section.text("architecture")?;
    let architecture =
        section.required("architecture", "the name of an architecture, such as amd64", architecture)?;
    section.finish(warnings);
    Ok(Platform { os, architecture })
}
