//! How a layer is compressed: told by its first bytes, for nothing else says it; and decompressing it, in a thread of its own, with
//! bounded memory whatever the layer claims to need.

use std::io::{self, Read, Write};

use apus_registry::{Algorithm, Digest, Hasher};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lzma_rust2::XzReader;
use tokio::sync::mpsc::{Receiver, Sender};

/// The memory that an archive in xz may need, in KiB: more than `xz -9` writes.
const XZ_MEMORY: u32 = 128 << 10;

/// A block of a tar archive, in bytes.
const BLOCK: usize = 512;

/// How many bytes tell the compression.
pub(crate) const TELLING: usize = BLOCK;

/// How a tar archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Bzip2,
    Xz,
}

impl Compression {
    /// By the first [`TELLING`] bytes, or all where there are fewer; `None` where this is no tar archive, compressed or not.
    pub(crate) fn of(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            other => begins_an_archive(other).then_some(Self::None),
        }
    }
}

/// By the checksum of the first header (POSIX.1-2017, pax, "ustar Interchange Format"), or by a block of zeros, with which an
/// archive of nothing begins. Nothing at all is what the original kept of images without files.
fn begins_an_archive(beginning: &[u8]) -> bool {
    if beginning.is_empty() {
        return true;
    }
    let Some(header) = beginning.get(..BLOCK) else { return false };
    if header.iter().all(|byte| *byte == 0) {
        return true;
    }
    let (Some(before), Some(field), Some(after)) =
        (header.get(..148), header.get(148..156), header.get(156..))
    else {
        return false;
    };
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let written = std::str::from_utf8(field).ok().map(|text| text.trim_matches(['\0', ' ']));
    let written = written.and_then(|text| u32::from_str_radix(text, 8).ok());
    written == Some(sum(before) + 8 * u32::from(b' ') + sum(after))
}

/// What was found in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    /// The digest of the archive without its compression.
    pub(crate) digest: Digest,
    /// Whether there is nothing but zeros in it: an archive of no files.
    pub(crate) is_empty: bool,
    /// Whether it ends as archives do: with two blocks of zeros, or with nothing at all. What is cut off seldom does.
    pub(crate) has_end: bool,
}

/// Decompresses what comes in, to its end. With `compressed_anew` it goes out again in gzip, the same bytes for the same
/// archive at any time. Blocks: to be run in a thread of its own. Ends early when whoever takes what goes out has gone.
pub(crate) fn decompress(
    compression: Compression,
    coming: Receiver<Bytes>,
    compressed_anew: Option<Sender<Bytes>>,
) -> io::Result<Archive> {
    let mut archive = decompressing(compression, Coming::new(coming));
    let going = compressed_anew.map(Going);
    let mut encoder = going.map(|going| GzEncoder::new(going, flate2::Compression::default()));
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let (mut length, mut zeros_at_end) = (0_usize, 0_usize);
    let mut buffer = vec![0; 128 << 10];
    loop {
        let piece = match archive.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => buffer.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(piece);
        length = length.saturating_add(piece.len());
        zeros_at_end = match piece.iter().rposition(|byte| *byte != 0) {
            Some(last) => piece.len() - last - 1,
            None => zeros_at_end.saturating_add(piece.len()),
        };
        if let Some(encoder) = &mut encoder {
            encoder.write_all(piece)?;
        }
    }
    if let Some(encoder) = encoder {
        encoder.finish()?;
    }
    let has_end = length == 0 || (length.is_multiple_of(BLOCK) && zeros_at_end >= 2 * BLOCK);
    Ok(Archive { digest: hasher.digest(), is_empty: zeros_at_end == length, has_end })
}

/// The archive in what comes.
pub(crate) fn decompressing(compression: Compression, coming: impl Read + 'static) -> Box<dyn Read> {
    match compression {
        Compression::None => Box::new(coming),
        Compression::Gzip => Box::new(MultiGzDecoder::new(coming)),
        Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(coming)),
        Compression::Xz => Box::new(XzReader::new_mem_limit(coming, true, XZ_MEMORY)),
    }
}

/// Pieces of a stream, for one who reads and waits.
pub(crate) struct Coming {
    receiver: Receiver<Bytes>,
    piece: Bytes,
}

impl Coming {
    pub(crate) fn new(receiver: Receiver<Bytes>) -> Self {
        Self { receiver, piece: Bytes::new() }
    }
}

impl Read for Coming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        let (to, from) = (buffer.iter_mut(), self.piece.split_to(length));
        to.zip(from).for_each(|(to, from)| *to = from);
        Ok(length)
    }
}

/// Where what goes out goes.
struct Going(Sender<Bytes>);

impl Write for Going {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.blocking_send(Bytes::copy_from_slice(bytes)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
