//! Two processes of Apus over one Swift, behind a proxy that sends each request to the other one.
//!
//! | file | what it shows |
//! |---|---|
//! | `chunks` | an upload of 50 chunks, with both processes ending on the way |
//! | `pushes` | 200 pushes at once, of images that have layers in common |
//! | `endings` | an upload that one process ends while the other one has to do with it |
//!
//! The processes share `http.secret`, or nothing but the container.

use crate::support::proxy::{REPLICAS, RoundRobin};
use crate::support::{Apus, Backend, Client};

mod chunks;
mod endings;
mod pushes;

/// A secret in the section `http` of each configuration.
const SHARED_SECRET: &str = "  secret: that all replicas know";
/// No secret in any configuration.
const NOTHING_SHARED: &str = "";

/// Two processes over one storage, and the proxy before them.
struct Replicas {
    backend: Backend,
    more: &'static str,
    apus: [Apus; REPLICAS],
    proxy: RoundRobin,
}

impl Replicas {
    async fn start(backend: Backend, more: &'static str) -> Self {
        let apus = [start(&backend, more), start(&backend, more)];
        let proxy = RoundRobin::start([apus[0].address(), apus[1].address()]).await;
        Self { backend, more, apus, proxy }
    }

    /// A client of whichever replica has its turn.
    fn client(&self) -> Client {
        self.proxy.client()
    }

    /// Clients of each replica, past the proxy.
    fn each(&self) -> [Client; REPLICAS] {
        [self.apus[0].client(), self.apus[1].client()]
    }

    /// Puts a new process in the place of one, which is answered.
    fn replace(&mut self, replica: usize) -> Apus {
        let new = start(&self.backend, self.more);
        self.proxy.moved(replica, new.address());
        std::mem::replace(&mut self.apus[replica], new)
    }
}

fn start(backend: &Backend, more: &str) -> Apus {
    Apus::start_with(&format!("{}\n  delete: {{enabled: true}}", backend.storage()), more)
}
