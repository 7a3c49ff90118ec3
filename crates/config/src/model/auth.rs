//! `auth`: how clients prove who they are.

use std::path::PathBuf;

/// The one way to sign in that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthConfig {
    /// `auth.none`: nobody signs in, and the operator has said so.
    Nobody,
    /// `auth.htpasswd`: users and hashed passwords in a file.
    Htpasswd {
        /// `realm`: what the client shows to the person who is asked for a password.
        realm: String,
        /// `path`: the file, as Apache's `htpasswd` writes it.
        path: PathBuf,
        /// `tokens`: whether clients are asked for a token, which they get here for their password. `None` for where the policy lets
        /// somebody do something without one.
        tokens: Option<bool>,
    },
    /// `auth.token`: tokens that a token server signs.
    Token(Box<TokenAuthConfig>),
}

/// `auth.token`: where clients get their tokens, and which of them are believed. `root_cert_bundle` or `jwks` is there, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAuthConfig {
    /// `realm`: the URL at which clients ask for a token. Empty only beside `auto_redirect`.
    pub realm: String,
    /// `service`: the name of this registry, for which a token must have been made (its audience).
    pub service: String,
    /// `issuer`: who must have made the token.
    pub issuer: String,
    /// `rootcertbundle`: a PEM file of certificates that the keys of tokens are certified by.
    pub root_cert_bundle: Option<PathBuf>,
    /// `jwks`: a file with a JSON Web Key Set, RFC 7517.
    pub jwks: Option<PathBuf>,
    /// `signingalgorithms`: those that are believed, at least one. Default all.
    pub signing_algorithms: Vec<SigningAlgorithm>,
    /// `autoredirect` and `autoredirectpath`: the realm is this path, `/auth/token` by default, at the host that the request
    /// was sent to. `None` to send clients to `realm`.
    pub auto_redirect: Option<String>,
}

/// How a token may be signed, by the names of RFC 7518 and RFC 8037. None of them shares a secret with the token server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the RFCs")]
pub enum SigningAlgorithm {
    EdDsa,
    Es256,
    Es384,
    Es512,
    Ps256,
    Ps384,
    Ps512,
    Rs256,
    Rs384,
    Rs512,
}
