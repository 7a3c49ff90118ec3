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
        return Err(Refusal::unauthorized(project));
    }
    if call.header(X_AUTH_KEY) != Some(&options.password) {
        return Err(Refusal::unauthorized("unknown"));
    }
    let account = options.account();
    let (token, left) = call.fake.state().tokens.tempauth(&account, options.token_life);
    let storage_url = call.fake.storage_url(Interface::Public);
    Ok(Answer::standard(StatusCode::OK)
        .with(X_AUTH_TOKEN, value(&token))
        .with(HeaderName::from_static("x-storage-token"), value(&token))
        .with(HeaderName::from_static("x-auth-token-expires"), left.as_secs().into())
        .with(HeaderName::from_static("x-storage-url"), value(storage_url)))
}
