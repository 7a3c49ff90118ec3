//! `v1`: the API of docker-registry 0.x.

use std::time::Duration;

use super::common::{duration, path};
use super::web_url;
use crate::section::Section;
use crate::{ConfigError, V1Access, V1Config, V1Cors, V1Mirroring, Warning};

const URL: &str = "an http or https URL without credentials, such as https://registry.example.org";

/// `None` unless it is enabled, or its images are shown.
pub(super) fn read(
    mut section: Section,
    is_cache: bool,
    warnings: &mut Vec<Warning>,
) -> Result<Option<V1Config>, ConfigError> {
    let enabled = section.boolean("enabled")?.unwrap_or(false);
    let key = section.given("version2");
    let shown = section.boolean("version2")?.unwrap_or(false);
    if let Some(key) = key.filter(|_| shown && is_cache) {
        return Err(key.unsupported("a cache of other registries (proxy) cannot show these images too"));
    }
    let config = V1Config {
        spoken: enabled,
        shown,
        access: access(&mut section)?,
        // A file of docker-registry 0.x always says so.
        exclusive: section.boolean("exclusive")?.unwrap_or(false) && !shown,
        flavour: section.text("flavour")?,
        issue: section.text("issue")?.unwrap_or_else(|| "\"docker-registry server\"".to_owned()),
        debug: section.boolean("debug")?.unwrap_or(false),
        privileged_key: path(&mut section, "privilegedkey")?,
        registry_endpoints: section.text("registryendpoints")?,
        search: search(section.section("search")?, warnings)?,
        mirroring: mirroring(section.section("mirroring")?, warnings)?,
        cors: cors(section.section("cors")?, warnings)?,
    };
    section.finish(warnings);
    Ok((enabled || shown).then_some(config))
}

fn access(section: &mut Section) -> Result<V1Access, ConfigError> {
    let standalone = section.boolean("standalone")?;
    let open = section.boolean("disabletokenauth")?;
    let index = url(section, "indexendpoint")?;
    Ok(match (standalone, open) {
        (None, None) if index.is_none() => V1Access::Today,
        (Some(true), _) => V1Access::Standalone,
        (_, Some(true)) => V1Access::Open,
        _ => {
            V1Access::Token { index_endpoint: index.unwrap_or_else(|| "https://index.docker.io".to_owned()) }
        }
    })
}

fn search(mut section: Section, warnings: &mut Vec<Warning>) -> Result<bool, ConfigError> {
    let enabled = section.boolean("enabled")?.unwrap_or(false);
    section.finish(warnings);
    Ok(enabled)
}

fn mirroring(mut section: Section, warnings: &mut Vec<Warning>) -> Result<Option<V1Mirroring>, ConfigError> {
    let source = url(&mut section, "source")?;
    let source_index = url(&mut section, "sourceindex")?;
    let ttl = duration(&mut section, "tagscachettl", warnings)?;
    section.finish(warnings);
    Ok(source.map(|source| V1Mirroring {
        source,
        source_index,
        tags_cache_ttl: ttl.unwrap_or(Duration::from_hours(48)),
    }))
}

fn cors(mut section: Section, warnings: &mut Vec<Warning>) -> Result<Option<V1Cors>, ConfigError> {
    let headers = section.texts("headers")?;
    let cors = V1Cors {
        origins: section.texts("origins")?,
        methods: section.texts("methods")?,
        headers: if headers.is_empty() { vec!["Content-Type".to_owned()] } else { headers },
        expose_headers: section.texts("exposeheaders")?,
        supports_credentials: section.boolean("supportscredentials")?.unwrap_or(false),
        max_age: duration(&mut section, "maxage", warnings)?,
        send_wildcard: section.boolean("sendwildcard")?.unwrap_or(true),
        always_send: section.boolean("alwayssend")?.unwrap_or(true),
        vary_header: section.boolean("varyheader")?.unwrap_or(true),
    };
    section.finish(warnings);
    Ok(Some(cors).filter(|cors| !cors.origins.is_empty()))
}

/// Slashes around it do not count.
fn url(section: &mut Section, name: &'static str) -> Result<Option<String>, ConfigError> {
    section.parse(name, URL, |text| {
        let text = text.trim_matches('/');
        web_url(text).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests;
