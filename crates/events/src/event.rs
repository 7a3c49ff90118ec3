//! Events in the form of registry:2 ("Work with notifications" in its documentation): the same names, the same fields left out
//! where there is nothing to say, also that a length of zero is. What is kept in files is read back into the same types.

mod descriptors;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::ser::{PrettyFormatter, Serializer};
use uuid::Uuid;

pub use descriptors::descriptors;

/// The content type of what is sent.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.docker.distribution.events.v1+json";

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// A UUID. It stays the same however often the event is sent, so that a receiver can tell a repetition.
    pub id: String,
    /// When it happened, by RFC 3339, in UTC.
    pub timestamp: String,
    /// What was done.
    pub action: Action,
    /// To what.
    pub target: Target,
    /// By which request.
    pub request: TriggeringRequest,
    /// By whom.
    pub actor: Actor,
    /// In which process; [`Events`](crate::Events) fills it in.
    pub source: Source,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Content was sent to a client, or the client sent where to fetch it, or told of it (`HEAD`).
    Pull,
    /// Content came from a client.
    Push,
    /// A blob of one repository was given to another.
    Mount,
    /// A manifest, a blob or a tag was taken away.
    Delete,
}

/// What an action was done to. A deletion says the repository and the digest, or the repository and the tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// The media type of a manifest; of blobs `application/octet-stream`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Bytes.
    #[serde(skip_serializing_if = "is_zero")]
    pub size: u64,
    /// The digest of the content.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// The same as `size`, under the name that it had before.
    #[serde(skip_serializing_if = "is_zero")]
    pub length: u64,
    /// The repository.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub repository: String,
    /// Of a mount, the repository that the blob came from, where that is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from_repository: String,
    /// Where the content can be fetched.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The tag by which a manifest was pushed or pulled, or that was taken away.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// What a manifest names, where that is wanted ([`Events::include_references`](crate::Events::include_references)).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Descriptor>,
}

/// A descriptor (OCI image specification, "Content Descriptors"), with the fields that registry:2 sends: platforms are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    size: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    urls: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
}

/// The request that did it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TriggeringRequest {
    /// By which it is found in the log.
    pub id: String,
    /// The client: an address, with its port where that is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub addr: String,
    /// The host that the client asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The method.
    pub method: String,
    /// What the client calls itself.
    pub useragent: String,
}

/// Who did it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// The name that somebody signed in with; empty for nobody.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// The process in which it was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// The name of the machine, and the port on which the registry listens.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub addr: String,
    /// A UUID that each process makes anew; its log says the same.
    #[serde(rename = "instanceID", skip_serializing_if = "String::is_empty")]
    pub instance_id: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Event {
    /// Something that happens now.
    #[must_use]
    pub fn now(action: Action, target: Target, request: TriggeringRequest, actor: Actor) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            timestamp: jiff::Timestamp::now().to_string(),
            action,
            target,
            request,
            actor,
            source: Source::default(),
        }
    }

    /// The body of the request that tells of it: an envelope with this event alone, indented as registry:2 does.
    pub(crate) fn envelope(&self) -> serde_json::Result<Vec<u8>> {
        #[derive(Serialize)]
        struct Envelope<'a> {
            events: [&'a Event; 1],
        }
        let mut body = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut body, PrettyFormatter::with_indent(b"   "));
        Envelope { events: [self] }.serialize(&mut serializer)?;
        Ok(body)
    }
}

impl Source {
    /// A process that listens at this port, where it is a port.
    #[must_use]
    pub fn new(host: &str, port: Option<u16>, instance_id: &str) -> Self {
        let addr = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Self { addr, instance_id: instance_id.to_owned() }
    }
}

#[cfg(test)]
mod tests;
