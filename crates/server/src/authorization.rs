//! Whether a request may do what it asks for: which accesses each action needs, as registry:2 asks for them, and the answers to
//! those who lack them. Decided by the head alone, before a byte of the content is read. Who may have an access is the business
//! of [`apus_auth`].

use std::sync::Arc;
use std::time::SystemTime;

use apus_auth::{
    Access, Action as Right, Authorization as Shown, AuthorizationError, Challenge, ChallengeReason, Gate,
    Identity, IssuedToken, Permit, Refusal, SignIn,
};
use apus_registry::RepositoryName;
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};

use crate::Action;
use crate::answer::chain;
use crate::errors::{ErrorCode, Failure, RETRY_AFTER_OPERATOR};
use crate::forwarded::Forwarded;
use crate::locations::host_as_asked;
use crate::parameters::query;

/// Who may do what. Cheap to clone. The default lets everyone do everything.
#[derive(Debug, Clone)]
pub struct Authorization(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    gate: Gate,
    token_path: Option<String>,
}

impl Authorization {
    /// What this gate decides.
    ///
    /// With `token_path`, clients that need a token are sent to this path at the host that they asked, by HTTPS, as registry:2
    /// sends them with `autoredirect`; without, and where they named no host, to where the gate says.
    #[must_use]
    pub fn new(gate: Gate, token_path: Option<String>) -> Self {
        Self(Arc::new(Inner { gate, token_path }))
    }

    /// Lets a request do what it asks for, or has the answer for who asks: also who it is, as far as that was found out.
    pub(crate) async fn ask(&self, action: &Action, asking: Asking<'_>) -> Result<Permit, Refused> {
        match needed(action) {
            Some(needed) => self.ask_for(&needed, mounted(action, asking.uri), asking).await,
            None => Ok(self.unasked()),
        }
    }

    /// Leave for what nobody is asked about.
    pub(crate) fn unasked(&self) -> Permit {
        self.0.gate.admit_unasked()
    }

    /// The same for a request that needs these accesses, and could use another one.
    pub(crate) async fn ask_for(
        &self,
        needed: &[Access],
        of_use: Option<Access>,
        asking: Asking<'_>,
    ) -> Result<Permit, Refused> {
        let authorization = credentials(asking.headers)?;
        let mut refusal = match self.0.gate.authorize(authorization, needed, SystemTime::now()).await {
            Ok(permit) => return Ok(permit),
            Err(refusal) => refusal,
        };
        if let Refusal::Challenge { challenge, .. } = &mut refusal {
            self.direct(challenge, of_use, asking);
        }
        Err(refused(refusal, told(needed)))
    }

    /// Whether nobody can sign in.
    pub(crate) fn is_open(&self) -> bool {
        self.0.gate.is_open()
    }

    /// The answer to somebody anonymous who must sign in, whatever the policy lets everyone do.
    pub(crate) fn refuse_anonymous(&self, action: &Action, asking: Asking<'_>) -> Refused {
        let needed = needed(action).unwrap_or_default();
        let mut refusal = self.0.gate.refuse_anonymous(&needed);
        if let Refusal::Challenge { challenge, .. } = &mut refusal {
            self.direct(challenge, None, asking);
        }
        refused(refusal, told(&needed))
    }

    /// Whether the registry gives tokens of its own.
    pub(crate) fn gives_tokens(&self) -> bool {
        self.0.gate.gives_tokens()
    }

    /// One of them, for what a client shows of itself.
    pub(crate) async fn give_token(
        &self,
        shown: Result<Shown, AuthorizationError>,
    ) -> Result<IssuedToken, Refused> {
        let token = self.0.gate.give_token(shown, SystemTime::now()).await;
        token.map_err(|refusal| refused(refusal, Value::Null))
    }

    /// What of these accesses somebody may have now.
    pub(crate) fn allowed(&self, identity: &Identity, wanted: impl Iterator<Item = Access>) -> Vec<Access> {
        self.0.gate.allowed(identity, wanted)
    }

    /// Says in a challenge where this client is to get its token.
    fn direct(&self, challenge: &mut Challenge, of_use: Option<Access>, asking: Asking<'_>) {
        let Asking { uri, headers, forwarded, token_url } = asking;
        let Challenge::Bearer { realm, service, scope, .. } = challenge else { return };
        if self.gives_tokens() {
            let Some(url) = token_url else {
                *challenge = Challenge::Basic { realm: std::mem::take(service) };
                return;
            };
            url.clone_into(realm);
        } else if let Some(path) = &self.0.token_path
            && let Some(host) = host_as_asked(uri, headers, forwarded)
        {
            *realm = format!("https://{host}{path}");
        }
        // A client that will mount does well to ask for that at once.
        scope.extend(of_use);
    }
}

