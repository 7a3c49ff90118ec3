//! TempAuth's sign-in, version 1: a GET with user and key, answered by a token and the address of the account.

use http::{HeaderName, Method, StatusCode};

use crate::answer::{Answer, Handled, Refusal, value};
use crate::log::Interface;
use crate::request::Call;
use crate::tokens::X_AUTH_TOKEN;

const X_AUTH_USER: HeaderName = HeaderName::from_static("x-auth-user");
const X_AUTH_KEY: HeaderName = HeaderName::from_static("x-auth-key");

pub(crate) fn handle(call: &Call) -> Handled {
    if call.method != Method::GET {
        return Err(Refusal::standard(StatusCode::METHOD_NOT_ALLOWED));
    }
    let options = &call.fake.options;
    let Some((project, user)) = call.header(X_AUTH_USER).and_then(|text| text.split_once(':')) else {
        return Err(Refusal::unauthorized("unknown"));
    };
    if (project, user) != (&options.project, &options.user) {
        return Err(if options.is_ceph() {
            Refusal::standard(StatusCode::FORBIDDEN)
        } else {
            Refusal::unauthorized(project)
        });
    }
    if call.header(X_AUTH_KEY) != Some(&options.password) {
        return Err(Refusal::unauthorized("unknown"));
    }
    let account = options.account();
    let storage_url = call.fake.storage_url(Interface::Public);
    if options.is_ceph() {
        let token = call.fake.state().tokens.gateway(&account, options.token_life);
        return Ok(signed_in(StatusCode::NO_CONTENT, &token, &storage_url));
    }
    let (token, left) = call.fake.state().tokens.tempauth(&account, options.token_life);
    let expires = HeaderName::from_static("x-auth-token-expires");
    Ok(signed_in(StatusCode::OK, &token, &storage_url).with(expires, left.as_secs().into()))
}

fn signed_in(status: StatusCode, token: &str, storage_url: &str) -> Answer {
    Answer::standard(status)
        .with(X_AUTH_TOKEN, value(token))
        .with(HeaderName::from_static("x-storage-token"), value(token))
        .with(HeaderName::from_static("x-storage-url"), value(storage_url))
}
