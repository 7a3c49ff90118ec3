//! From what the configuration says to what the registry and its server can choose.

use std::num::NonZeroU32;
use std::path::PathBuf;

use apus_config::{
    CipherSuite, Config, HttpConfig, LimitsConfig, ProxyConfig, ProxyCredentials, TlsConfig, UrlPattern,
    ValidationConfig,
};
use apus_events::Events;
use apus_proxy::{CacheOptions, Credentials, Proxies, UpstreamOptions};
use apus_registry::{IndexPlatforms, LayerUrls, Platform, ReferenceChecks, RegistryOptions, RepositoryName};
use apus_server::{
    AppOptions, ClientAuth, ClientLimits, Locations, RequestRate, ServeOptions, Tls, TlsOptions,
};

use crate::{logging, traces};

pub(crate) fn of_registry(config: &Config) -> RegistryOptions {
    let redirect = &config.storage.redirect;
    RegistryOptions {
        upload_secret: config.http.secret.clone(),
        deletes: config.storage.delete_enabled,
        read_only: config.storage.read_only || config.shows_version_1(),
        references: references(&config.validation),
        blob_url_lifetime: redirect.enabled.then_some(redirect.lifetime),
        ..RegistryOptions::default()
    }
}

pub(crate) fn of_app(config: &Config, events: Events) -> AppOptions {
    let default = AppOptions::default();
    AppOptions {
        locations: locations(&config.http),
        prefix: config.http.prefix.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        access_log: config.log.access_log.then_some(logging::access),
        join_trace: Some(traces::join),
        headers: config.http.headers.clone(),
        read_only: config.storage.read_only,
        limits: limits(&config.limits),
        longest_catalog: config.catalog_max_entries.map_or(default.longest_catalog, usize::from),
        longest_tags: config.tags_max_tags.map_or(default.longest_tags, usize::from),
        events,
        ..default
    }
}

pub(crate) fn of_cache(config: &ProxyConfig) -> Result<CacheOptions, apus_registry::Error> {
    let upstream = |upstream: &apus_config::UpstreamConfig| {
        Ok(UpstreamOptions {
            url: upstream.remote_url.clone(),
            prefix: upstream.prefix.as_deref().map(RepositoryName::parse).transpose()?,
            ns: upstream.ns.clone(),
            remote_namespace: upstream.remote_namespace.clone(),
            credentials: upstream.credentials.as_ref().map(|credentials| match credentials {
                ProxyCredentials::Password { username, password } => {
                    Credentials::Password { username: username.clone(), password: password.clone() }
                }
                ProxyCredentials::Helper { command, lifetime } => {
                    Credentials::Helper { command: command.clone(), lifetime: *lifetime }
                }
            }),
            ttl: upstream.ttl,
            freshness: upstream.freshness,
            token_servers: upstream.token_servers.clone(),
            allowed_networks: upstream.allowed_networks.clone(),
        })
    };
    Ok(CacheOptions {
        upstreams: config.upstreams.iter().map(upstream).collect::<Result<_, apus_registry::Error>>()?,
        write_timeout: config.cache_write_timeout,
        proxies: Proxies::from_env(),
    })
}

pub(crate) fn of_server(config: &Config, tls: Option<Tls>) -> ServeOptions {
    ServeOptions {
        tls,
        http2: config.http.h2c,
        drain_timeout: config.http.drain_timeout,
        ..ServeOptions::default()
    }
}

/// For a certificate and a key in files.
pub(crate) fn of_tls(certificate: PathBuf, key: PathBuf, tls: &TlsConfig, http: &HttpConfig) -> TlsOptions {
    let client_auth = |auth: &apus_config::ClientAuth| ClientAuth {
        authorities: auth.authorities.clone(),
        mode: match auth.mode {
            apus_config::ClientAuthMode::Request => apus_server::ClientAuthMode::Request,
            apus_config::ClientAuthMode::RequireAny => apus_server::ClientAuthMode::RequireAny,
            apus_config::ClientAuthMode::VerifyIfGiven => apus_server::ClientAuthMode::VerifyIfGiven,
            apus_config::ClientAuthMode::RequireAndVerify => apus_server::ClientAuthMode::RequireAndVerify,
        },
    };
    TlsOptions {
        client_auth: tls.client_auth.as_ref().map(client_auth),
        minimum_version: match tls.minimum_version {
            apus_config::TlsVersion::V1_2 => apus_server::TlsVersion::V1_2,
            apus_config::TlsVersion::V1_3 => apus_server::TlsVersion::V1_3,
        },
        cipher_suites: tls.cipher_suites.iter().copied().map(cipher_suite).collect(),
        http2: http.http2,
        ..TlsOptions::new(certificate, key)
    }
}

fn cipher_suite(suite: CipherSuite) -> apus_server::CipherSuite {
    use apus_server::CipherSuite as Suite;
    match suite {
        CipherSuite::Aes128GcmSha256 => Suite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::Aes256GcmSha384 => Suite::TLS13_AES_256_GCM_SHA384,
        CipherSuite::ChaCha20Poly1305Sha256 => Suite::TLS13_CHACHA20_POLY1305_SHA256,
        CipherSuite::EcdheEcdsaWithAes128GcmSha256 => Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::EcdheEcdsaWithAes256GcmSha384 => Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::EcdheEcdsaWithChaCha20Poly1305Sha256 => {
            Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        }
        CipherSuite::EcdheRsaWithAes128GcmSha256 => Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::EcdheRsaWithAes256GcmSha384 => Suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::EcdheRsaWithChaCha20Poly1305Sha256 => Suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    }
}

fn limits(limits: &LimitsConfig) -> ClientLimits {
    let rate = |per_second: NonZeroU32| RequestRate {
        per_second,
        burst: limits.client_burst.unwrap_or_else(|| per_second.saturating_mul(TEN)),
    };
    ClientLimits {
        requests: limits.client_requests.map(rate),
        uploads: limits.client_uploads,
        all_uploads: limits.uploads,
    }
}

const TEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

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
    let patterns = |patterns: &[UrlPattern]| patterns.iter().map(|pattern| pattern.0.clone()).collect();
    let urls = LayerUrls {
        allowed: validation.urls_allowed.as_deref().map(patterns),
        denied: patterns(&validation.urls_denied),
    };
    ReferenceChecks { enabled: validation.enabled, platforms, urls }
}
