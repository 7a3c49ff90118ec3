//! The one question that a server asks: may this request do what it needs? How clients sign in and what the policy allows come
//! together here, and nowhere else.

use std::sync::Arc;
use std::time::SystemTime;

use secrecy::ExposeSecret as _;

use crate::authorization::{Authorization, AuthorizationError};
use crate::htpasswd::{Htpasswd, PasswordError};
use crate::issuer::{IssuedToken, TokenIssuer};
use crate::token::{Grant, TokenError, TokenVerifier};
use crate::watched::FileError;
use crate::{Access, BearerError, Challenge, Identity, Permission, Policy};

/// How clients sign in.
#[derive(Debug)]
pub enum SignIn {
    /// Not at all: everyone is anonymous, and may do what the policy allows; without a policy, everything.
    Open,
    /// By a name and a password. Without a policy, whoever has signed in may do everything, and nobody else anything.
    Htpasswd {
        /// The users.
        users: Box<Htpasswd>,
        /// What a client shows to the person who is asked.
        realm: String,
        /// Gives tokens for passwords, and to those who have none if the policy allows them something: what a client is asked
        /// for is a token then, for some find out only so that there is something to be had without a password. A password
        /// does as well as a token, everywhere. `None` to ask for passwords.
        tokens: Option<TokenIssuer>,
    },
    /// By a token, which says what it is for.
    Token {
        /// Which tokens are believed.
        verifier: Box<TokenVerifier>,
        /// The URL where tokens are to be had.
        realm: String,
    },
}

/// Decides who may do what.
#[derive(Debug)]
pub struct Gate {
    sign_in: SignIn,
    policy: Option<Arc<Policy>>,
}

/// Leave for one request. What cannot be known before storage was asked, is asked of it then.
#[derive(Debug)]
pub struct Permit {
    identity: Identity,
    policy: Option<Arc<Policy>>,
    /// What the token grants, where there is one.
    grant: Option<Grant>,
}

