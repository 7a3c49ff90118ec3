//! Listings, of objects in a container or of containers in an account: which names are on a page, and how a page is
//! answered. What is told of each name is the affair of [`crate::account`] and [`crate::container`].

use std::ops::Bound;

use http::header::{ACCEPT, ACCEPT_RANGES, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::accept::{self, FORMATS};
use crate::answer::{Answer, Refusal};
use crate::clock::Timestamp;
use crate::history::History;
use crate::request::{Call, Query};

/// What a client asks for.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) delimiter: &'a str,
    pub(crate) marker: &'a str,
    pub(crate) end_marker: &'a str,
    pub(crate) limit: usize,
}

/// One entry of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry<'a, T> {
    Name(&'a str, &'a T),
    /// All names that go on after the next delimiter, up to and with it.
    Subdir(&'a str),
}

impl<'a> Page<'a> {
    /// Reads the query. A limit above `most` is refused with 412, one that is no number is ignored.
    pub(crate) fn from_query(query: &'a Query, most: usize) -> Result<Self, Refusal> {
        if query.get("reverse").is_some() {
            return Err(Refusal::not_modelled("listings in reverse order"));
        }
        if query.get("path").is_some() {
            return Err(Refusal::not_modelled("listings by path"));
        }
        let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(most);
        if limit > most {
            return Err(Refusal::html(StatusCode::PRECONDITION_FAILED, format!("Maximum limit is {most}")));
        }
        let text = |key| query.get(key).unwrap_or_default();
        Ok(Self {
            prefix: text("prefix"),
            delimiter: text("delimiter"),
            marker: text("marker"),
            end_marker: text("end_marker"),
            limit,
        })
    }

    /// The page out of `all` as it was `at` a moment, in byte order.
    pub(crate) fn of<T>(&self, all: &'a History<T>, at: Timestamp) -> Vec<Entry<'a, T>> {
        let start = if self.marker >= self.prefix && !self.marker.is_empty() {
            Bound::Excluded(self.marker)
        } else {
            Bound::Included(self.prefix)
        };
        let mut page = Vec::new();
        let mut subdir: Option<&str> = None;
        for (name, value) in all.range((start, Bound::Unbounded), at) {
            if !self.end_marker.is_empty() && name >= self.end_marker {
                break;
            }
            let Some(rest) = name.strip_prefix(self.prefix) else { break };
            if subdir.is_some_and(|subdir| name.starts_with(subdir)) {
                continue;
            }
            if page.len() >= self.limit {
                break;
            }
            match self.subdir(name, rest) {
                None => page.push(Entry::Name(name, value)),
                Some(found) => {
                    subdir = Some(found);
                    // The subdir that ended the page before is not listed again.
                    if found != self.marker {
                        page.push(Entry::Subdir(found));
                    }
                }
            }
        }
        page
    }

    /// The part of `name` up to the first delimiter in its `rest` after the prefix.
    fn subdir(&self, name: &'a str, rest: &str) -> Option<&'a str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let end = self.prefix.len() + rest.find(self.delimiter)? + self.delimiter.len();
        name.get(..end)
    }
}

/// How a listing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Text,
}

impl Format {
    /// By the query's `format`, else by the `Accept` header, which may ask for what there is not: 406.
    pub(crate) fn choose(query: &Query, headers: &HeaderMap) -> Result<Self, Refusal> {
        match query.get("format") {
            Some("json") => return Ok(Self::Json),
            Some("xml") => return Err(Refusal::not_modelled("listings in XML")),
            Some(_) => return Ok(Self::Text),
            None => {}
        }
        let wish = headers.get(ACCEPT).and_then(|wish| wish.to_str().ok());
        match accept::choose(wish, FORMATS) {
            Some("application/json") => Ok(Self::Json),
            Some("text/plain") => Ok(Self::Text),
            Some(_) => Err(Refusal::not_modelled("listings in XML")),
            None => Err(Refusal::standard(StatusCode::NOT_ACCEPTABLE)),
        }
    }
}

/// The names on a page, a line each.
pub(crate) fn text<T>(entries: &[Entry<'_, T>]) -> Vec<u8> {
    let line = |entry: &Entry<'_, T>| match entry {
        Entry::Name(name, _) => format!("{name}\n"),
        Entry::Subdir(subdir) => format!("{subdir}\n"),
    };
    entries.iter().map(line).collect::<String>().into_bytes()
}

/// A listing as an answer. A HEAD, and a GET in plain text that finds nothing, have no content: 204.
pub(crate) fn answer(call: &Call, format: Format, body: Vec<u8>, headers: HeaderMap) -> Answer {
    let body = if call.method == Method::HEAD { Vec::new() } else { body };
    let status = if body.is_empty() { StatusCode::NO_CONTENT } else { StatusCode::OK };
    let content_type = HeaderValue::from_static(match format {
        Format::Json => "application/json; charset=utf-8",
        Format::Text => "text/plain; charset=utf-8",
    });
    let mut answer = Answer::new(status, content_type, body);
    answer.headers.extend(headers);
    answer.headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if !call.query.has("format") {
        answer.headers.insert(VARY, HeaderValue::from_static("Accept"));
    }
    answer
}

#[cfg(test)]
mod tests;
