//! The `Range` header (RFC 9110, section 14), read as Swift reads it.

use std::ops::Range;

use http::HeaderMap;
use http::header::RANGE;

/// More ranges than this in one request are refused.
const MAX_RANGES: usize = 50;
/// More pairs of ranges that overlap than this are refused.
const MAX_OVERLAPS: usize = 2;
/// So many ranges or more are refused unless they ascend.
const MAX_UNORDERED: usize = 8;

/// One range as the client wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spec {
    /// From the first byte to the last, both included, or to the end.
    From(u64, Option<u64>),
    /// The last so many bytes.
    Last(u64),
}

/// The ranges that a request asks for; at least one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ranges(Vec<Spec>);

impl Ranges {
    /// Reads the header. `None` without one, or if any part of it makes no sense: then it is to be ignored.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(RANGE)?.to_str().ok()?.replace(' ', "");
        let unit = text.get(..6)?;
        if !unit.eq_ignore_ascii_case("bytes=") {
            return None;
        }
        Self::parse(text.get(6..)?)
    }

    /// Reads what follows `bytes=`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.split(',').map(Spec::parse).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether the client asks for one range only.
    pub(crate) fn is_single(&self) -> bool {
        self.0.len() == 1
    }

    /// Where a single range ends, if it does so before the end of the data; the end is not included.
    pub(crate) fn end_of_single(&self) -> Option<u64> {
        match self.0.as_slice() {
            [Spec::From(_, Some(last))] => Some(last.saturating_add(1)),
            _ => None,
        }
    }

    /// The ranges within `length` bytes of data. Those outside are left out; if none is left, or Swift finds the
    /// request abusive, there are none at all and the answer is 416.
    pub(crate) fn within(&self, length: u64) -> Vec<Range<u64>> {
        let found: Vec<_> = self.0.iter().filter_map(|spec| spec.within(length)).collect();
        let overlaps = found
            .iter()
            .enumerate()
            .flat_map(|(index, one)| found.iter().skip(index + 1).map(move |other| (one, other)))
            .filter(|(one, other)| overlap(one, other))
            .count();
        let ascending = found.is_sorted_by_key(|range| range.start);
        let abusive = found.len() > MAX_RANGES
            || overlaps > MAX_OVERLAPS
            || (!ascending && found.len() >= MAX_UNORDERED);
        if abusive { Vec::new() } else { found }
    }
}

impl Spec {
    fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| {
            if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse::<u64>().ok() } else { None }
        };
        match text.split_once('-')? {
            ("", last) => Some(Self::Last(number(last)?)),
            (first, "") => Some(Self::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    fn within(self, length: u64) -> Option<Range<u64>> {
        match self {
            Self::Last(0) => None,
            Self::Last(count) => Some(length.saturating_sub(count)..length),
            Self::From(first, _) if first >= length => None,
            Self::From(first, None) => Some(first..length),
            Self::From(first, Some(last)) => Some(first..length.min(last.saturating_add(1))),
        }
    }
}

/// Whether one range begins or ends inside the other. Two that are alike do not count, oddly.
fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    let inside = |outer: &Range<u64>, point: u64| outer.start < point && point < outer.end;
    inside(one, other.start) || inside(one, other.end) || inside(other, one.start) || inside(other, one.end)
}

#[cfg(test)]
mod tests;
