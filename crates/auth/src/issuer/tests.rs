use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::token::testing::now;

/// Keys that count how often they are asked for.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    /// Nothing where there is none.
    key: Vec<u8>,
    asked: Arc<AtomicU32>,
}

#[async_trait]
impl TokenKeys for Keys {
    async fn key(&self) -> Result<SecretSlice<u8>, BoxError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.key.is_empty() { Err("storage is down".into()) } else { Ok(self.key.clone().into()) }
    }
}

/// An issuer with this key; an empty one cannot be had.
pub(crate) fn issuer(key: &[u8]) -> TokenIssuer {
    TokenIssuer::new(Keys { key: key.to_vec(), ..Keys::default() })
}

const KEY: &[u8] = b"a key of thirty-two bytes exactly";

fn alice() -> Identity {
    Identity::user("alice", Vec::new())
}

async fn token() -> String {
    issuer(KEY).issue(alice(), now()).await.unwrap().text.expose_secret().to_owned()
}

/// Signed by the key, whatever it is.
fn signed(header: &str, claims: &str) -> String {
    let message = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(claims.as_bytes())
    );
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), message.as_bytes());
    format!("{message}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

#[tokio::test]
async fn a_token_says_who_it_was_made_for_in_every_replica() {
    let longest = "\"".repeat(MAX_USER_BYTES);
    for identity in [alice(), Identity::anonymous(), Identity::user(longest, Vec::new())] {
        let given = issuer(KEY).issue(identity.clone(), now()).await.unwrap();
        assert_eq!(given.identity, identity);
        assert_eq!((given.issued_at, given.lifetime), (now(), Duration::from_mins(5)));
        assert!(given.text.expose_secret().len() <= MAX_BYTES);
        let shown = issuer(KEY).verify(given.text.expose_secret(), now()).await.unwrap();
        assert_eq!(shown, identity);
    }
}

#[tokio::test]
async fn a_token_is_a_json_web_token() {
    let token = token().await;
    let parts: Vec<_> =
        token.split('.').map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).collect();
    assert_eq!(parts[0], br#"{"alg":"HS256","typ":"JWT"}"#);
    assert_eq!(parts[1], br#"{"sub":"alice","iat":1800000000,"exp":1800000300}"#);
    assert_eq!(parts[2].len(), 32);
}

#[tokio::test]
async fn its_time_is_over_after_five_minutes_and_one_for_the_clocks() {
    let token = token().await;
    let after = |seconds| now() + Duration::from_secs(seconds);
    for (when, is_good) in [(after(0), true), (after(360), true), (after(361), false)] {
        assert_eq!(issuer(KEY).verify(&token, when).await.is_ok(), is_good);
    }
    assert!(matches!(issuer(KEY).verify(&token, after(361)).await, Err(TokenError::Expired)));
    let before = |seconds| now() - Duration::from_secs(seconds);
    assert!(issuer(KEY).verify(&token, before(60)).await.is_ok());
    let early = issuer(KEY).verify(&token, before(61)).await;
    assert!(matches!(early, Err(TokenError::NotYetValid)), "a clock that was ahead makes no long token");
    let endless = signed(r#"{"alg":"HS256","typ":"JWT"}"#, &format!(r#"{{"iat":1,"exp":{}}}"#, u64::MAX));
    assert!(issuer(KEY).verify(&endless, now()).await.is_err());
}

#[tokio::test]
async fn no_other_token_is_believed() {
    let token = token().await;
    let ours = issuer(KEY);
    for cut in 0..token.len() {
        assert!(ours.verify(&token[..cut], now()).await.is_err(), "cut at {cut}");
    }
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        assert!(ours.verify(&forged, now()).await.is_err(), "changed at {at}");
    }
    let other = issuer(b"another key").verify(&token, now()).await;
    assert!(matches!(other, Err(TokenError::Signature)));
    for strange in ["", ".", "..", "a.b.c", &format!("{token}="), &"a".repeat(4096), "\u{e4}.a.b"] {
        assert!(matches!(ours.verify(strange, now()).await, Err(TokenError::Malformed(_))), "{strange}");
    }
}

#[tokio::test]
async fn a2_a_token_chooses_nothing_of_how_it_is_verified() {
    let claims = r#"{"sub":"alice","iat":1800000000,"exp":1800000300}"#;
    assert!(issuer(KEY).verify(&signed(r#"{"alg":"HS256","typ":"JWT"}"#, claims), now()).await.is_ok());
    for header in [
        r#"{"alg":"none","typ":"JWT"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS512","typ":"JWT"}"#,
        r#"{"alg":"RS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWT","kid":"a"}"#,
        "{}",
    ] {
        let shown = issuer(KEY).verify(&signed(header, claims), now()).await;
        assert!(matches!(shown, Err(TokenError::Malformed(_))), "{header}");
    }
}

#[tokio::test]
async fn nonsense_costs_no_key_and_without_a_key_nobody_is_let_in() {
    let keys = Keys::default();
    let without = TokenIssuer::new(keys.clone());
    assert!(without.verify("a.b.c", now()).await.is_err());
    assert_eq!(keys.asked.load(Ordering::Relaxed), 0);
    assert!(matches!(without.verify(&token().await, now()).await, Err(TokenError::Key(_))));
    assert!(matches!(without.issue(alice(), now()).await, Err(TokenError::Key(_))));
}

#[tokio::test]
async fn a10_nothing_shows_a_token() {
    let given = issuer(KEY).issue(alice(), now()).await.unwrap();
    let shown = format!("{given:?} {:?}", issuer(KEY));
    assert!(!shown.contains("eyJ") && !shown.contains("thirty-two"), "{shown}");
}
