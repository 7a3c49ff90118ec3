//! Keys that all replicas share without being told: made of the secret in storage, and of `http.secret` where there is one.

use std::sync::OnceLock;

use apus_auth::TokenKeys;
use apus_config::Config;
use apus_registry::{Registry, RegistryOptions};
use apus_storage::BoxError;
use apus_v1::TokenKey;
use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::options;

/// A key for one purpose.
#[derive(Debug)]
pub(crate) struct SharedKey {
    stored: Registry,
    purpose: &'static str,
}

impl SharedKey {
    /// For tokens that clients get for their password.
    pub(crate) fn of_users(config: &Config, stored: &Registry) -> Self {
        Self::new("tokens of users", config, stored)
    }

    /// For those of version 1.
    pub(crate) fn of_version_1(config: &Config, stored: &Registry) -> Self {
        Self::new("tokens of version 1", config, stored)
    }

    /// `stored` is what lies in storage, whatever is shown: a registry in which images of version 1 are shown takes no images, but a
    /// secret.
    fn new(purpose: &'static str, config: &Config, stored: &Registry) -> Self {
        let read_only = config.storage.read_only;
        let stored = stored.with_options(RegistryOptions { read_only, ..options::of_registry(config) });
        Self { stored, purpose }
    }

    async fn get(&self) -> Result<SecretSlice<u8>, BoxError> {
        match self.stored.derived_key(self.purpose).await {
            Err(apus_registry::Error::ReadOnly) => Ok(own_key()),
            key => Ok(key?),
        }
    }
}

/// For a registry in which there is no secret, and none may be made: storage is asked each time, until there is one.
fn own_key() -> SecretSlice<u8> {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        tracing::warn!(
            "the registry is read-only, and its storage has no secret yet: tokens hold in this process alone; where there are \
             several replicas, set http.secret, to 32 characters or more"
        );
        rand::random()
    });
    key.to_vec().into()
}

#[async_trait]
impl TokenKeys for SharedKey {
    async fn key(&self) -> Result<SecretSlice<u8>, BoxError> {
        self.get().await
    }
}

#[async_trait]
impl apus_v1::TokenKeys for SharedKey {
    async fn key(&self) -> Result<TokenKey, BoxError> {
        Ok(TokenKey::new(self.get().await?.expose_secret()))
    }
}
