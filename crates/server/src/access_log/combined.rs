//! A line of the access log, in Apache's combined form as registry:2 writes it.

use std::fmt::Write as _;
use std::net::IpAddr;

use http::{HeaderName, Request, header};
use jiff::Timestamp;

use super::shown;
use crate::parameters::text;

/// What is known of a request when it begins.
#[derive(Debug)]
pub(super) struct Combined {
    write: fn(&str),
    client: IpAddr,
    begun: Timestamp,
    request: String,
    referer: String,
    agent: String,
}

impl Combined {
    pub(super) fn begin<B>(write: fn(&str), client: IpAddr, request: &Request<B>) -> Self {
        let header = |name: HeaderName| text(request.headers(), name).unwrap_or_default().to_owned();
        Self {
            write,
            client,
            begun: Timestamp::now(),
            request: format!("{} {} {:?}", request.method(), shown(request.uri()), request.version()),
            referer: header(header::REFERER),
            agent: header(header::USER_AGENT),
        }
    }

    /// Writes the line.
    pub(super) fn end(self, user: Option<&str>, status: u16, written: u64) {
        (self.write)(&self.line(user, status, written));
    }

    fn line(&self, user: Option<&str>, status: u16, written: u64) -> String {
        let user = user.filter(|user| !user.is_empty()).unwrap_or("-");
        let mut line = format!("{} - ", self.client);
        escape(&mut line, user, true);
        let time = self.begun.strftime("%d/%b/%Y:%H:%M:%S +0000");
        // To write to a text does not fail.
        let _ = write!(line, " [{time}] \"");
        escape(&mut line, &self.request, false);
        let _ = write!(line, "\" {status} {written} \"");
        escape(&mut line, &self.referer, false);
        line.push_str("\" \"");
        escape(&mut line, &self.agent, false);
        line.push('"');
        line
    }
}

/// Nothing in a value ends it, or the line.
fn escape(line: &mut String, text: &str, blanks: bool) {
    for character in text.chars() {
        match character {
            '"' | '\\' => line.extend(['\\', character]),
            ' ' if blanks => line.push_str("\\x20"),
            ' '..='~' => line.push(character),
            other => {
                for byte in other.encode_utf8(&mut [0; 4]).bytes() {
                    // As above.
                    let _ = write!(line, "\\x{byte:02x}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use jiff::Timestamp;

    use super::Combined;

    fn combined(agent: &str) -> Combined {
        let request = Request::builder()
            .uri("/v2/a/blobs/uploads/x?digest=sha256:ab&_state=sesame")
            .header("user-agent", agent)
            .header("referer", "http://ref/")
            .body(())
            .unwrap();
        let begun = Timestamp::from_second(1_796_068_790).unwrap();
        Combined { begun, ..Combined::begin(|_| {}, [127, 0, 0, 1].into(), &request) }
    }

    #[test]
    fn as_registry_2_writes_it() {
        assert_eq!(
            combined("ag \"x\"").line(None, 201, 12),
            "127.0.0.1 - - [30/Nov/2026:19:59:50 +0000] \"GET /v2/a/blobs/uploads/x?digest=sha256:ab&... HTTP/1.1\" \
             201 12 \"http://ref/\" \"ag \\\"x\\\"\""
        );
    }

    #[test]
    fn nothing_breaks_out_of_a_line() {
        let line = combined("a\\\" 200 \tb").line(Some("m\u{e4}x \"\n"), 200, 0);
        assert!(line.starts_with("127.0.0.1 - m\\xc3\\xa4x\\x20\\\"\\x0a [30/Nov"), "{line}");
        assert!(line.ends_with(" \"a\\\\\\\" 200 \\x09b\""), "{line}");
    }
}
