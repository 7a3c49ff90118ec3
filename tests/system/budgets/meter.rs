//! The two ways to count: at the fake Swift, and in the access log of the real one.

use apus_fake_swift::{FakeSwift, Options, RequestRecord};
use futures_util::{StreamExt, stream};

use super::access_log::AccessLog;
use crate::support::Backend;
use crate::support::backend::FAKE_CONTAINER;
use crate::support::swift::Container;

pub(super) enum Meter {
    Fake(FakeSwift),
    Real(AccessLog, Container),
}

impl Meter {
    /// A fake Swift, with the sign-in of version 3.
    pub(super) async fn fake() -> (Backend, Self) {
        let fake = FakeSwift::start(Options::default()).await.unwrap();
        (Backend::fake_v3(&fake), Self::Fake(fake))
    }

    /// The real Swift, with the sign-in of version 1, whose proxy writes a log. A container of its own tells these requests
    /// from those of other tests.
    pub(super) async fn real() -> (Backend, Self) {
        let backend = Backend::swift_v1();
        let container = backend.container().unwrap();
        let log = AccessLog::of_container(container);
        let meter = Self::Real(log, Container::open(container).await);
        (backend, meter)
    }

    /// The requests since the last time, a line each.
    pub(super) async fn take(&mut self) -> Vec<String> {
        match self {
            Self::Fake(fake) => fake
                .take_requests()
                .into_iter()
                .filter(|request| request.kind.is_storage())
                .map(shown)
                .collect(),
            Self::Real(log, container) => log.take(container).await,
        }
    }

    pub(super) async fn forget(&mut self) {
        drop(self.take().await);
    }

    /// Puts objects, past Apus.
    pub(super) async fn put_objects(&self, objects: Vec<(String, String)>) {
        match self {
            Self::Fake(fake) => {
                for (name, content) in objects {
                    fake.put_object(FAKE_CONTAINER, &name, content);
                }
            }
            Self::Real(_, container) => {
                let puts = objects.into_iter().map(|(name, content)| async move {
                    container.put(&name, content).await;
                });
                stream::iter(puts).buffer_unordered(8).collect::<()>().await;
            }
        }
    }
}

/// A line for a request, which is of a kind that Apus sends.
fn shown(request: RequestRecord) -> String {
    let copies = request.method.as_str() == "COPY" || request.headers.contains_key("x-copy-from");
    let is_dynamic = request.headers.contains_key("x-object-manifest");
    assert!(!copies && !is_dynamic, "{request:?}");
    let RequestRecord { method, path, query, status, .. } = request;
    format!("{method} {path}?{query} {status:?}")
}
