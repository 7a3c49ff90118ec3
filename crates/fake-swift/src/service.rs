//! The way of a request through the store: logged, perhaps taken by a fault, handed to who knows about its path.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, ETAG};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::answer::{Answer, Handled, Refusal, value};
use crate::body::RequestBody;
use crate::faults::Action;
use crate::log::{Interface, RequestRecord};
use crate::options::Feature;
use crate::request::{Call, Query, Target};
use crate::sending::{AnswerBody, Broken, Pace};
use crate::server::Shared;
use crate::tokens::Caller;
use crate::{account, auth, bulk, ceph, container, info, keystone, object, tempurl};

/// Answers a request, or has the connection closed.
pub(crate) async fn serve(
    fake: Arc<Shared>,
    interface: Interface,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Broken> {
    let (head, incoming) = request.into_parts();
    let transaction = fake.next_transaction();
    let caller = fake.state().tokens.caller(&head.headers);
    let authenticated = matches!(caller, Caller::Project(_) | Caller::NoProject);
    let target = Target::parse(head.uri.path(), &fake.options);
    let ticket =
        fake.log.arrived(RequestRecord::new(&head, target.kind(), interface, authenticated, &transaction));
    let path_and_query = head.uri.path_and_query().map_or("", |whole| whole.as_str());
    let fault = fake.faults.strike(&head.method, path_and_query);

    let mut call = Call {
        fake: Arc::clone(&fake),
        query: Query::parse(head.uri.query().unwrap_or_default()),
        body: RequestBody::new(incoming, &head.headers),
        method: head.method,
        headers: head.headers,
        caller,
        replica: None,
        overtaken_by: None,
    };
    let mut answer = answer_or_fail(&mut call, &target, fault).await;
    if let Some(answer) = &mut answer
        && fake.options.is_ceph()
    {
        ceph::speak(&target, answer);
    }
    let status = answer.as_ref().map(|answer| answer.status);
    fake.log.complete(ticket, |record| {
        record.body_bytes = call.body.received();
        record.status = status;
    });
    call.body.let_go();
    let mut answer = answer.ok_or(Broken)?;
    for name in ["x-trans-id", "x-openstack-request-id"] {
        answer.headers.insert(HeaderName::from_static(name), value(&transaction));
    }
    if fake.options.quoted_etags
        && let Some(etag) = answer.headers.get_mut(ETAG)
        && !etag.as_bytes().starts_with(b"\"")
    {
        *etag = value([b"\"", etag.as_bytes(), b"\""].concat());
    }
    Ok(answer.into_response(&call.method))
}

/// The answer as the fault, if there is one, leaves it; `None` to close the connection.
async fn answer_or_fail(call: &mut Call, target: &Target, fault: Option<Action>) -> Option<Answer> {
    match fault {
        None => Some(answer(call, target).await),
        Some(Action::Status(status, headers)) => Some(failure(target, status, headers)),
        Some(Action::DoneButStatus(status)) => {
            answer(call, target).await;
            Some(failure(target, status, HeaderMap::new()))
        }
        Some(Action::Reset) => None,
        Some(Action::ResetAfterDone) => {
            answer(call, target).await;
            None
        }
        Some(Action::CutRequestBody(bytes)) => {
            call.body.cut_after(bytes);
            let answer = answer(call, target).await;
            (!call.body.was_cut()).then_some(answer)
        }
        Some(Action::LoseRequestBody(bytes)) => {
            call.body.keep(bytes);
            Some(answer(call, target).await)
        }
        Some(Action::ExpireTokens) => {
            expire_tokens(call);
            Some(answer(call, target).await)
        }
        Some(Action::ExpireTokensInBody(bytes)) => Some(answer_and_expire(call, target, bytes).await),
        Some(Action::Overtaken(by)) => {
            call.overtaken_by = Some(by);
            Some(answer(call, target).await)
        }
        Some(Action::AnsweredBy(replica)) => {
            call.replica = Some(replica);
            Some(answer(call, target).await)
        }
        Some(Action::Delay(time)) => {
            tokio::time::sleep(time).await;
            Some(answer(call, target).await)
        }
        Some(Action::DelayAnswer(time)) => {
            let answer = answer(call, target).await;
            tokio::time::sleep(time).await;
            Some(answer)
        }
        Some(Action::Trickle(bytes, pause)) => {
            let mut answer = answer(call, target).await;
            answer.payload.pace = Pace::Trickle { bytes, pause };
            Some(answer)
        }
        Some(Action::Stall(after, pause)) => {
            let mut answer = answer(call, target).await;
            answer.payload.pace = Pace::Stall { after, pause };
            Some(answer)
        }
        Some(Action::TruncateBody(bytes)) => {
            let mut answer = answer(call, target).await;
            answer.payload.truncate(bytes);
            Some(answer)
        }
        Some(Action::AnswerHeader(name, value)) => {
            let mut answer = answer(call, target).await;
            if name == CONTENT_LENGTH {
                answer.payload.length = None;
            }
            match value {
                Some(value) => answer.headers.insert(name, value),
                None => answer.headers.remove(name),
            };
            Some(answer)
        }
    }
}

fn expire_tokens(call: &mut Call) {
    let mut state = call.fake.state();
    state.tokens.expire();
    call.caller = state.tokens.caller(&call.headers);
}

/// The tokens expire in the middle of the request's body, or else of the answer's.
async fn answer_and_expire(call: &mut Call, target: &Target, bytes: u64) -> Answer {
    call.body.cut_after(bytes);
    let mut answer = answer(call, target).await;
    if call.body.was_cut() {
        expire_tokens(call);
        return call.authorize(target.account().unwrap_or("unknown")).err().map_or(answer, Answer::from);
    }
    if call.body.received() == 0 && answer.payload.available() > bytes {
        expire_tokens(call);
        answer.payload.truncate(bytes);
    }
    answer
}

fn failure(target: &Target, status: StatusCode, headers: HeaderMap) -> Answer {
    let mut answer = match target {
        Target::Keystone(..) => keystone::failure(status),
        _ if status == StatusCode::UNAUTHORIZED => {
            Refusal::unauthorized(target.account().unwrap_or("unknown")).into()
        }
        _ => Answer::standard(status),
    };
    answer.headers.extend(headers);
    answer
}

async fn answer(call: &mut Call, target: &Target) -> Answer {
    if let Target::Keystone(version, rest) = target {
        return keystone::handle(call, *version, rest).await;
    }
    let is_stranger =
        matches!(call.caller, Caller::Rejected | Caller::Anonymous) && !tempurl::is_signed(call);
    if is_stranger
        && call.fake.options.is_ceph()
        && let Some(account) = target.account()
        && let Err(refusal) = call.authorize(account)
    {
        return refusal.into();
    }
    // Before anyone asks who the caller is: each single delete does.
    if call.query.has("bulk-delete")
        && call.fake.options.has(Feature::BulkDelete)
        && (call.method == Method::POST || call.method == Method::DELETE)
        && let Some(account) = target.account()
    {
        return bulk::handle(call, account).await;
    }
    route(call, target).await.unwrap_or_else(Answer::from)
}

async fn route(call: &mut Call, target: &Target) -> Handled {
    match tempurl::admit(call, target)? {
        None => handle(call, target).await,
        Some(pass) => {
            let mut answer = handle(call, target).await.unwrap_or_else(Answer::from);
            tempurl::dress(call, &pass, &mut answer);
            Ok(answer)
        }
    }
}

async fn handle(call: &mut Call, target: &Target) -> Handled {
    let storage = target.kind().is_storage();
    if storage && call.caller == Caller::Rejected {
        return Err(Refusal::unauthorized(target.account().unwrap_or("unknown")));
    }
    if storage && ["version-id", "extract-archive"].iter().any(|key| call.query.has(key)) {
        return Err(Refusal::not_modelled("versions and archives"));
    }
    if call.method == Method::OPTIONS {
        return Err(Refusal::not_modelled("cross-origin requests"));
    }
    match target {
        Target::SignInV1 => auth::handle(call),
        Target::Info => info::handle(call),
        Target::Account(account) => account::handle(call, account),
        Target::Container(at) => container::handle(call, at),
        Target::Object(at) => object::handle(call, at).await,
        Target::NotText => {
            Err(Refusal::html(StatusCode::PRECONDITION_FAILED, "Invalid UTF8 or contains NULL"))
        }
        Target::BadUrl => Err(Refusal::html(StatusCode::PRECONDITION_FAILED, "Bad URL")),
        Target::NoSignIn => Err(Refusal::standard(StatusCode::BAD_REQUEST)),
        Target::Keystone(..) | Target::Nothing => Err(Refusal::standard(StatusCode::NOT_FOUND)),
    }
}
