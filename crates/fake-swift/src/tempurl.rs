//! Temporary URLs: a request without a token that a signature in its query lets in.
//!
//! Such a request is let in before anyone asks who sent it, and only for its object. Its answer is dressed for a
//! browser, and tells no metadata. Prefixes, ranges of addresses, `filename` and `inline` are not modelled.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use http::header::{CONTENT_DISPOSITION, EXPIRES};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::answer::{Answer, Refusal, value};
use crate::clock::Timestamp;
use crate::dlo::X_OBJECT_MANIFEST;
use crate::options::{Feature, Options};
use crate::request::{Call, ObjectAddress, Query, Target};
use crate::tokens::Caller;

/// What `/info` says of the headers that do not come in or do not go out.
pub(crate) const INCOMING_REMOVE: &str = "x-timestamp";
pub(crate) const OUTGOING_REMOVE: &str = "x-object-meta-*";
pub(crate) const OUTGOING_ALLOW: &str = "x-object-meta-public-*";

const ACCOUNT_KEYS: [&str; 2] = ["x-account-meta-temp-url-key", "x-account-meta-temp-url-key-2"];
const CONTAINER_KEYS: [&str; 2] = ["x-container-meta-temp-url-key", "x-container-meta-temp-url-key-2"];

/// With a URL to write to, no one is to get at what the URL is not for.
const FORBIDDEN: [HeaderName; 2] = [X_OBJECT_MANIFEST, HeaderName::from_static("x-symlink-target")];

/// What a file's name keeps as it is in `Content-Disposition`.
const UNQUOTED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'_').remove(b'.').remove(b'-').remove(b'~');
/// The same with Ceph's gateway.
const SLASH_QUOTED: AsciiSet = UNQUOTED.add(b'/');

/// A digest by which a temporary URL may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Digest {
    /// HMAC-SHA-1, deprecated since Swift 2.30.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Digest {
    /// All that Swift knows.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// What Swift calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => hmac::<Sha1>(key, message),
            Self::Sha256 => hmac::<Sha256>(key, message),
            Self::Sha512 => hmac::<Sha512>(key, message),
        }
    }
}

fn hmac<D: EagerHash>(key: &[u8], message: &[u8]) -> Vec<u8>
where
    Hmac<D>: KeyInit + Mac,
{
    // An HMAC takes a key of any length.
    let Ok(mut mac) = <Hmac<D> as KeyInit>::new_from_slice(key) else { return Vec::new() };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// What is remembered of a URL until its answer is there.
#[derive(Debug)]
pub(crate) struct Pass {
    object: String,
    expires: Timestamp,
}

/// Whether a request has a temporary URL, good or bad.
pub(crate) fn is_signed(call: &Call) -> bool {
    ["temp_url_sig", "temp_url_expires"].iter().any(|key| call.query.has(key))
        && call.fake.options.has(Feature::TemporaryUrls)
        && call.method != Method::OPTIONS
}

/// Lets a request in that has a temporary URL; `None` if it has none.
pub(crate) fn admit(call: &mut Call, target: &Target) -> Result<Option<Pass>, Refusal> {
    if !is_signed(call) {
        return Ok(None);
    }
    if ["temp_url_prefix", "temp_url_ip_range", "filename", "inline"].iter().any(|key| call.query.has(key)) {
        return Err(Refusal::not_modelled("temporary URLs with more than a signature and an end"));
    }
    let (caller, pass) = check(call, target).ok_or_else(|| refuse(call))?;
    let writes = call.method != Method::GET && call.method != Method::HEAD;
    if let Some(header) = FORBIDDEN.iter().find(|header| writes && call.headers.contains_key(*header)) {
        let header = if *header == X_OBJECT_MANIFEST { "X-Object-Manifest" } else { "X-Symlink-Target" };
        let text = format!("The header '{header}' is not allowed in this tempurl");
        return Err(Refusal::html(StatusCode::BAD_REQUEST, text));
    }
    call.caller = caller;
    // What else the query asks for is not heard.
    call.query = Query::default();
    Ok(Some(pass))
}

/// Swift does not say what is wrong with a URL. Ceph's gateway answers 401 if it is too old, else 403.
fn refuse(call: &Call) -> Refusal {
    let now = call.fake.state().clock.now();
    let expires = call.query.get("temp_url_expires").and_then(read_expiry).map(Timestamp::from_seconds);
    if call.fake.options.is_ceph() && expires.is_some_and(|expires| expires >= now) {
        return Refusal::standard(StatusCode::FORBIDDEN);
    }
    Refusal::temporary_url()
}

/// The paths over which a URL may be signed. With Ceph's gateway the part before `/v1` may be left out.
fn signed_paths(options: &Options, at: &ObjectAddress) -> Vec<String> {
    let path = format!("{}/{}/{}", options.storage_path(&at.account), at.container, at.object);
    let short = path.strip_prefix("/swift").map(str::to_owned);
    [path].into_iter().chain(short).collect()
}

/// As whom the request is let in; `None` if anything is wrong with its URL.
fn check(call: &Call, target: &Target) -> Option<(Caller, Pass)> {
    let options = &call.fake.options;
    let Target::Object(at) = target else { return None };
    if !options.tempurl_methods.contains(&call.method) {
        return None;
    }
    let (digest, signature) = read_signature(call.query.get("temp_url_sig")?)?;
    let seconds = read_expiry(call.query.get("temp_url_expires")?)?;
    let expires = Timestamp::from_seconds(seconds);
    let state = call.fake.state();
    if expires < state.clock.now() || !options.tempurl_digests.contains(&digest) {
        return None;
    }
    // Who may read or write may look.
    let methods = match call.method.as_str() {
        "HEAD" if options.is_ceph() => vec!["HEAD", "GET", "PUT"],
        "HEAD" => vec!["HEAD", "GET", "POST", "PUT"],
        method => vec![method],
    };
    let paths = signed_paths(options, at);
    let messages: Vec<_> = methods
        .iter()
        .flat_map(|method| paths.iter().map(move |path| format!("{method}\n{seconds}\n{path}")))
        .collect();
    let signs = |key: &&[u8]| messages.iter().any(|text| digest.hmac(key, text.as_bytes()) == signature);
    let container_keys =
        state.containers.get(&at.container).map(|container| keys(&container.metadata, CONTAINER_KEYS));
    // Ceph's gateway knows only those of the account.
    let container_keys = container_keys.filter(|_| !options.is_ceph());
    let container = if keys(&state.metadata, ACCOUNT_KEYS).iter().any(signs) {
        None
    } else if container_keys.unwrap_or_default().iter().any(signs) {
        Some(at.container.clone())
    } else {
        return None;
    };
    let account = Some(&at.account).filter(|account| **account == options.account())?.clone();
    Some((Caller::Guest { account, container }, Pass { object: at.object.clone(), expires }))
}

fn keys<'a>(metadata: &'a HeaderMap, names: [&str; 2]) -> Vec<&'a [u8]> {
    names.iter().filter_map(|name| metadata.get(*name)).map(http::HeaderValue::as_bytes).collect()
}

