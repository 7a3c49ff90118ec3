//! What happened, told where it is known to have: the same events as registry:2, for `HEAD` too, for redirects, and for answers
//! that say that the client has it already, of blobs. They are in their queues, and in their files where there are some, before
//! the client has its answer: what a client knows, those who are told will know.

use apus_auth::Authorization;
use apus_events::{Action, Actor, Event, Events, Target, Told, TriggeringRequest, descriptors};
use apus_registry::{Digest, Manifest, Reference, RepositoryName, Tag};
use http::header;

use crate::locations::host_as_asked;
use crate::parameters::text;
use crate::request::{Head, Remote};
use crate::request_id::RequestId;
use crate::{App, Route};

/// registry:2's media type of all blobs.
const OCTETS: &str = "application/octet-stream";

impl App {
    pub(crate) async fn blob_pulled(&self, name: &RepositoryName, digest: &Digest, size: u64, head: &Head) {
        self.tell(Action::Pull, head, || self.blob_target(name, digest, size, head)).written().await;
    }

    pub(crate) async fn blob_pushed(&self, name: &RepositoryName, digest: &Digest, size: u64, head: &Head) {
        self.tell(Action::Push, head, || self.blob_target(name, digest, size, head)).written().await;
    }

    /// `from` is `None` where nobody looked from where.
    pub(crate) async fn blob_mounted(
        &self,
        name: &RepositoryName,
        from: Option<&RepositoryName>,
        digest: &Digest,
        size: u64,
        head: &Head,
    ) {
        let target = || Target {
            from_repository: from.map(ToString::to_string).unwrap_or_default(),
            ..self.blob_target(name, digest, size, head)
        };
        self.tell(Action::Mount, head, target).written().await;
    }

    pub(crate) async fn manifest_pulled(
        &self,
        name: &RepositoryName,
        tag: Option<&Tag>,
        manifest: &Manifest,
        head: &Head,
    ) {
        self.tell(Action::Pull, head, || self.manifest_target(name, tag, manifest, head)).written().await;
    }

    /// One event for each tag, or one without any.
    pub(crate) async fn manifest_pushed(
        &self,
        name: &RepositoryName,
        tags: impl Iterator<Item = &Tag>,
        manifest: &Manifest,
        head: &Head,
    ) {
        let mut tags: Vec<_> = tags.map(Some).collect();
        if tags.is_empty() {
            tags.push(None);
        }
        for tag in tags {
            self.tell(Action::Push, head, || self.manifest_target(name, tag, manifest, head)).written().await;
        }
    }

    /// A manifest or a blob by its digest, or a tag.
    pub(crate) fn deleted(&self, name: &RepositoryName, what: &Reference, head: &Head) -> Told {
        let target = || {
            let (digest, tag) = match what {
                Reference::Digest(digest) => (digest.to_string(), String::new()),
                Reference::Tag(tag) => (String::new(), tag.to_string()),
            };
            Target { repository: name.to_string(), digest, tag, ..Target::default() }
        };
        self.tell(Action::Delete, head, target)
    }

    /// Where nobody wants to know, this does nothing at all.
    fn tell(&self, action: Action, head: &Head, target: impl FnOnce() -> Target) -> Told {
        let events: &Events = &self.options().events;
        if !events.are_wanted() {
            return Told::default();
        }
        events.tell(Event::now(action, target(), request(head), actor(head)))
    }

    fn blob_target(&self, name: &RepositoryName, digest: &Digest, size: u64, head: &Head) -> Target {
        Target {
            media_type: OCTETS.to_owned(),
            size,
            length: size,
            digest: digest.to_string(),
            repository: name.to_string(),
            url: self.url(&Route::Blob(name.clone(), digest.clone()), head),
            ..Target::default()
        }
    }

    fn manifest_target(
        &self,
        name: &RepositoryName,
        tag: Option<&Tag>,
        manifest: &Manifest,
        head: &Head,
    ) -> Target {
        let Manifest { digest, media_type, content } = manifest;
        let references = self.options().events.include_references();
        let size = content.len() as u64;
        Target {
            media_type: media_type.to_string(),
            size,
            length: size,
            digest: digest.to_string(),
            repository: name.to_string(),
            url: self.url(&Route::Manifest(name.clone(), Reference::Digest(digest.clone())), head),
            tag: tag.map(ToString::to_string).unwrap_or_default(),
            references: if references { descriptors(content) } else { Vec::new() },
            ..Target::default()
        }
    }

    /// A whole one, also where answers have paths alone.
    fn url(&self, route: &Route, head: &Head) -> String {
        let base = self.options().locations.whole_base(&head.uri, &head.headers, head.extensions.get());
        format!("{base}{}{route}", self.options().prefix)
    }
}

fn request(head: &Head) -> TriggeringRequest {
    TriggeringRequest {
        id: RequestId::current().map(|id| id.to_string()).unwrap_or_default(),
        addr: head.extensions.get().map(|Remote(address)| address.clone()).unwrap_or_default(),
        host: host_as_asked(&head.uri, &head.headers, head.extensions.get()).unwrap_or_default(),
        method: head.method.to_string(),
        useragent: text(&head.headers, header::USER_AGENT).unwrap_or_default().to_owned(),
    }
}

/// Who has signed in. As registry:2: where nobody is asked who they are, a proxy may have asked, and then it has let their name
/// through.
fn actor(head: &Head) -> Actor {
    let proven = head.permit.identity().name().map(str::to_owned);
    let claimed = || match Authorization::parse(text(&head.headers, header::AUTHORIZATION)) {
        Ok(Authorization::Basic(credentials)) => Some(credentials.user().to_owned()),
        _ => None,
    };
    Actor { name: proven.or_else(claimed).unwrap_or_default() }
}
