//! Ranges (RFC 9110, section 14): which parts of a blob are wanted, and several of them in one answer.

use apus_storage::ByteRange;
use http::{HeaderMap, header};

use crate::parameters::{number, text};

/// Parts that one answer may carry. Who wants more gets all of it, as the RFC allows.
const MOST_PARTS: usize = 16;

/// The parts that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: nothing else was asked for, or nothing that could be understood.
    Whole,
    /// One part.
    One(ByteRange),
    /// Several.
    Several(Vec<ByteRange>),
}

impl Wanted {
    /// What a request wants of a representation with this entity tag, given without quotes. A condition (`If-Range`) that does
    /// not hold makes it all.
    pub(crate) fn of(headers: &HeaderMap, entity_tag: &str) -> Self {
        let holds =
            text(headers, header::IF_RANGE).is_none_or(|condition| condition.trim_matches('"') == entity_tag);
        let ranges = text(headers, header::RANGE).filter(|_| holds).and_then(parse);
        match ranges.as_deref() {
            None | Some([]) => Self::Whole,
            Some([range]) => Self::One(*range),
            Some(ranges) => Self::Several(ranges.to_vec()),
        }
    }

    /// Whether there is nothing to send of a representation of so many bytes: 416.
    pub(crate) fn selects_nothing_of(&self, size: u64) -> bool {
        match self {
            Self::Whole => false,
            Self::One(range) => range.of(size).is_empty(),
            Self::Several(ranges) => ranges.iter().all(|range| range.of(size).is_empty()),
        }
    }
}

fn parse(value: &str) -> Option<Vec<ByteRange>> {
    let ranges = value.trim().strip_prefix("bytes=")?;
    let ranges: Vec<ByteRange> = ranges.split(',').take(MOST_PARTS + 1).map(one).collect::<Option<_>>()?;
    (ranges.len() <= MOST_PARTS).then_some(ranges)
}

fn one(range: &str) -> Option<ByteRange> {
    let (first, last) = range.trim().split_once('-')?;
    match (first, last) {
        ("", count) => Some(ByteRange::Last(number(count)?)),
        (first, "") => Some(ByteRange::From(number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            // One that ends before it begins may be ignored or refused; as in registry:2 it is one that selects nothing.
            Some(if first <= last { ByteRange::FromTo { first, last } } else { ByteRange::Last(0) })
        }
    }
}

#[cfg(test)]
mod tests;
