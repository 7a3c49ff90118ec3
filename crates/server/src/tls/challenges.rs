//! What is shown to an authority that looks whose a host is (RFC 8737): a certificate of its own for each host, to who offers the
//! protocol `acme-tls/1` alone. Nobody else ever sees it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ClientHello;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

/// The protocol that an authority offers, and nobody else.
pub(crate) const PROTOCOL: &[u8] = b"acme-tls/1";

/// By the host that they are for, in lower case.
#[derive(Debug, Default)]
pub(super) struct Challenges(RwLock<HashMap<String, Arc<ServerConfig>>>);

impl Challenges {
    pub(super) fn add(
        &self,
        host: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        // Not compared with each other: rustls reads no certificate with such an extension, which is critical.
        let certified = CertifiedKey::new(vec![certificate], provider.key_provider.load_private_key(key)?);
        let mut configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        configuration.alpn_protocols = vec![PROTOCOL.to_vec()];
        let mut challenges = self.0.write().unwrap_or_else(PoisonError::into_inner);
        challenges.insert(host.to_ascii_lowercase(), Arc::new(configuration));
        Ok(())
    }

    pub(super) fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What is shown to this client; `None` if it is no authority.
    pub(super) fn configuration(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        if !hello.alpn().is_some_and(|mut offered| offered.all(|protocol| protocol == PROTOCOL)) {
            return None;
        }
        let host = hello.server_name()?.to_ascii_lowercase();
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&host).cloned()
    }
}
