//! Whether a request may do what it asks for: which accesses each action needs, as registry:2 asks for them, and the answers to
//! those who lack them. Decided by the head alone, before a byte of the content is read. Who may have an access is the business
//! of [`apus_auth`].

use std::sync::Arc;
use std::time::SystemTime;

use apus_auth::{
    Access, Action as Right, Challenge, ChallengeReason, Gate, Identity, Permit, Refusal, SignIn,
};
use apus_registry::RepositoryName;
use http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};

use crate::Action;
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
    pub(crate) async fn ask(
        &self,
        action: &Action,
        uri: &Uri,
        headers: &HeaderMap,
        forwarded: Option<&Forwarded>,
    ) -> Result<Permit, Refused> {
        match needed(action) {
            Some(needed) => self.ask_for(&needed, mounted(action, uri), uri, headers, forwarded).await,
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
        uri: &Uri,
        headers: &HeaderMap,
        forwarded: Option<&Forwarded>,
    ) -> Result<Permit, Refused> {
        let Inner { gate, token_path } = &*self.0;
        let authorization = credentials(headers)?;
        let refusal = match gate.authorize(authorization, needed, SystemTime::now()).await {
            Ok(permit) => return Ok(permit),
            Err(refusal) => refusal,
        };
        if let Refusal::Denied { identity } = &refusal {
            tracing::Span::current().record("auth.user.name", identity.name());
        }
        log(&refusal);
        let told = told(needed);
        Err(match refusal {
            Refusal::Challenge { mut challenge, reason } => {
                if let Challenge::Bearer { realm, scope, .. } = &mut *challenge {
                    // A client that will mount does well to ask for that at once.
                    scope.extend(of_use);
                    let host = token_path.as_ref().and_then(|_| host_as_asked(uri, headers, forwarded));
                    if let (Some(path), Some(host)) = (token_path, host) {
                        *realm = format!("https://{host}{path}");
                    }
                }
                let message = message(&reason);
                Failure::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
                    .detail(told)
                    .challenge(challenge.to_string())
                    .into()
            }
            Refusal::Denied { identity } => Refused {
                failure: Failure::new(StatusCode::FORBIDDEN, ErrorCode::Denied, DENIED).detail(told),
                identity: Some(identity),
            },
            Refusal::Busy => {
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, refusal.to_string())
                    .into()
            }
            Refusal::Unavailable(_) => {
                let message = "the registry cannot find out who may come in; its operator must act";
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
                    .retry_after(RETRY_AFTER_OPERATOR)
                    .into()
            }
        })
    }
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
        // For load balancers that ask whether somebody is there.
        Action::Root => None,
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
fn credentials(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
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
    }
}

#[cfg(test)]
mod tests;
