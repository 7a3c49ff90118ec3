use std::io::Write as _;

use apus_registry::{Algorithm, Digest};
use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Archive, Compression, TELLING, decompress};

/// The samples hold the same kind of archive in each form.
fn archive(files: usize) -> Vec<u8> {
    let mut archive = Vec::new();
    for number in 0..files {
        let mut header = [0; 512];
        header[..5].copy_from_slice(format!("f{number:04}").as_bytes());
        header[124..135].copy_from_slice(b"00000000000");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend_from_slice(&header);
    }
    archive.extend_from_slice(&[0; 1024]);
    archive
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn through(compression: Compression, content: &[u8]) -> std::io::Result<(Archive, Vec<u8>)> {
    let (to, coming) = mpsc::channel(4);
    let (out, mut going) = mpsc::channel(4);
    let pieces: Vec<_> = content.chunks(1000).map(Bytes::copy_from_slice).collect();
    let sender = std::thread::spawn(move || pieces.into_iter().try_for_each(|piece| to.blocking_send(piece)));
    let taker = std::thread::spawn(move || std::iter::from_fn(|| going.blocking_recv()).flatten().collect());
    let archive = decompress(compression, coming, Some(out));
    // What has failed leaves pieces that nobody takes.
    let _ = sender.join().unwrap();
    let anew = taker.join().unwrap();
    archive.map(|archive| (archive, anew))
}

#[test]
fn the_compression_is_told_by_the_first_bytes() {
    let plain = archive(3);
    let told = |content: &[u8]| Compression::of(&content[..content.len().min(TELLING)]);
    assert_eq!(told(&plain), Some(Compression::None));
    assert_eq!(told(&archive(0)), Some(Compression::None));
    assert_eq!(told(b""), Some(Compression::None));
    assert_eq!(told(&gzip(&plain)), Some(Compression::Gzip));
    assert_eq!(told(&bzip2(&plain)), Some(Compression::Bzip2));
    assert_eq!(told(b"\xfd7zXZ\0..."), Some(Compression::Xz));
    let mut damaged = plain.clone();
    damaged[0] ^= 1;
    for content in [&damaged[..], b"garbage", &[b'g'; 600], &plain[..511]] {
        assert_eq!(told(content), None);
    }
}

#[test]
fn the_same_archive_comes_out_of_each() {
    let plain = archive(100);
    for (compression, content) in [
        (Compression::None, plain.clone()),
        (Compression::Gzip, gzip(&plain)),
        (Compression::Gzip, [gzip(&plain[..700]), gzip(&plain[700..])].concat()),
        (Compression::Bzip2, bzip2(&plain)),
    ] {
        let (found, anew) = through(compression, &content).unwrap();
        assert_eq!(
            found,
            Archive { digest: Digest::of(Algorithm::Sha256, &plain), is_empty: false, has_end: true }
        );
        assert_eq!(through(Compression::Gzip, &anew).unwrap().0, found);
        assert_eq!(through(compression, &content).unwrap().1, anew, "the same bytes at any time");
    }
}

#[test]
fn an_archive_of_nothing() {
    let (found, _) = through(Compression::Gzip, &gzip(&archive(0))).unwrap();
    assert!(found.is_empty);
    assert!(through(Compression::None, b"").unwrap().0.is_empty);
}

#[test]
fn an_archive_without_its_end() {
    let plain = archive(100);
    for length in [plain.len() - 512, plain.len() - 1, 512, 1000] {
        assert!(!through(Compression::None, &plain[..length]).unwrap().0.has_end, "{length}");
    }
    for whole in [&plain[..], &archive(0), b""] {
        assert!(through(Compression::None, whole).unwrap().0.has_end);
    }
}

#[test]
fn what_is_cut_off_is_an_error() {
    let plain = archive(100);
    for (compression, content) in [(Compression::Gzip, gzip(&plain)), (Compression::Bzip2, bzip2(&plain))] {
        through(compression, &content[..content.len() - 5]).unwrap_err();
        through(compression, &content[..content.len() / 2]).unwrap_err();
    }
}

#[test]
fn xz_that_would_need_much_memory_is_refused() {
    // A stream header, and the header of a block whose dictionary has 1.5 GiB.
    let header = [0xfd, b'7', b'z', b'X', b'Z', 0, 0, 1, 0x69, 0x22, 0xde, 0x36];
    let mut block = vec![2, 0, 0x21, 1, 39, 0, 0, 0];
    let sum = block.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 },
        )
    });
    block.extend_from_slice(&(!sum).to_le_bytes());
    let error = through(Compression::Xz, &[&header[..], &block].concat()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory, "{error}");
}
