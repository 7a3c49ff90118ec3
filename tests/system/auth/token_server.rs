//! Tokens as a token server signs them, by the distribution project's specification of token authentication.

use std::path::PathBuf;
use std::time::SystemTime;

use data_encoding::BASE64URL_NOPAD;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(super) const ISSUER: &str = "a token server of the tests";
pub(super) const SERVICE: &str = "registry.example";

/// Signs tokens, and puts the key by which they are believed into a file.
pub(super) struct Signer {
    pair: KeyPair,
    directory: TempDir,
}

impl Signer {
    pub(super) fn new() -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let signer = Self { pair, directory };
        std::fs::write(signer.key_set(), json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
        signer
    }

    /// Its public key (RFC 8037).
    pub(super) fn jwk(&self) -> Value {
        let x = BASE64URL_NOPAD.encode(self.pair.der_bytes());
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "tests", "x": x })
    }

    fn key_set(&self) -> PathBuf {
        self.directory.path().join("jwks.json")
    }

    /// The section `auth` of a registry that believes it; `realm` is where it sends its clients.
    pub(super) fn auth(&self, realm: &str) -> String {
        let jwks = self.key_set();
        format!(
            "auth:\n  token: {{realm: '{realm}', service: {SERVICE}, issuer: {ISSUER}, jwks: {}}}\n",
            jwks.display()
        )
    }

    /// A token with this header and these claims.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// A token for a user that grants what these scopes say, such as `repository:a/b:pull,push`.
    pub(super) fn token(&self, user: &str, scopes: &[&str]) -> String {
        self.token_with(user, scopes, &json!({}))
    }

    /// The same, with more claims.
    pub(super) fn token_with(&self, user: &str, scopes: &[&str], more: &Value) -> String {
        let access = scopes.iter().map(|scope| {
            let (kind, rest) = scope.split_once(':').unwrap();
            let (name, actions) = rest.rsplit_once(':').unwrap();
            let actions: Vec<&str> = actions.split(',').filter(|action| !action.is_empty()).collect();
            json!({ "type": kind, "name": name, "actions": actions })
        });
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": ISSUER, "sub": user, "aud": SERVICE, "exp": now + 300, "nbf": now - 5, "iat": now,
            "jti": rand::random::<u64>().to_string(), "access": access.collect::<Vec<_>>(),
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.sign(&json!({ "typ": "JWT", "alg": "EdDSA", "kid": "tests" }), &claims)
    }
}
