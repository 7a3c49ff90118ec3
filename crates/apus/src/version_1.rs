//! From what the configuration says of version 1 to the protocol itself: who is asked, what is mirrored, where its objects lie.

use std::sync::Arc;

use apus_config::{Config, V1Access, V1Config, V1Cors, V1Mirroring};
use apus_server::Version1;
use apus_storage::Storage;
use apus_swift::Proxies;
use apus_v1::{
    Cors, Debugging, Index, Mirror, MirrorOptions, Outgoing, OutgoingError, PrivilegedKey,
    PrivilegedKeyError, SignIn, TokenKey, V1, V1Options,
};
use secrecy::ExposeSecret as _;

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

/// Version 1 over the objects of `storage`; `None` unless it is to be spoken.
pub(crate) fn open(config: &Config, storage: &Arc<dyn Storage>) -> Result<Option<Version1>, Version1Error> {
    let Some(v1) = &config.v1 else { return Ok(None) };
    let options = V1Options {
        issue: v1.issue.clone(),
        standalone: matches!(v1.access, V1Access::Today | V1Access::Standalone),
        sign_in: sign_in(config, v1)?,
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
    Ok(Some(Version1 { protocol: V1::new(Arc::clone(storage), options), alone: v1.exclusive }))
}

fn sign_in(config: &Config, v1: &V1Config) -> Result<SignIn, Version1Error> {
    Ok(match &v1.access {
        V1Access::Token { index_endpoint } => {
            SignIn::Index(Box::new(Index::new(outgoing()?, index_endpoint)))
        }
        // Where nobody signs in, everyone is let in.
        _ if config.auth.is_none() && config.access.is_none() => SignIn::Open,
        _ => SignIn::Today(match &config.http.secret {
            Some(secret) => TokenKey::new(secret.expose_secret().as_bytes()),
            None => TokenKey::random(),
        }),
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
