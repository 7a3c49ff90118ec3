//! Who may do what in a registry. A server hands in the text of the `Authorization` header, what the request needs and the
//! time; it gets a [`Permit`], or a [`Refusal`] with the answer that is the right one.
//!
//! | room | what lives there |
//! |---|---|
//! | [`Gate`], [`Permit`], [`Refusal`] | the one question that a server asks, and its answers |
//! | [`Access`], [`Identity`] | what is asked for, and who asks |
//! | [`Htpasswd`] | users and hashed passwords in a file |
//! | [`TokenVerifier`] | tokens that a token server signs |
//! | [`TokenIssuer`] | tokens of the registry's own, for passwords |
//! | [`Policy`], [`Pattern`] | what the operator allows; never more than a token grants |
//! | [`Challenge`] | the `WWW-Authenticate` header |
//!
//! Nothing here knows an HTTP server, the configuration's file or storage. There is no default user and no default password;
//! files that say who may come in are read again when they change, and while one cannot be read nobody comes in by it. What
//! was proven holds for the request that proved it.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use apus_auth::{Access, Action, Gate, Identity, Permission, Policy, Rule, SignIn, Who};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let everyone_may_read = Rule {
//!     who: vec![Who::Everyone],
//!     may: vec![Permission::Pull],
//!     repositories: vec!["public/**".parse()?],
//! };
//! let policy = Policy { rules: vec![everyone_may_read], ..Policy::default() };
//! let gate = Gate::new(SignIn::Open, Some(policy));
//!
//! let pull = [Access::repository("public/swift", Action::Pull)];
//! let permit = gate.authorize(None, &pull, SystemTime::now()).await?;
//! assert_eq!(permit.identity(), &Identity::anonymous());
//! assert!(!permit.may_overwrite("public/swift", "latest"));
//! # Ok(())
//! # }
//! ```

mod access;
mod authorization;
mod challenge;
mod gate;
mod htpasswd;
mod issuer;
mod policy;
mod token;
mod watched;

pub use access::{Access, Action, Identity, ResourceType, Scope};
pub use authorization::{
    Authorization, AuthorizationError, BasicCredentials, MAX_PASSWORD_BYTES, MAX_TOKEN_BYTES, MAX_USER_BYTES,
};
pub use challenge::{BearerError, Challenge};
pub use gate::{ChallengeReason, Gate, Permit, Refusal, SignIn};
pub use htpasswd::{Htpasswd, PasswordError};
pub use issuer::{IssuedToken, TokenIssuer, TokenKeys};
pub use policy::{Pattern, PatternError, Permission, Policy, ProtectedTags, Rule, Who};
pub use token::{Grant, SigningAlgorithm, TokenError, TokenOptions, TokenVerifier};
pub use watched::FileError;
