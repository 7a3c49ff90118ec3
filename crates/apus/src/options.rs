//! From what the configuration says to what the registry and its server can choose.

use apus_config::{Config, HttpConfig, ValidationConfig};
use apus_registry::{IndexPlatforms, Platform, ReferenceChecks, RegistryOptions};
use apus_server::{AppOptions, Locations, ServeOptions};

pub(crate) fn of_registry(config: &Config) -> RegistryOptions {
    let redirect = &config.storage.redirect;
    RegistryOptions {
        upload_secret: config.http.secret.clone(),
        deletes: config.storage.delete_enabled,
        references: references(&config.validation),
        blob_url_lifetime: redirect.enabled.then_some(redirect.lifetime),
        ..RegistryOptions::default()
    }
}

pub(crate) fn of_app(config: &Config) -> AppOptions {
    let default = AppOptions::default();
    AppOptions {
        locations: locations(&config.http),
        prefix: config.http.prefix.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        longest_catalog: config.catalog_max_entries.map_or(default.longest_catalog, usize::from),
        longest_tags: config.tags_max_tags.map_or(default.longest_tags, usize::from),
        ..default
    }
}

pub(crate) fn of_server(config: &Config) -> ServeOptions {
    ServeOptions {
        http2: config.http.h2c,
        drain_timeout: config.http.drain_timeout,
        ..ServeOptions::default()
    }
}

/// In the order of registry:2: `host`, `relativeurls`, the request; only that the last has to be asked for.
fn locations(http: &HttpConfig) -> Locations {
    match (&http.host, http.relative_urls) {
        (Some(host), _) => Locations::Under(host.clone()),
        (None, Some(false)) => Locations::AsAsked,
        (None, Some(true) | None) => Locations::Relative,
    }
}

fn references(validation: &ValidationConfig) -> ReferenceChecks {
    let platforms = match &validation.index_platforms {
        apus_config::IndexPlatforms::All => IndexPlatforms::All,
        apus_config::IndexPlatforms::None => IndexPlatforms::None,
        apus_config::IndexPlatforms::Listed(platforms) => {
            let platform = |listed: &apus_config::Platform| Platform {
                os: listed.os.clone(),
                architecture: listed.architecture.clone(),
            };
            IndexPlatforms::Listed(platforms.iter().map(platform).collect())
        }
    };
    ReferenceChecks { enabled: validation.enabled, platforms }
}
