//! What differs between two configurations, by the names of keys: for whoever reads one again while a registry runs. Secrets
//! are compared, too, and not kept: only what this process makes of them by a key of its own, which is good for nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use crate::Loaded;
use crate::tree::{Node, Value};

static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What stands under each key, as numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fingerprints(BTreeMap<String, u64>);

impl Fingerprints {
    pub(crate) fn of(tree: &Node) -> Self {
        let mut found = BTreeMap::new();
        take(tree, "", &mut found);
        Self(found)
    }
}

fn take(node: &Node, path: &str, found: &mut BTreeMap<String, u64>) {
    match &node.value {
        Value::Scalar(scalar) => drop(found.insert(path.to_lowercase(), SEED.hash_one(&scalar.text))),
        Value::Sequence(items) => {
            for (at, item) in items.iter().enumerate() {
                take(item, &format!("{path}[{at}]"), found);
            }
        }
        Value::Mapping(entries) => {
            for entry in entries {
                let key = &entry.key;
                take(
                    &entry.node,
                    &if path.is_empty() { key.clone() } else { format!("{path}.{key}") },
                    found,
                );
            }
        }
    }
}

impl Loaded {
    /// The keys of which the two say different things, whoever says them; defaults count as said. Unknown keys are left out.
    #[must_use]
    pub fn differences(&self, other: &Self) -> BTreeSet<String> {
        let values = |loaded: &Self| {
            let settings = loaded.effective.settings().into_iter();
            settings.map(|setting| (setting.key, setting.value)).collect::<BTreeMap<_, _>>()
        };
        let (ours, theirs) = (values(self), values(other));
        let fingerprint = |loaded: &Self, key: &str| loaded.fingerprints.0.get(&key.to_lowercase()).copied();
        let differs = |key: &&String| {
            let secrets = fingerprint(self, key).zip(fingerprint(other, key));
            // What is written in another form may mean the same; a secret has only one.
            let is_hidden = ours.get(*key).is_some_and(|value| value.contains("<hidden>"));
            ours.get(*key) != theirs.get(*key)
                || (is_hidden && secrets.is_some_and(|(one, other)| one != other))
        };
        ours.keys().chain(theirs.keys()).filter(differs).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    fn differences(one: &str, other: &str) -> Vec<String> {
        let load = |text: &str| Config::parse(&format!("version: 0.1\n{text}"), "c.yml").unwrap();
        load(one).differences(&load(other)).into_iter().collect()
    }

    #[test]
    fn keys_are_named_that_say_something_else() {
        let one = "storage: inmemory\nhttp: {addr: ':5000', draintimeout: 30s, headers: {A: [b, c]}}\n";
        assert_eq!(differences(one, one), Vec::<String>::new());
        // A default that is written is still the default; an order is none.
        assert_eq!(
            differences(one, "http: {headers: {A: [b, c]}, addr: ':5000'}\nstorage: {inmemory: }\n"),
            Vec::<String>::new()
        );
        assert_eq!(
            differences(one, "storage: {filesystem: }\nhttp: {addr: ':5001', headers: {A: [b]}}\n"),
            ["http.addr", "http.headers.A[1]", "storage.filesystem.rootdirectory", "storage.inmemory"]
        );
    }

    #[test]
    fn a_secret_that_is_another_one_differs() {
        let with = |secret: &str, password: &str| {
            format!(
                "storage: {{swift: {{authurl: 'https://k/v3', username: u, Password: {password}, container: c}}}}\n\
                 http: {{secret: {secret}}}\n"
            )
        };
        assert_eq!(differences(&with("a", "p"), &with("a", "p")), Vec::<String>::new());
        assert_eq!(differences(&with("a", "p"), &with("b", "p")), ["http.secret"]);
        assert_eq!(differences(&with("a", "p"), &with("a", "q")), ["storage.swift.password"]);
        assert!(
            !format!(
                "{:?}",
                Config::parse("version: 0.1\nstorage: inmemory\nhttp: {secret: hunter2}\n", "c")
            )
            .contains("hunter2")
        );
    }
}
