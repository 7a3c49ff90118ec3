//! The real Swift, asked past Apus.

use hyper::{Method, StatusCode, Uri};

use super::backend::variable;
use super::{Answer, Client};

/// A container, by the sign-in of version 1.
pub(crate) struct Container {
    client: Client,
    path: String,
    token: String,
}

impl Container {
    pub(crate) async fn open(name: &str) -> Self {
        let (user, key) = (variable("ST_USER"), variable("ST_KEY"));
        let credentials = [("x-auth-user", &*user), ("x-auth-key", &*key)];
        let (client, path) = at(&variable("ST_AUTH"));
        let signed_in = client.request(Method::GET, &path, &credentials, "").await.expect(200);
        let (client, account) = at(signed_in.header("x-storage-url"));
        let token = signed_in.header("x-auth-token").to_owned();
        Self { client, path: format!("{account}/{name}"), token }
    }

    /// The names of all objects, by the listing; at most 10,000. None where there is no container yet.
    pub(crate) async fn names(&self) -> Vec<String> {
        let listing = self.ask(Method::GET, "").await;
        if listing.status == StatusCode::NOT_FOUND {
            return Vec::new();
        }
        assert!(listing.status.is_success(), "{listing:?}");
        String::from_utf8(listing.body.to_vec()).unwrap().lines().map(str::to_owned).collect()
    }

    /// The answer to a GET of an object.
    pub(crate) async fn get(&self, name: &str) -> Answer {
        self.ask(Method::GET, name).await
    }

    /// Makes the container.
    pub(crate) async fn make(&self) {
        self.ask(Method::PUT, "").await.expect(201);
    }

    /// Whether there is no such container.
    pub(crate) async fn is_missing(&self) -> bool {
        self.ask(Method::GET, "").await.status == StatusCode::NOT_FOUND
    }

    /// Puts an object of any bytes, whatever its name.
    pub(crate) async fn put_bytes(&self, name: &str, content: Vec<u8>) {
        let path = format!("{}/{}", self.path, name.replace('%', "%25"));
        let headers = [("x-auth-token", &*self.token)];
        self.client.request(Method::PUT, &path, &headers, content).await.expect(201);
    }

    /// Puts an object.
    pub(crate) async fn put(&self, name: &str, content: String) {
        self.send(Method::PUT, name, content).await.expect(201);
    }

    /// Puts an object of no bytes that stands for all whose names begin so (Swift, "Dynamic Large Objects").
    pub(crate) async fn put_dynamic(&self, name: &str, segments: &str) {
        let (_, container) = self.path.rsplit_once('/').unwrap();
        let manifest = format!("{container}/{segments}");
        let headers = [("x-auth-token", &*self.token), ("x-object-manifest", &*manifest)];
        self.client.request(Method::PUT, &format!("{}/{name}", self.path), &headers, "").await.expect(201);
    }

    /// Deletes an object.
    pub(crate) async fn delete(&self, name: &str) {
        self.ask(Method::DELETE, name).await.expect(204);
    }

    /// Removes the container and all that is in it.
    pub(crate) async fn remove(self) {
        // Its listing may lag behind what is in it.
        for _ in 0..300 {
            for name in self.names().await {
                let answer = self.ask(Method::DELETE, &name).await;
                let is_gone = answer.status.is_success() || answer.status == StatusCode::NOT_FOUND;
                assert!(is_gone, "{name}: {answer:?}");
            }
            let answer = self.ask(Method::DELETE, "").await;
            if answer.status != StatusCode::CONFLICT {
                answer.expect(204);
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{} does not become empty", self.path);
    }

    async fn ask(&self, method: Method, name: &str) -> Answer {
        self.send(method, name, String::new()).await
    }

    async fn send(&self, method: Method, name: &str, content: String) -> Answer {
        let path = if name.is_empty() { self.path.clone() } else { format!("{}/{name}", self.path) };
        self.client.request(method, &path, &[("x-auth-token", &self.token)], content).await
    }
}

/// The names of all objects in a container, by its listing; at most 10,000.
pub(crate) async fn object_names(container: &str) -> Vec<String> {
    Container::open(container).await.names().await
}

/// A client of the server that a URL names, and the path that it names there.
fn at(url: &str) -> (Client, String) {
    let uri: Uri = url.parse().unwrap();
    let address = uri.authority().unwrap().as_str().parse().unwrap();
    (Client::new(address), uri.path().to_owned())
}
