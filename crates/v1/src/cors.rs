//! Cross-origin resource sharing (Fetch, "CORS protocol"), by the options of flask-cors that docker-registry had.

use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::{HeaderValue, Method};

use crate::Reply;
use crate::call::Head;
use crate::replies::with;

/// What browsers let pages of other origins do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Cors {
    /// Origins that may; `*` for all.
    pub origins: Vec<String>,
    /// Methods that they may use; empty for those that the original had.
    pub methods: Vec<String>,
    /// Headers that they may send.
    pub headers: Vec<String>,
    /// Headers that they may read.
    pub expose_headers: Vec<String>,
    /// Whether with credentials.
    pub supports_credentials: bool,
    /// How long a browser remembers.
    pub max_age: Option<Duration>,
    /// Say `*` where all may, in place of the origin that asks. Not with credentials, which browsers would not send then.
    pub send_wildcard: bool,
    /// Also to requests that name no origin.
    pub always_send: bool,
    /// Say that the answer depends on the origin.
    pub vary_header: bool,
}

const METHODS: &str = "GET, HEAD, POST, OPTIONS, PUT, PATCH, DELETE";

impl Cors {
    /// Adds what is to be said to a browser.
    pub(crate) fn told(&self, reply: Reply, head: &Head) -> Reply {
        let asking = head.headers.get(ORIGIN);
        let everyone = self.origins.iter().any(|origin| origin == "*");
        let wildcard = HeaderValue::from_static("*");
        let origin = match asking {
            None if !self.always_send || !everyone => return reply,
            Some(origin)
                if !everyone && !self.origins.iter().any(|known| known.as_bytes() == origin.as_bytes()) =>
            {
                return reply;
            }
            Some(origin) if !everyone || !self.send_wildcard || self.supports_credentials => origin,
            _ => &wildcard,
        };
        let depends = origin != wildcard;
        let mut reply = reply;
        reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.supports_credentials {
            reply = with(reply, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        if !self.expose_headers.is_empty() {
            reply = with(reply, ACCESS_CONTROL_EXPOSE_HEADERS, self.expose_headers.join(", "));
        }
        if head.method == Method::OPTIONS {
            let methods = if self.methods.is_empty() { METHODS.to_owned() } else { self.methods.join(", ") };
            reply = with(reply, ACCESS_CONTROL_ALLOW_METHODS, methods);
            if !self.headers.is_empty() {
                reply = with(reply, ACCESS_CONTROL_ALLOW_HEADERS, self.headers.join(", "));
            }
            if let Some(age) = self.max_age {
                reply = with(reply, ACCESS_CONTROL_MAX_AGE, age.as_secs().to_string());
            }
        }
        if self.vary_header && depends { with(reply, VARY, "Origin") } else { reply }
    }
}
