//! The keys that a cluster checks signatures with: two of the container, two of the account. A key that is there is used,
//! and is never overwritten. Two of them exist so that one can be replaced while the other still serves.

use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::options::TemporaryUrlScope;
use crate::client::Container;
use crate::client::usage::Level;
use crate::error::Result;

/// Where a key is kept.
type Slot = &'static str;

const CONTAINER: [Slot; 2] = ["x-container-meta-temp-url-key", "x-container-meta-temp-url-key-2"];
const ACCOUNT: [Slot; 2] = ["x-account-meta-temp-url-key", "x-account-meta-temp-url-key-2"];

impl TemporaryUrlScope {
    fn level(self) -> Level {
        match self {
            Self::Container => Level::Container,
            Self::Account => Level::Account,
        }
    }

    fn slots(self) -> [Slot; 2] {
        match self {
            Self::Container => CONTAINER,
            Self::Account => ACCOUNT,
        }
    }
}

/// What was found. A user who does not own the account is shown no keys, be there some or not.
pub(super) struct Keys {
    pub(super) found: Vec<SecretString>,
    pub(super) free: Option<Slot>,
}

impl Keys {
    pub(super) async fn of(container: &Container, scope: TemporaryUrlScope) -> Result<Self> {
        let headers = container.said_of(scope.level()).await?.unwrap_or_default();
        Ok(Self::read(&headers, scope))
    }

    fn read(headers: &HeaderMap, scope: TemporaryUrlScope) -> Self {
        let taken = |slot: &&str| headers.get(*slot).is_some_and(|value| !value.is_empty());
        let keys = scope.slots().into_iter().filter(taken).filter_map(|slot| {
            // A key that is no text cannot be held by those who hold texts, and would be of no use to clients either.
            String::from_utf8(headers.get(slot)?.as_bytes().to_vec()).ok().map(SecretString::from)
        });
        Self { found: keys.collect(), free: scope.slots().into_iter().find(|slot| !taken(slot)) }
    }
}

pub(super) fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

pub(super) fn contains(keys: &[SecretString], key: &SecretString) -> bool {
    keys.iter().any(|found| same(found, key))
}

/// Sets a key where none is. A user without the right to may be told that it was done; only looking again shows it.
pub(super) async fn set(
    container: &Container,
    scope: TemporaryUrlScope,
    slot: Slot,
    key: &SecretString,
) -> Result<()> {
    // What is no header was refused with the configuration.
    let Ok(mut value) = HeaderValue::from_str(key.expose_secret()) else { return Ok(()) };
    value.set_sensitive(true);
    container.say_of(scope.level(), slot, value).await
}

/// A key that nobody can guess.
pub(super) fn random() -> SecretString {
    data_encoding::HEXLOWER.encode(&rand::random::<[u8; 32]>()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &'static str)]) -> Keys {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
        Keys::read(&headers.collect(), TemporaryUrlScope::Container)
    }

    #[test]
    fn both_keys_are_found_and_the_free_place_is_told() {
        let none = read(&[("x-account-meta-temp-url-key", "a")]);
        assert_eq!((none.found.len(), none.free), (0, Some(CONTAINER[0])));
        let first = read(&[(CONTAINER[0], "a")]);
        assert_eq!((first.found.len(), first.free), (1, Some(CONTAINER[1])));
        let second = read(&[(CONTAINER[0], ""), (CONTAINER[1], "b")]);
        assert_eq!((second.found.len(), second.free), (1, Some(CONTAINER[0])));
        assert!(contains(&second.found, &"b".into()) && !contains(&second.found, &"a".into()));
        let both = read(&[(CONTAINER[0], "a"), (CONTAINER[1], "b")]);
        assert_eq!((both.found.len(), both.free), (2, None));
    }

    #[test]
    fn no_two_random_keys_are_the_same() {
        assert_ne!(random().expose_secret(), random().expose_secret());
        assert_eq!(random().expose_secret().len(), 64);
    }
}
