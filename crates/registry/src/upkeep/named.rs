//! What a manifest names, as a collector of garbage must see it: rather too much than too little. Any member `digest` or
//! `blobSum`, at any depth, of any manifest past, present or to come, keeps what it names: layers that may lie elsewhere,
//! the `fsLayers` of schema 1, fields that no specification knows yet.

use serde_json::Value;

use crate::Digest;

/// What a manifest names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// All that it names, manifests too, but not its subject.
    pub(super) all: Vec<Digest>,
    /// Of these, what it has in its list of manifests. Mostly that is what they are.
    pub(super) manifests: Vec<Digest>,
    /// The manifest that it says something about. To be a subject keeps nothing.
    pub(super) subject: Option<Digest>,
}

impl Named {
    /// Reads a manifest; the reason where it is none.
    pub(super) fn by(content: &[u8]) -> Result<Self, String> {
        let document: Value =
            serde_json::from_slice(content).map_err(|error| format!("it is no manifest in JSON: {error}"))?;
        let Value::Object(document) = document else { return Err("it is no JSON object".to_owned()) };
        let mut named = Self::default();
        for (key, value) in &document {
            match (&**key, value) {
                ("subject", Value::Object(subject)) => {
                    named.subject = subject.get("digest").and_then(digest);
                }
                // What clients write here are words, which may well be digests of others.
                ("annotations", _) => {}
                _ => take(value, &mut named.all),
            }
        }
        if let Some(manifests) = document.get("manifests").and_then(Value::as_array) {
            let digests = manifests.iter().filter_map(|descriptor| digest(descriptor.get("digest")?));
            named.manifests = digests.collect();
        }
        Ok(named)
    }
}

fn take(value: &Value, all: &mut Vec<Digest>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| take(value, all)),
        Value::Object(members) => {
            for (key, value) in members {
                match &**key {
                    "digest" | "blobSum" => all.extend(digest(value)),
                    _ => take(value, all),
                }
            }
        }
        _ => {}
    }
}

/// What is no digest of ours names nothing that could lie here.
fn digest(value: &Value) -> Option<Digest> {
    Digest::parse(value.as_str()?).ok()
}

#[cfg(test)]
mod tests;
