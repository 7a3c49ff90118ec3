//! A small token server, as the distribution project's specification of token authentication has it: it takes a name and a
//! password, or neither, and signs what may be done.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const ISSUER: &str = "a token server of the tests";
pub(super) const SERVICE: &str = "registry.example";

/// Signs tokens, and puts the key by which they are believed into a file.
pub(super) struct Signer {
    pair: KeyPair,
    directory: TempDir,
}

impl Signer {
    pub(super) fn new() -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let signer = Self { pair, directory };
        std::fs::write(signer.key_set(), json!({ "keys": [signer.jwk()] }).to_string()).unwrap();
        signer
    }

    /// Its public key (RFC 8037).
    pub(super) fn jwk(&self) -> Value {
        let x = BASE64URL_NOPAD.encode(self.pair.der_bytes());
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "tests", "x": x })
    }

    fn key_set(&self) -> PathBuf {
        self.directory.path().join("jwks.json")
    }

    /// The section `auth` of a registry that believes it; `realm` is where it sends its clients.
    pub(super) fn auth(&self, realm: &str) -> String {
        let jwks = self.key_set();
        format!(
            "auth:\n  token: {{realm: '{realm}', service: {SERVICE}, issuer: {ISSUER}, jwks: {}}}\n",
            jwks.display()
        )
    }

    /// A token with this header and these claims.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// A token for a user that grants what these scopes say, such as `repository:a/b:pull,push`.
    pub(super) fn token(&self, user: &str, scopes: &[&str]) -> String {
        self.token_with(user, scopes, &json!({}))
    }

    /// The same, with more claims.
    pub(super) fn token_with(&self, user: &str, scopes: &[&str], more: &Value) -> String {
        let access = scopes.iter().map(|scope| {
            let (kind, rest) = scope.split_once(':').unwrap();
            let (name, actions) = rest.rsplit_once(':').unwrap();
            let actions: Vec<&str> = actions.split(',').filter(|action| !action.is_empty()).collect();
            json!({ "type": kind, "name": name, "actions": actions })
        });
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({
            "iss": ISSUER, "sub": user, "aud": SERVICE, "exp": now + 300, "nbf": now - 5, "iat": now,
            "jti": rand::random::<u64>().to_string(), "access": access.collect::<Vec<_>>(),
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.sign(&json!({ "typ": "JWT", "alg": "EdDSA", "kid": "tests" }), &claims)
    }
}

/// A running token server; it ends with the test. Its users are those of [`super::USERS`]; each may do everything in `team/`, and
/// everyone may pull from `public/`.
pub(crate) struct TokenServer {
    signer: Arc<Signer>,
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    accepting: JoinHandle<()>,
}

impl TokenServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (signer, asked) = (Arc::new(Signer::new()), Arc::<Mutex<Vec<String>>>::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&signer), Arc::clone(&asked)));
        Self { signer, address, asked, accepting }
    }

    /// The section `auth` of a registry that sends its clients here.
    pub(crate) fn auth(&self) -> String {
        self.signer.auth(&format!("http://{}/token", self.address))
    }

    /// The queries that were asked until now.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, signer: Arc<Signer>, asked: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (signer, asked) = (Arc::clone(&signer), Arc::clone(&asked));
        let service = service_fn(move |request: Request<Incoming>| {
            asked.lock().unwrap().push(request.uri().query().unwrap_or_default().to_owned());
            let answer = answer(&signer, &request);
            async move { Ok::<_, std::convert::Infallible>(answer) }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

fn answer(signer: &Signer, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let text = |status: StatusCode, text: String| {
        let mut answer = Response::new(Full::new(Bytes::from(text)));
        *answer.status_mut() = status;
        answer
    };
    // Clients that ask by POST for the OAuth 2 form of it go on to GET.
    if request.method() != hyper::Method::GET || request.uri().path() != "/token" {
        return text(StatusCode::NOT_FOUND, String::new());
    }
    let user = match request.headers().get(AUTHORIZATION).map(|value| user(value.to_str().unwrap())) {
        None => String::new(),
        Some(Some(user)) => user,
        Some(None) => {
            let mut answer = text(StatusCode::UNAUTHORIZED, json!({ "errors": [] }).to_string());
            answer.headers_mut().insert(WWW_AUTHENTICATE, "Basic realm=\"tokens\"".parse().unwrap());
            return answer;
        }
    };
    let query = request.uri().query().unwrap_or_default();
    let scopes: Vec<String> = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("scope="))
        .map(percent_decoded)
        .flat_map(|scopes| scopes.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|scope| granted(&user, &scope))
        .collect();
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let token = signer.token(&user, &scopes);
    text(StatusCode::OK, json!({ "token": token, "access_token": token, "expires_in": 300 }).to_string())
}

/// The user whose name and password these are.
fn user(header: &str) -> Option<String> {
    let credentials = BASE64.decode(header.strip_prefix("Basic ")?.as_bytes()).ok()?;
    let known = [super::ALICE, super::BOB, super::RITA];
    let found = known.into_iter().find(|known| known.as_bytes() == credentials)?;
    Some(found.split_once(':')?.0.to_owned())
}

/// What of a scope is granted to a user, if anything.
fn granted(user: &str, scope: &str) -> Option<String> {
    let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
    let may: HashSet<&str> = match user {
        _ if name.starts_with("public/") && user.is_empty() => HashSet::from(["pull"]),
        "" => HashSet::new(),
        _ => HashSet::from(["pull", "push", "delete"]),
    };
    let granted: Vec<&str> = actions.split(',').filter(|action| may.contains(action)).collect();
    Some(format!("repository:{name}:{}", granted.join(",")))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = text.replace('+', " ").into_bytes();
    while let Some(at) = bytes.iter().position(|byte| *byte == b'%') {
        let code = u8::from_str_radix(std::str::from_utf8(&bytes[at + 1..at + 3]).unwrap(), 16).unwrap();
        bytes.splice(at..at + 3, [code]);
    }
    String::from_utf8(bytes).unwrap()
}
