//! From what the configuration says of version 1 to the protocol itself: who is asked, what is mirrored, whether version 2 shows its
//! images.

use apus_config::{Config, V1Access, V1Config, V1Cors, V1Mirroring};
use apus_legacy::{LegacyRegistry, View, ViewOptions};
use apus_registry::Registry;
use apus_server::Version1;
use apus_swift::Proxies;
use apus_v1::{
    Cors, Debugging, Index, Mirror, MirrorOptions, Outgoing, OutgoingError, PrivilegedKey,
    PrivilegedKeyError, SignIn, V1, V1Options,
};

use crate::shared_key::SharedKey;

/// Why version 1 cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Version1Error {
    /// The key is none.
    #[error(transparent)]
    Key(#[from] PrivilegedKeyError),
    /// No other server can be asked.
    #[error("v1: other servers cannot be asked")]
    Outgoing(#[from] OutgoingError),
}

/// Version 1 over its objects; `None` unless it is to be spoken. `stored` is what else lies in storage: the replicas' secret.
pub(crate) fn open(
    config: &Config,
    registry: &LegacyRegistry,
    stored: &Registry,
) -> Result<Option<Version1>, Version1Error> {
    let Some(v1) = config.v1.as_ref().filter(|v1| v1.spoken) else { return Ok(None) };
    let options = V1Options {
        issue: v1.issue.clone(),
        standalone: matches!(v1.access, V1Access::Today | V1Access::Standalone),
        sign_in: sign_in(config, v1, stored)?,
        privileged_key: v1.privileged_key.as_deref().map(PrivilegedKey::read).transpose()?,
        search: v1.search,
        endpoints: v1.registry_endpoints.clone(),
        redirect: config.storage.redirect.enabled.then_some(config.storage.redirect.lifetime),
        mirror: v1.mirroring.as_ref().map(mirror).transpose()?,
        debug: v1.debug.then(|| Debugging {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            flavour: v1.flavour.clone(),
        }),
        cors: v1.cors.as_ref().map(cors),
    };
    Ok(Some(Version1 { protocol: V1::new(registry.clone(), options), alone: v1.exclusive }))
}

/// Its images, where version 2 is to show them.
pub(crate) fn shown(config: &Config, registry: &LegacyRegistry) -> Option<View> {
    let options = ViewOptions { keeps_records: !config.storage.read_only, ..ViewOptions::default() };
    config.shows_version_1().then(|| View::new(registry.clone(), options))
}

fn sign_in(config: &Config, v1: &V1Config, stored: &Registry) -> Result<SignIn, Version1Error> {
    Ok(match &v1.access {
        V1Access::Token { index_endpoint } => {
            SignIn::Index(Box::new(Index::new(outgoing()?, index_endpoint)))
        }
        // Where nobody signs in, everyone is let in.
        _ if config.auth.is_none() && config.access.is_none() => SignIn::Open,
        _ => SignIn::Today(Box::new(SharedKey::of_version_1(config, stored))),
    })
}

fn outgoing() -> Result<Outgoing, OutgoingError> {
    Outgoing::new(Proxies::from_env())
}

fn mirror(mirroring: &V1Mirroring) -> Result<Mirror, OutgoingError> {
    let options = MirrorOptions {
        source: mirroring.source.clone(),
        source_index: mirroring.source_index.clone(),
        tags_cache_ttl: mirroring.tags_cache_ttl,
    };
    Ok(Mirror::new(outgoing()?, options))
}

fn cors(cors: &V1Cors) -> Cors {
    Cors {
        origins: cors.origins.clone(),
        methods: cors.methods.clone(),
        headers: cors.headers.clone(),
        expose_headers: cors.expose_headers.clone(),
        supports_credentials: cors.supports_credentials,
        max_age: cors.max_age,
        send_wildcard: cors.send_wildcard,
        always_send: cors.always_send,
        vary_header: cors.vary_header,
    }
}