/// Why a request is refused, and which answer is the right one.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// 401, with this challenge.
    #[error("{reason}")]
    Challenge {
        /// What the client is told.
        challenge: Box<Challenge>,
        /// What the log is told.
        reason: ChallengeReason,
    },
    /// 403: this user may not do that, and signing in again changes nothing.
    #[error("the policy does not allow it")]
    Denied {
        /// Who asked.
        identity: Identity,
    },
    /// 503: too many passwords wait to be checked. Try again in a moment.
    #[error("too many passwords wait to be checked; try again in a moment")]
    Busy,
    /// 503: it cannot be found out, until an operator acts.
    #[error(transparent)]
    Unavailable(FileError),
    /// 503: the key of tokens cannot be read. Try again in a moment.
    #[error("the key of tokens cannot be read; try again in a moment")]
    NoKey(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a client is asked to sign in.
#[derive(Debug, thiserror::Error)]
pub enum ChallengeReason {
    /// It did not.
    #[error("signing in is needed")]
    Missing,
    /// Its header says nothing that can be used here.
    #[error(transparent)]
    Header(AuthorizationError),
    /// It signed in by a password where tokens are needed, or the other way round.
    #[error("this is not how one signs in here")]
    OtherScheme,
    /// Name or password are wrong.
    #[error(transparent)]
    Password(PasswordError),
    /// The token is not believed.
    #[error(transparent)]
    Token(TokenError),
    /// The token does not grant what is needed.
    #[error("the token does not grant what is needed")]
    Scope,
}

impl Gate {
    /// Clients sign in so, and may do what both the policy, if there is one, and their token, if they have one, allow.
    #[must_use]
    pub fn new(sign_in: SignIn, policy: Option<Policy>) -> Self {
        Self { sign_in, policy: policy.map(Arc::new) }
    }

    /// Decides on a request by its `Authorization` header, if it has one, and by what it needs. Nothing needed is what the base
    /// of the API asks, by which clients find out how to sign in: there it must have been done, whatever the policy allows to
    /// somebody anonymous.
    pub async fn authorize(
        &self,
        authorization: Option<&str>,
        needed: &[Access],
        now: SystemTime,
    ) -> Result<Permit, Refusal> {
        let refuse = |reason| self.challenge(needed, reason);
        if matches!(self.sign_in, SignIn::Open) {
            // Whatever credentials a client sends along to an open registry prove nothing.
            return self.permit(Identity::anonymous(), None, needed);
        }
        let authorization =
            Authorization::parse(authorization).map_err(|error| refuse(ChallengeReason::Header(error)))?;
        match (&self.sign_in, authorization) {
            (SignIn::Htpasswd { .. }, Authorization::None) if self.policy.is_some() && !needed.is_empty() => {
                self.permit(Identity::anonymous(), None, needed).map_err(|_| refuse(ChallengeReason::Missing))
            }
            (SignIn::Htpasswd { users, .. }, Authorization::Basic(credentials)) => {
                let identity =
                    users.verify(&credentials).await.map_err(|error| of_password(error, refuse))?;
                self.permit(identity, None, needed)
            }
            (SignIn::Htpasswd { users, tokens: Some(tokens), .. }, Authorization::Bearer(token)) => {
                let identity = self.holder(users, tokens, token.expose_secret(), now).await;
                let identity = identity.map_err(|error| of_token(error, refuse))?;
                self.permit(identity, None, needed).map_err(|refusal| match refusal {
                    Refusal::Denied { identity } if identity.is_anonymous() => refuse(ChallengeReason::Scope),
                    refusal => refusal,
                })
            }
            (SignIn::Token { verifier, .. }, Authorization::Bearer(token)) => {
                let grant = verifier.verify(token.expose_secret(), now).await;
                self.use_grant(grant.map_err(|error| of_token(error, refuse))?, needed)
            }
            (_, Authorization::None) => Err(refuse(ChallengeReason::Missing)),
            (_, Authorization::Basic(_) | Authorization::Bearer(_)) => {
                Err(refuse(ChallengeReason::OtherScheme))
            }
        }
    }

    /// Whether it gives tokens of its own: see [`SignIn::Htpasswd`].
    #[must_use]
    pub fn gives_tokens(&self) -> bool {
        matches!(self.sign_in, SignIn::Htpasswd { tokens: Some(_), .. })
    }

    /// Gives a token for a name and a password, and to somebody anonymous where the policy allows them anything. Whoever is
    /// refused is asked for a password, for here a token is of no use.
    pub async fn give_token(
        &self,
        authorization: Result<Authorization, AuthorizationError>,
        now: SystemTime,
    ) -> Result<IssuedToken, Refusal> {
        let SignIn::Htpasswd { users, realm, tokens: Some(tokens) } = &self.sign_in else {
            return Err(Refusal::Denied { identity: Identity::anonymous() });
        };
        let refuse = |reason| {
            let challenge = Box::new(Challenge::Basic { realm: realm.clone() });
            Refusal::Challenge { challenge, reason }
        };
        let identity = match authorization.map_err(|error| refuse(ChallengeReason::Header(error)))? {
            Authorization::Basic(credentials) => {
                users.verify(&credentials).await.map_err(|error| of_password(error, refuse))?
            }
            Authorization::None if self.lets_in_anonymous() => Identity::anonymous(),
            Authorization::None => return Err(refuse(ChallengeReason::Missing)),
            Authorization::Bearer(_) => return Err(refuse(ChallengeReason::OtherScheme)),
        };
        tokens.issue(identity, now).await.map_err(|error| of_token(error, refuse))
    }

    /// What of these accesses somebody may have now.
    #[must_use]
    pub fn allowed(&self, identity: &Identity, wanted: impl Iterator<Item = Access>) -> Vec<Access> {
        let allows = |access: &Access| {
            self.policy.as_ref().is_none_or(|policy| policy.allows_access(identity, access))
        };
        wanted.filter(allows).collect()
    }

    /// Who shows one of the registry's own tokens, if that is still somebody who may come in.
    async fn holder(
        &self,
        users: &Htpasswd,
        tokens: &TokenIssuer,
        token: &str,
        now: SystemTime,
    ) -> Result<Identity, TokenError> {
        let identity = tokens.verify(token, now).await?;
        let is_known = match identity.name() {
            Some(name) => users.knows(name).await?,
            None => self.lets_in_anonymous(),
        };
        if is_known { Ok(identity) } else { Err(TokenError::UserGone) }
    }

    /// Without a policy nobody gets in without a password.
    fn lets_in_anonymous(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.allows_anonymous())
    }

    /// Whether nobody can sign in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.sign_in, SignIn::Open)
    }

    /// The answer to somebody anonymous who must sign in, whatever the policy lets everyone do.
    #[must_use]
    pub fn refuse_anonymous(&self, needed: &[Access]) -> Refusal {
        self.challenge(needed, ChallengeReason::Missing)
    }

    /// Leave for what needs none: nobody is asked who they are.
    #[must_use]
    pub fn admit_unasked(&self) -> Permit {
        Permit { identity: Identity::anonymous(), policy: self.policy.clone(), grant: None }
    }

    fn use_grant(&self, grant: Grant, needed: &[Access]) -> Result<Permit, Refusal> {
        if needed.iter().all(|access| grant.allows(access)) {
            self.permit(grant.identity().clone(), Some(grant), needed)
        } else {
            Err(self.challenge(needed, ChallengeReason::Scope))
        }
    }

    fn permit(&self, identity: Identity, grant: Option<Grant>, needed: &[Access]) -> Result<Permit, Refusal> {
        let permit = Permit { identity, policy: self.policy.clone(), grant };
        if needed.iter().all(|access| permit.allows(access)) {
            Ok(permit)
        } else {
            Err(Refusal::Denied { identity: permit.identity })
        }
    }

    fn challenge(&self, needed: &[Access], reason: ChallengeReason) -> Refusal {
        let bearer = |realm: &str, service: &str| Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.to_owned(),
            scope: needed.to_vec(),
            error: match reason {
                ChallengeReason::Token(_) => Some(BearerError::InvalidToken),
                ChallengeReason::Scope => Some(BearerError::InsufficientScope),
                _ => None,
            },
        };
        let challenge = match &self.sign_in {
            // Nobody is asked to sign in where nobody can.
            SignIn::Open => return Refusal::Denied { identity: Identity::anonymous() },
            SignIn::Htpasswd { realm, tokens: None, .. } => Challenge::Basic { realm: realm.clone() },
            SignIn::Htpasswd { realm, tokens: Some(_), .. } => bearer("", realm),
            SignIn::Token { verifier, realm } => bearer(realm, verifier.service()),
        };
        Refusal::Challenge { challenge: Box::new(challenge), reason }
    }
}

