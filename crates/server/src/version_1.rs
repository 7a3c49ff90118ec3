//! Version 1 of the protocol, for those who still speak it: its requests are handed to [`apus_v1`], and its answers come back in
//! the form that all answers have here.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use apus_auth::{Access, Action, Permit};
use apus_storage::BoxError;
use apus_v1::{Call, Content, Needs, Reply, Right, TagRights, V1};
use bytes::Bytes;
use http::uri::Authority;
use http::{Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;

use crate::App;
use crate::answer::{Answer, AnswerBody, AskedBy};
use crate::authorization::{Asking, Refused};
use crate::errors::{ErrorCode, Failure};
use crate::forwarded::{Forwarded, host};
use crate::limits::Client;
use crate::parameters::text;
use crate::received::Received;

/// A repository that no policy names: who may do something to it may do it to any.
const ANY_REPOSITORY: &str = "_v1/any/repository";

/// Version 1 beside today's protocol, or in its place.
#[derive(Debug, Clone)]
pub struct Version1 {
    /// The protocol.
    pub protocol: V1,
    /// Whether it is all that is spoken: `/v2/` is not found then, by which clients know that they have to speak version 1.
    pub alone: bool,
}

impl Version1 {
    /// Whether a path is version 1's to answer.
    pub(crate) fn takes(&self, path: &str) -> bool {
        self.alone || V1::is_path(path)
    }
}

impl App {
    /// The path that version 1 is to answer, if it is one of its paths.
    pub(crate) fn version_1<'a>(&self, path: &'a str) -> Option<(&Version1, &'a str)> {
        let version_1 = self.options().version_1.as_ref()?;
        let path = path.strip_prefix(self.options().prefix.as_str())?;
        version_1.takes(path).then_some((version_1, path))
    }

    pub(crate) async fn answer_version_1<B>(
        &self,
        protocol: &V1,
        path: String,
        request: Request<B>,
        read: Arc<AtomicU64>,
    ) -> Answer
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let label = V1::label(&path);
        tracing::Span::current().record("action", label);
        let forwarded = parts.extensions.get::<Forwarded>();
        let client = forwarded.map(|forwarded| Client::of(forwarded.client));
        // Load balancers ask for these, all from a few addresses.
        if let Some(client) = client.filter(|_| !matches!(label, "root" | "v1_ping"))
            && let Err(too_much) = self.limits().request(client)
        {
            return Failure::from(too_much).answer_in_version_1();
        }
        let authorization = &self.options().authorization;
        let needs = match protocol.needs(&parts.method, &path, &parts.headers).await {
            Ok(needs) => needs,
            Err(error) => {
                let error = &*error as &dyn std::error::Error;
                tracing::warn!(error, "the key of version 1's tokens cannot be read");
                let message = "the key of tokens cannot be read; try again";
                let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message);
                return failure.answer_in_version_1();
            }
        };
        let permit = match accesses(needs) {
            // A token does not say whose it is: of what is not asked for in advance it grants what anybody may.
            None => authorization.unasked(),
            Some(needed) => {
                // Its clients know nothing of these tokens.
                let (uri, headers) = (&parts.uri, &parts.headers);
                let asking = Asking { uri, headers, forwarded, token_url: None };
                match authorization.ask_for(&needed, None, asking).await {
                    Ok(permit) => permit,
                    Err(Refused { failure, identity }) => {
                        return failure.answer_in_version_1().asked_by(identity);
                    }
                }
            }
        };
        let identity = permit.identity().clone();
        let user = identity.name().map(Client::named);
        if let Some(user) = user
            && let Err(too_much) = self.limits().request(user)
        {
            return Failure::from(too_much).answer_in_version_1().asked_by(Some(identity));
        }
        let asked = || {
            let authority = parts.uri.authority().map(Authority::as_str);
            authority.or_else(|| text(&parts.headers, header::HOST)).and_then(host)
        };
        let host = forwarded.and_then(|forwarded| forwarded.host.clone()).or_else(asked);
        let body = body.map_err(Into::into).boxed_unsync();
        let received = Received::new(&parts.headers, body, self.options().idle_timeout, read);
        let takes_layer = label == "v1_layer" && parts.method == Method::PUT && received.length != Some(0);
        let _place = match user.or(client).filter(|_| takes_layer) {
            None => None,
            Some(client) => match self.limits().upload(client).await {
                Ok(place) => Some(place),
                Err(too_much) => {
                    return Failure::from(too_much).answer_in_version_1().asked_by(Some(identity));
                }
            },
        };
        let call = Call {
            method: parts.method,
            path,
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers,
            host,
            signed_in: !identity.is_anonymous(),
            tags: tag_rights(permit),
            length: received.length,
            body: received.into_stream(),
        };
        answer(protocol.answer(call).await).asked_by(Some(identity))
    }
}

pub(crate) fn answer(reply: Reply) -> Answer {
    let (head, content) = reply.into_parts();
    let body = match content {
        Content::Empty => AnswerBody::empty(),
        Content::Bytes(bytes) => bytes.into(),
        Content::Stream(length, stream) => AnswerBody::stream(length, stream),
    };
    Response::from_parts(head, body)
}

fn tag_rights(permit: Permit) -> TagRights {
    let permit = Arc::new(permit);
    let same = Arc::clone(&permit);
    TagRights {
        overwrite: Box::new(move |repository, tag| permit.may_overwrite(repository, tag)),
        delete: Box::new(move |repository, tag| same.may_delete_tag(repository, tag)),
    }
}

/// What is asked of today's sign-in; `None` where nothing is.
fn accesses(needs: Needs) -> Option<Vec<Access>> {
    let of = |name: &str, right| {
        let rights: &[Action] = match right {
            Right::Read => &[Action::Pull],
            Right::Write => &[Action::Pull, Action::Push],
            Right::Delete => &[Action::Delete],
        };
        Some(rights.iter().map(|right| Access::repository(name, *right)).collect())
    };
    match needs {
        Needs::Nothing => None,
        Needs::SignedIn => Some(Vec::new()),
        Needs::Catalog => Some(vec![Access::catalog()]),
        Needs::Repository(name, right) => of(&name, right),
        Needs::AnyRepository(right) => of(ANY_REPOSITORY, right),
    }
}
