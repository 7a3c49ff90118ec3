//! The doctor's own objects: their names, which nobody else uses, and their content.

use apus_storage::ByteRange;
use bytes::Bytes;

use crate::SwiftConfig;
use crate::storage::probes;

const KIB: usize = 1 << 10;

/// The objects of one examination.
#[derive(Debug)]
pub(super) struct Probes {
    /// What the names of all begin with.
    pub(super) beginning: String,
    /// A plain object.
    pub(super) plain: String,
    pub(super) content: Bytes,
    /// A large object.
    pub(super) large: String,
    /// The segments that it is made of.
    pub(super) segments: [String; 2],
}

impl Probes {
    /// Bytes of the plain object, and of a segment where the cluster does not want more.
    pub(super) const SIZE: usize = 64 * KIB;

    pub(super) fn new(config: &SwiftConfig) -> Self {
        let nonce = data_encoding::HEXLOWER.encode(&rand::random::<[u8; 8]>());
        let beginning = format!("{}check-{nonce}/", probes(config));
        Self {
            plain: format!("{beginning}plain"),
            content: random(Self::SIZE),
            large: format!("{beginning}large"),
            segments: [1, 2].map(|number| format!("{beginning}segment-{number}")),
            beginning,
        }
    }

    /// The names of all, what depends on others before what it depends on.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        [&self.plain, &self.large].into_iter().chain(&self.segments).map(String::as_str)
    }
}

/// The range across the border of two segments, and what is there.
#[derive(Debug)]
pub(super) struct Border {
    pub(super) range: ByteRange,
    pub(super) content: Bytes,
}

impl Border {
    /// Bytes on either side.
    const HALF: usize = 10;

    pub(super) fn between([first, second]: &[Bytes; 2]) -> Self {
        let begin = first.len().saturating_sub(Self::HALF);
        let mut content = first.slice(begin..).to_vec();
        content.extend(second.iter().take(Self::HALF));
        let (begin, length) = (begin as u64, content.len() as u64);
        let range = ByteRange::FromTo { first: begin, last: begin + length - 1 };
        Self { range, content: content.into() }
    }
}

/// So many bytes that nothing on the way can guess or compress.
pub(super) fn random(length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes[..]);
    bytes.into()
}