/// What a failure to check a password comes to.
fn of_password(error: PasswordError, refuse: impl FnOnce(ChallengeReason) -> Refusal) -> Refusal {
    match error {
        PasswordError::Wrong => refuse(ChallengeReason::Password(error)),
        PasswordError::Busy => Refusal::Busy,
        PasswordError::File(error) => Refusal::Unavailable(error),
    }
}

/// The same of a token.
fn of_token(error: TokenError, refuse: impl FnOnce(ChallengeReason) -> Refusal) -> Refusal {
    match error {
        TokenError::File(error) => Refusal::Unavailable(error),
        TokenError::Key(error) => Refusal::NoKey(error),
        error => refuse(ChallengeReason::Token(error)),
    }
}

impl Permit {
    /// Who asks.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether this may be done as well, which the request could do without: to mount a blob from another repository.
    #[must_use]
    pub fn allows(&self, access: &Access) -> bool {
        self.grant.as_ref().is_none_or(|grant| grant.allows(access))
            && self.policy.as_ref().is_none_or(|policy| policy.allows_access(&self.identity, access))
    }

    /// Whether every repository may be read, whatever its name. Nobody has a token for that.
    #[must_use]
    pub fn may_pull_everywhere(&self) -> bool {
        self.grant.is_none()
            && self
                .policy
                .as_ref()
                .is_none_or(|policy| policy.allows_everywhere(&self.identity, Permission::Pull))
    }

    /// Whether a tag that is there may be given another meaning. To be asked by the effect: not where the tag is new, and not
    /// where it stays what it is.
    #[must_use]
    pub fn may_overwrite(&self, repository: &str, tag: &str) -> bool {
        self.policy.as_ref().is_none_or(|policy| {
            policy.allows(&self.identity, Permission::Overwrite, repository)
                && !policy.protects(repository, tag)
        })
    }

    /// Whether any tag of a repository may be taken away, so that none needs to be asked about by its name.
    #[must_use]
    pub fn may_delete_all_tags(&self, repository: &str) -> bool {
        self.policy.as_ref().is_none_or(|policy| {
            policy.allows(&self.identity, Permission::Delete, repository) && !policy.protects_any(repository)
        })
    }

    /// Whether a tag may be taken away: to be asked of the tag itself, and of every tag that goes with a manifest.
    #[must_use]
    pub fn may_delete_tag(&self, repository: &str, tag: &str) -> bool {
        self.policy.as_ref().is_none_or(|policy| {
            policy.allows(&self.identity, Permission::Delete, repository) && !policy.protects(repository, tag)
        })
    }
}

#[cfg(test)]
mod tests;