/// The answer to a refusal. It has been told in the log then.
fn refused(refusal: Refusal, told: Value) -> Refused {
    if let Refusal::Denied { identity } = &refusal {
        tracing::Span::current().record("auth.user.name", identity.name());
    }
    log(&refusal);
    let unavailable =
        |message: String| Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message);
    match refusal {
        Refusal::Challenge { challenge, reason } => {
            Failure::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message(&reason))
                .detail(told)
                .challenge(challenge.to_string())
                .into()
        }
        Refusal::Denied { identity } => Refused {
            failure: Failure::new(StatusCode::FORBIDDEN, ErrorCode::Denied, DENIED).detail(told),
            identity: Some(identity),
        },
        Refusal::Busy | Refusal::NoKey(_) => unavailable(refusal.to_string()).into(),
        Refusal::Unavailable(_) => {
            unavailable("the registry cannot find out who may come in; its operator must act".to_owned())
                .retry_after(RETRY_AFTER_OPERATOR)
                .into()
        }
    }
}

/// A request, as far as letting it in depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) forwarded: Option<&'a Forwarded>,
    /// Where the registry's own tokens are to be had. `None` where there are none; also for clients that know nothing of tokens, and
    /// for those that named no host: they are asked for a password.
    pub(crate) token_url: Option<&'a str>,
}

impl Default for Authorization {
    fn default() -> Self {
        Self::new(Gate::new(SignIn::Open, None), None)
    }
}

/// registry:2's words.
pub(crate) const DENIED: &str = "requested access to the resource is denied";

/// A request that may not do what it asks for.
pub(crate) struct Refused {
    pub(crate) failure: Failure,
    /// Who asks, where that was proven.
    pub(crate) identity: Option<Identity>,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, identity: None }
    }
}

/// The accesses without which an action is not begun; `None` where nobody is asked who they are. They are those of registry:2,
/// but that an upload is cancelled by who may push it.
fn needed(action: &Action) -> Option<Vec<Access>> {
    let of = |name: &RepositoryName, rights: &[Right]| {
        Some(rights.iter().map(|right| Access::repository(name.as_str(), *right)).collect())
    };
    match action {
        // For load balancers that ask whether somebody is there; and to find out who it is, is what a token is for.
        Action::Root | Action::GiveToken => None,
        Action::Base => Some(Vec::new()),
        Action::ListRepositories => Some(vec![Access::catalog()]),
        Action::ListReferrers(name, _)
        | Action::ListTags(name)
        | Action::GetManifest(name, _)
        | Action::GetBlob(name, ..)
        | Action::UploadStatus(name, _) => of(name, &[Right::Pull]),
        Action::PutManifest(name, _)
        | Action::StartUpload(name)
        | Action::AppendUpload(name, _)
        | Action::FinishUpload(name, _)
        | Action::CancelUpload(name, _) => of(name, &[Right::Pull, Right::Push]),
        Action::DeleteManifest(name, _) | Action::DeleteBlob(name, _) => of(name, &[Right::Delete]),
    }
}

/// What a request to mount a blob needs in the other repository. Without it, it is an ordinary upload.
fn mounted(action: &Action, uri: &Uri) -> Option<Access> {
    let Action::StartUpload(_) = action else { return None };
    query(uri, "mount")?;
    let from = RepositoryName::parse(&query(uri, "from")?).ok()?;
    Some(Access::repository(from.as_str(), Right::Pull))
}

/// The text of the header `Authorization`. One that is no text proves as little as an empty one, but is not absent.
pub(crate) fn credentials(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next().map(|value| value.to_str().unwrap_or_default());
    if values.next().is_some() {
        let message = "a request has one Authorization header at most";
        return Err(Failure::new(StatusCode::BAD_REQUEST, ErrorCode::Unauthorized, message));
    }
    Ok(first)
}

/// What was asked for, in the form of registry:2.
fn told(needed: &[Access]) -> Value {
    if needed.is_empty() {
        return Value::Null;
    }
    let access = |access: &Access| json!({ "Type": access.resource.as_str(), "Class": "", "Name": access.name, "Action": access.action.as_str() });
    needed.iter().map(access).collect()
}

/// What a client is told: registry:2's words, and why where that helps and gives nothing away.
fn message(reason: &ChallengeReason) -> String {
    match reason {
        ChallengeReason::Missing => "authentication required".to_owned(),
        ChallengeReason::Token(_) => "authentication required: the token is not accepted".to_owned(),
        ChallengeReason::Header(_)
        | ChallengeReason::OtherScheme
        | ChallengeReason::Password(_)
        | ChallengeReason::Scope => format!("authentication required: {reason}"),
    }
}

fn log(refusal: &Refusal) {
    match refusal {
        // How every client begins.
        Refusal::Challenge {
            reason: reason @ (ChallengeReason::Missing | ChallengeReason::Scope), ..
        } => {
            tracing::debug!(%reason, "asked to sign in");
        }
        Refusal::Challenge { reason, .. } => tracing::warn!(%reason, "asked to sign in"),
        Refusal::Denied { .. } => tracing::warn!(reason = %refusal, "denied"),
        Refusal::Busy => tracing::warn!("{refusal}"),
        Refusal::Unavailable(error) => tracing::error!(%error, "nobody can be let in"),
        Refusal::NoKey(error) => {
            tracing::error!(error = %chain(&**error), "nobody can be let in by a token");
        }
    }
}

#[cfg(test)]
mod tests;