/// A signature in hexadecimal digits, by the number of which its digest is known, or with the digest's name and in
/// either alphabet of base64, padded or not.
fn read_signature(text: &str) -> Option<(Digest, Vec<u8>)> {
    if let Some((name, code)) = text.split_once(':') {
        let digest = Digest::ALL.into_iter().find(|digest| digest.name() == name)?;
        let code = code.trim_end_matches('=').replace('-', "+").replace('_', "/");
        let padding = "=".repeat(code.len().next_multiple_of(4) - code.len());
        return Some((digest, BASE64.decode(format!("{code}{padding}").as_bytes()).ok()?));
    }
    let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
    let digest = match bytes.len() {
        20 => Digest::Sha1,
        32 => Digest::Sha256,
        64 => Digest::Sha512,
        _ => return None,
    };
    Some((digest, bytes))
}

/// Seconds since 1970, which may be written as a date.
fn read_expiry(text: &str) -> Option<u64> {
    let date = || {
        let date = jiff::civil::DateTime::strptime("%Y-%m-%dT%H:%M:%SZ", text).ok()?;
        Some(jiff::tz::TimeZone::UTC.to_timestamp(date).ok()?.as_second())
    };
    let seconds = text.trim().parse::<i64>().ok().or_else(date)?;
    u64::try_from(seconds).ok()
}

/// Makes an answer fit for who has only the URL: without metadata, to be saved under the object's name.
pub(crate) fn dress(call: &Call, pass: &Pass, answer: &mut Answer) {
    let reads = call.method == Method::GET || call.method == Method::HEAD;
    let is_read = reads && answer.status.is_success();
    if call.fake.options.is_ceph() {
        // The whole name, with its slashes; metadata go out.
        let name = percent_encode(pass.object.as_bytes(), &SLASH_QUOTED);
        if is_read {
            let disposition = format!("attachment; filename=\"{name}\"");
            answer.headers.entry(CONTENT_DISPOSITION).or_insert_with(|| value(disposition));
        }
        return;
    }
    let is_hidden = |name: &HeaderName| {
        let name = name.as_str();
        let begins = |pattern: &str| name.starts_with(pattern.trim_end_matches('*'));
        begins(OUTGOING_REMOVE) && !begins(OUTGOING_ALLOW)
    };
    let hidden: Vec<_> = answer.headers.keys().filter(|name| is_hidden(name)).cloned().collect();
    for name in hidden {
        answer.headers.remove(name);
    }
    if !is_read {
        return;
    }
    let name = pass.object.trim_end_matches('/');
    let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
    let quoted = percent_encode(name.as_bytes(), UNQUOTED).to_string();
    let disposition =
        format!("attachment; filename=\"{}\"; filename*=UTF-8''{quoted}", quoted.replace("%20", " "));
    answer.headers.entry(CONTENT_DISPOSITION).or_insert_with(|| value(disposition));
    answer.headers.insert(EXPIRES, value(pass.expires.as_http_date()));
}

/// Whether a caller may read from `container` what an object consists of.
pub(crate) fn may_read(caller: &Caller, container: &str) -> bool {
    match caller {
        Caller::Guest { container: Some(only), .. } => only == container,
        _ => true,
    }
}

#[cfg(test)]
mod tests;
