use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http_body_util::{BodyExt, Full};

use super::*;

async fn receive(form: &str) -> Result<Form, Failure> {
    let body = Full::new(Bytes::from(form.to_owned())).map_err(|never| match never {}).boxed_unsync();
    let received =
        Received::new(&HeaderMap::new(), body, Duration::from_secs(1), Arc::new(AtomicU64::new(0)));
    Form::receive(received).await
}

/// What a form shows: the user, or what is wrong.
async fn shown(form: &str) -> String {
    match receive(form).await.and_then(|form| form.shown()) {
        Ok(Ok(Shown::Basic(credentials))) => credentials.user().to_owned(),
        Ok(Ok(other)) => format!("{other:?}"),
        Ok(Err(error)) => error.to_string(),
        Err(failure) => failure.answer().status().to_string(),
    }
}

#[tokio::test]
async fn a_form_is_read_as_clients_write_it() {
    let form = "grant_type=password&service=Apus&client_id=containerd-client&username=al%20ice&password=a%2Bb+c\
                &scope=repository%3Aa%2Fb%3Apull%2Cpush+registry:catalog:*";
    assert_eq!(shown(form).await, "al ice");
    let form = receive(form).await.unwrap();
    assert_eq!(form.value("password").as_deref(), Some("a+b c"));
    let scope: Vec<_> = form.scope().collect();
    assert_eq!(Scope(&scope).to_string(), "repository:a/b:pull,push registry:catalog:*");
}

#[tokio::test]
async fn what_is_no_sign_in_is_told() {
    const NOBODY: &str = "the credentials are not a name and a password";
    for (form, told) in [
        ("", "400 Bad Request"),
        ("grant_type=authorization_code&code=x", "400 Bad Request"),
        ("username=alice&password=x", "400 Bad Request"),
        ("grant_type=password", NOBODY),
        ("grant_type=password&username=&password=x", NOBODY),
        ("grant_type=password&username=a%0Ab&password=x", NOBODY),
        (
            &format!("grant_type=password&username=a&password={}", "x".repeat(1025)),
            "the name, the password or the token is too long",
        ),
        (&format!("grant_type=password&scope={}", "x".repeat(LONGEST_FORM)), "400 Bad Request"),
    ] {
        assert_eq!(shown(form).await, told, "{}", form.get(..40).unwrap_or(form));
    }
    let refresh = shown("grant_type=refresh_token&refresh_token=secret").await;
    assert!(refresh.starts_with("Bearer(") && !refresh.contains("secret"), "{refresh}");
}
