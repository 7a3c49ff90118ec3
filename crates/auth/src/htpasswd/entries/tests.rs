use argon2::password_hash::CustomizedPasswordHasher as _;
use proptest::prelude::*;

use super::*;

/// Hashes that cost next to nothing.
fn bcrypt_hash(password: &str, version: bcrypt::Version) -> String {
    bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap().format_for_version(version)
}

fn argon2_hash(password: &str, algorithm: &str) -> String {
    Argon2::default()
        .hash_password_customized(
            password.as_bytes(),
            b"saltsaltsalt",
            Some(algorithm),
            None,
            Params::new(8, 1, 1, None).unwrap(),
        )
        .unwrap()
        .to_string()
}

fn parse(content: &str) -> (Entries, Vec<String>) {
    Entries::parse(content.as_bytes())
}

#[test]
fn bcrypt_and_argon2_are_understood() {
    let hashes = [
        bcrypt_hash("sesame", bcrypt::Version::TwoA),
        bcrypt_hash("sesame", bcrypt::Version::TwoB),
        bcrypt_hash("sesame", bcrypt::Version::TwoY),
        argon2_hash("sesame", "argon2id"),
        argon2_hash("sesame", "argon2i"),
        argon2_hash("sesame", "argon2d"),
    ];
    for hash in hashes {
        let (entries, complaints) = parse(&format!("# users\r\n\r\n  alice:{hash}  \r\n"));
        assert!(complaints.is_empty(), "{complaints:?}");
        assert!(entries.verify("alice", b"sesame"), "{hash}");
        assert!(!entries.verify("alice", b"sesam"), "{hash}");
        assert!(!entries.verify("bob", b"sesame"), "a decoy's password opens nothing");
        assert!(!entries.verify("", b"sesame"));
    }
}

/// Made by libxcrypt, and by the reference implementation of argon2.
#[test]
fn a_hash_made_elsewhere_is_understood() {
    for hash in [
        "$2y$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O",
        "$2a$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW",
        "$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$uxi1KlyhdlPM+YupOb+YtxUwE7z/uePtyCGlrfwQakc",
    ] {
        let (entries, complaints) = parse(&format!("alice:{hash}\n"));
        assert!(entries.verify("alice", b"sesame"), "{complaints:?}");
        assert!(!entries.verify("alice", b"Sesame"));
    }
}

#[test]
fn a_broken_line_is_told_by_number_without_a_word_of_it_and_the_others_count() {
    let good = bcrypt_hash("sesame", bcrypt::Version::TwoY);
    let costly = good.replacen("$04$", "$31$", 1);
    let content = format!(
        "hunter2\nbob:hunter2\neve:$apr1$hunter2\nmallory:$2y$04$hunter2\ncarol:$argon2id$hunter2\n:{good}\n\
         dave:{costly}\nerin:$argon2id$v=19$m=999999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo\n{{SHA}}:\nalice:{good}\n"
    );
    let (entries, complaints) = parse(&content);
    assert!(entries.verify("alice", b"sesame"));
    assert_eq!(entries.users.len(), 1, "{complaints:?}");
    let lines: Vec<_> = complaints.iter().map(|complaint| complaint.split(' ').nth(1).unwrap()).collect();
    assert_eq!(lines, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let told = complaints.concat();
    for secret in ["hunter2", "sesame", "bob", "mallory", "$2y", "$apr1"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn of_two_lines_the_last_counts() {
    let (old, new) = (bcrypt_hash("old", bcrypt::Version::TwoY), bcrypt_hash("new", bcrypt::Version::TwoY));
    let (entries, complaints) = parse(&format!("alice:{old}\nalice:{new}\n"));
    assert!(entries.verify("alice", b"new") && !entries.verify("alice", b"old"));
    assert_eq!(complaints.len(), 1);
}

#[test]
fn an_unknown_user_costs_a_hash_too() {
    let entries = parse(&format!("alice:{}\n", bcrypt_hash("sesame", bcrypt::Version::TwoY))).0;
    assert!(matches!(entries.hash_for("alice"), Some((Hash::Bcrypt(_), true))));
    assert!(
        matches!(entries.hash_for("nobody"), Some((Hash::Bcrypt(_), false))),
        "measured by one who is there"
    );
    assert!(parse("").0.hash_for("nobody").is_none());
}

#[test]
fn a21_an_empty_file_lets_nobody_in() {
    let entries = parse("").0;
    assert!(!entries.verify("docker", b"docker") && !entries.verify("admin", b""));
}

proptest! {
    #[test]
    fn a18_any_content_is_read(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Entries::parse(&content);
    }

    #[test]
    fn a18_any_hash_is_read(hash in "\\$(2y|argon2id|argon2i)\\$[-$=,.A-Za-z0-9/]{0,80}") {
        let _ = parse_hash(&hash);
    }
}
