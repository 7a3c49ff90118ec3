use super::*;

#[test]
fn a_name_says_all_of_a_record() {
    let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (kind, folder) in [(Kind::Blob, "_blobs"), (Kind::Manifest, "_manifests")] {
        let record = Record {
            repository: RepositoryName::parse("quay.io/a/b").unwrap(),
            kind,
            digest: Digest::parse(&format!("sha256:{hex}")).unwrap(),
            identity: "0123456789abcdef".to_owned(),
        };
        let name = record.name().unwrap();
        assert_eq!(name.as_str(), format!("apus/proxy/1/quay.io/a/b/{folder}/sha256/{hex}/0123456789abcdef"));
        assert_eq!(Record::parse(name.as_str()), Some(record));
    }
    for other in ["apus/upload-secret", "apus/proxy/2/a/_blobs/sha256/00/x", "apus/proxy/1/a", ROOT] {
        assert_eq!(Record::parse(other), None, "{other}");
    }
}
