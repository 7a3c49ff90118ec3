//! What Swift says of many things done in one request. The status of such an answer says nothing: what came of each is in
//! its body, an expired token among them (Swift, "Bulk Delete", "Static Large Objects").

use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::retry::is_transient;

/// A report, in JSON. White space may come before it, by which Swift keeps the connection alive meanwhile.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Report {
    #[serde(rename = "Response Status", default)]
    pub(super) status: String,
    #[serde(rename = "Response Body", default)]
    pub(super) body: String,
    #[serde(rename = "Number Deleted", default)]
    pub(super) deleted: u64,
    #[serde(rename = "Number Not Found", default)]
    pub(super) not_found: u64,
    /// What failed, as `/container/object` in percent-encoding, and how: a status line, or words.
    #[serde(rename = "Errors", default)]
    pub(super) errors: Vec<(String, String)>,
}

/// The worst that a report has to say, in the order in which it has to be dealt with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Some of it was refused because the token is no longer good.
    Token,
    /// Some of it failed in a way that another try may better.
    Passing,
    /// Some of it failed for good.
    Lasting,
}

impl Report {
    /// What a body says; `None` when it is no report.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// What went wrong; `None` when nothing did.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let whole = self.status.get(..3).and_then(|code| code.parse::<StatusCode>().ok());
        let whole = whole.filter(|status| !status.is_success()).map(|_| &*self.status);
        let troubles = || whole.into_iter().chain(self.errors.iter().map(|(_, text)| &**text)).map(trouble);
        [Trouble::Token, Trouble::Passing, Trouble::Lasting]
            .into_iter()
            .find(|wanted| troubles().any(|trouble| trouble == *wanted))
    }

    /// There is no object to delete: Swift counts it as not found, Ceph RGW says so.
    pub(super) fn says_there_is_none(&self) -> bool {
        self.status.starts_with("404") && self.deleted == 0
    }

    /// What was to be deleted with its segments is no static large object.
    pub(super) fn says_it_is_not_static(&self) -> bool {
        let says = |text: &str| text.contains("Not an SLO");
        says(&self.body) || self.errors.iter().any(|(_, text)| says(text))
    }

    /// For an error: the first that failed, and how many more.
    pub(super) fn finding(&self) -> String {
        match &*self.errors {
            [] => format!("{} {}", self.status, self.body).trim().to_owned(),
            [(object, text)] => format!("{object}: {text}"),
            [(object, text), rest @ ..] => format!("{object}: {text}, and {} more", rest.len()),
        }
    }

    /// The names that failed, of objects in this container. Swift writes `/container/object` in percent-encoding, Ceph RGW
    /// `container/object` without.
    pub(super) fn failed<'a>(&'a self, container: &'a str) -> impl Iterator<Item = String> + 'a {
        self.errors.iter().filter_map(move |(path, _)| {
            let path = match path.strip_prefix('/') {
                Some(encoded) => percent_decode_str(encoded).decode_utf8().ok()?,
                None => path.into(),
            };
            Some(path.strip_prefix(container)?.strip_prefix('/')?.to_owned())
        })
    }
}

fn trouble(text: &str) -> Trouble {
    match text.get(..3).and_then(|code| code.parse::<StatusCode>().ok()) {
        Some(StatusCode::UNAUTHORIZED) => Trouble::Token,
        // 409: an object that is being written at the same moment.
        Some(status) if is_transient(status) || status == StatusCode::CONFLICT => Trouble::Passing,
        _ => Trouble::Lasting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Report {
        Report::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_worst_of_a_report_is_found() {
        let of = |status: &str, errors: &str| {
            report(&format!(r#"   {{"Response Status": "{status}", "Errors": {errors}}}"#)).trouble()
        };
        assert_eq!(of("200 OK", "[]"), None);
        assert_eq!(of("", "[]"), None);
        assert_eq!(of("401 Unauthorized", "[]"), Some(Trouble::Token));
        let mixed = r#"[["/c/a", "404 Not Found"], ["/c/b", "503 Busy"], ["/c/c", "401 Unauthorized"]]"#;
        assert_eq!(of("400 Bad Request", mixed), Some(Trouble::Token));
        let mixed = r#"[["/c/a", "Etag Mismatch"], ["/c/b", "503 Busy"]]"#;
        assert_eq!(of("400 Bad Request", mixed), Some(Trouble::Passing));
        assert_eq!(of("400 Bad Request", r#"[["/c/a", "Size Mismatch"]]"#), Some(Trouble::Lasting));
        assert_eq!(of("502 Bad Gateway", "[]"), Some(Trouble::Passing));
        assert_eq!(of("413 Request Entity Too Large", "[]"), Some(Trouble::Lasting));
    }

    #[test]
    fn names_are_found_in_it() {
        let report =
            report(r#"{"Errors": [["/c/a%20%C3%BC/%25", "x"], ["c/b%20", "y"], ["/other/c", "z"]]}"#);
        assert_eq!(report.failed("c").collect::<Vec<_>>(), ["a ü/%", "b%20"]);
        assert_eq!(report.finding(), "/c/a%20%C3%BC/%25: x, and 2 more");
        assert!(Report::parse(b"<html>").is_none());
    }
}
