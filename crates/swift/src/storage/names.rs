//! Where everything lies in the container. `docs/layout.md` fixes these names: what is written under them today is read
//! tomorrow, by others too.

use apus_storage::{ErrorKind, ObjectName, Result, StageId, StageRevision, StorageError};

use crate::{Naming, SwiftConfig};

/// The longest name of an object, in bytes (Swift, "Object Storage API overview", constraints).
const LONGEST: usize = 1024;

/// The names of objects in Swift, by their names in the contract. All begin with the prefix, as the [`Naming`] takes it.
#[derive(Debug, Clone)]
pub(super) struct Names {
    root: String,
    files: String,
    segments: String,
    sessions: String,
    records: String,
}

fn below(config: &SwiftConfig, rest: &str) -> String {
    let prefix = &config.prefix;
    match config.naming {
        Naming::Registry2 => format!("{prefix}/{rest}").trim_start_matches('/').to_owned(),
        Naming::DockerRegistry => {
            let slash = if prefix.ends_with('/') { "" } else { "/" };
            let name = format!("{prefix}{slash}{rest}");
            name.strip_prefix('/').map_or_else(|| name.clone(), str::to_owned)
        }
    }
}

/// What the names of objects begin with that are written only to see whether something works. They may be deleted at any
/// time.
pub(crate) fn probes(config: &SwiftConfig) -> String {
    below(config, "apus/probes/")
}

impl Names {
    pub(super) fn new(config: &SwiftConfig) -> Self {
        let files = match config.naming {
            Naming::Registry2 => "files/",
            Naming::DockerRegistry => "",
        };
        Self {
            root: below(config, ""),
            files: below(config, files),
            segments: below(config, "segments/apus/"),
            sessions: below(config, "apus/sessions/"),
            records: below(config, "apus/records/"),
        }
    }

    /// Where an object lies.
    pub(super) fn object(&self, operation: &'static str, name: &ObjectName) -> Result<String> {
        let object = format!("{}{name}", self.files);
        if object.len() > LONGEST {
            let advice = format!("with the prefix it is longer than the {LONGEST} bytes that Swift allows");
            return Err(StorageError::new(ErrorKind::InvalidName, operation, name).with_advice(advice));
        }
        Ok(object)
    }

    /// What names of our own begin with: none of these is a segment of what others have written.
    pub(super) fn own(&self) -> [&str; 4] {
        [&self.files, &self.segments, &self.sessions, &self.records]
    }

    /// What all names begin with, as a listing's prefix.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// Whether the object belongs to an upload: a segment, a session or a record.
    pub(super) fn is_of_uploads(&self, object: &str) -> bool {
        [&self.segments, &self.sessions, &self.records].iter().any(|prefix| object.starts_with(&***prefix))
    }

    /// Where names begin, as a listing's prefix.
    pub(super) fn files(&self) -> &str {
        &self.files
    }

    /// Where segments begin, as a listing's prefix.
    pub(super) fn segments(&self) -> &str {
        &self.segments
    }

    /// A segment whose name no other attempt uses.
    pub(super) fn new_segment(&self, stage: &StageId, number: usize) -> String {
        let nonce = data_encoding::HEXLOWER.encode(&rand::random::<[u8; 8]>());
        format!("{}{number:08}-{nonce}", self.segments_of(stage))
    }

    /// The segment that holds the rest of a stage at one revision: the same bytes whoever writes it, so that a repeated
    /// publish names the same segments.
    pub(super) fn last_segment(&self, stage: &StageId, number: usize, revision: &StageRevision) -> String {
        format!("{}{number:08}-{}", self.segments_of(stage), revision.as_str())
    }

    /// What the names of all segments of a stage begin with.
    pub(super) fn segments_of(&self, stage: &StageId) -> String {
        format!("{}{stage}/", self.segments)
    }

    pub(super) fn session(&self, stage: &StageId) -> String {
        format!("{}{stage}", self.sessions)
    }

    /// Where sessions begin, as a listing's prefix.
    pub(super) fn sessions(&self) -> &str {
        &self.sessions
    }

    /// Where records begin.
    pub(super) fn records(&self) -> &str {
        &self.records
    }

    pub(super) fn record(&self, stage: &StageId) -> String {
        format!("{}{stage}", self.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Password;

    fn config(prefix: &str) -> SwiftConfig {
        let mut config = SwiftConfig::new("http://swift.example/auth/v1.0", Password::new("a:b", "c"), "d");
        config.prefix = prefix.to_owned();
        config
    }

    fn registry_2(prefix: &str) -> Names {
        Names::new(&config(prefix))
    }

    /// As docker-registry-driver-swift 0.2.1 named its objects.
    #[test]
    fn the_root_is_taken_as_the_first_driver_took_it() {
        let name = ObjectName::parse("foo").unwrap();
        let roots = [
            ("", "foo"),
            ("/", "foo"),
            ("registry", "registry/foo"),
            ("/registry", "registry/foo"),
            ("registry/", "registry/foo"),
            ("/registry/", "registry/foo"),
            ("//registry", "/registry/foo"),
            ("/registry//", "registry//foo"),
        ];
        for (root, object) in roots {
            let names = Names::new(&SwiftConfig { naming: Naming::DockerRegistry, ..config(root) });
            assert_eq!(names.object("read", &name).unwrap(), object, "{root:?}");
            assert_eq!(format!("{}foo", names.files()), object, "{root:?}");
        }
    }

    #[test]
    fn the_prefix_is_taken_as_registry_2_takes_it() {
        let name = ObjectName::parse("docker/registry/v2/a").unwrap();
        let cases = [
            ("", "files/docker/registry/v2/a", "segments/apus/s/", "apus/sessions/s", "apus/records/s"),
            (
                "foo",
                "foo/files/docker/registry/v2/a",
                "foo/segments/apus/s/",
                "foo/apus/sessions/s",
                "foo/apus/records/s",
            ),
            (
                "/foo",
                "foo/files/docker/registry/v2/a",
                "foo/segments/apus/s/",
                "foo/apus/sessions/s",
                "foo/apus/records/s",
            ),
            (
                "foo/",
                "foo//files/docker/registry/v2/a",
                "foo//segments/apus/s/",
                "foo//apus/sessions/s",
                "foo//apus/records/s",
            ),
            (
                "//a//b//",
                "a//b///files/docker/registry/v2/a",
                "a//b///segments/apus/s/",
                "a//b///apus/sessions/s",
                "a//b///apus/records/s",
            ),
            ("/", "files/docker/registry/v2/a", "segments/apus/s/", "apus/sessions/s", "apus/records/s"),
            (
                "a b%/ü",
                "a b%/ü/files/docker/registry/v2/a",
                "a b%/ü/segments/apus/s/",
                "a b%/ü/apus/sessions/s",
                "a b%/ü/apus/records/s",
            ),
        ];
        let stage = StageId::parse("s").unwrap();
        for (prefix, object, segments, session, record) in cases {
            let names = registry_2(prefix);
            assert_eq!(names.object("write", &name).unwrap(), object, "{prefix:?}");
            assert_eq!(names.segments_of(&stage), segments, "{prefix:?}");
            assert_eq!(names.session(&stage), session, "{prefix:?}");
            assert_eq!(names.record(&stage), record, "{prefix:?}");
        }
    }

    /// As registry:2.8 has it: `TrimLeft(TrimRight(prefix + "/files" + path, "/"), "/")`.
    #[test]
    fn no_prefix_lies_elsewhere_than_with_registry_2() {
        let parts = ["", "/", "//", "a", "a/", "/a", "a//b", " ", ".", "files", "ü%20"];
        for (first, second) in parts.iter().flat_map(|first| parts.map(|second| (first, second))) {
            let prefix = format!("{first}{second}");
            let names = registry_2(&prefix);
            for path in ["/docker/registry/v2/repositories/a/b/_layers", "/x"] {
                let expected = format!("{prefix}/files{path}");
                let expected = expected.trim_end_matches('/').trim_start_matches('/');
                let name = ObjectName::parse(path.trim_start_matches('/')).unwrap();
                assert_eq!(names.object("write", &name).unwrap(), expected, "{prefix:?}");
            }
            // The root of its driver, and what it lists everything below.
            let root = format!("{prefix}/files");
            assert_eq!(names.files(), format!("{}/", root.trim_start_matches('/')), "{prefix:?}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_refused() {
        let component = "c".repeat(223);
        let name = ObjectName::parse([&*component; 4].join("/")).unwrap();
        assert_eq!(name.as_str().len(), 895);
        registry_2(&"p".repeat(1024 - 895 - "/files/".len())).object("write", &name).unwrap();
        let error = registry_2(&"p".repeat(123)).object("write", &name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName);
    }

    #[test]
    fn segments_are_numbered_and_never_named_twice() {
        let names = registry_2("");
        let stage = StageId::parse("s").unwrap();
        let name = names.new_segment(&stage, 7);
        assert!(name.starts_with("segments/apus/s/00000007-"), "{name}");
        assert_ne!(name, names.new_segment(&stage, 7));
        let revision = StageRevision::from_text("r");
        assert_eq!(names.last_segment(&stage, 8, &revision), "segments/apus/s/00000008-r");
    }
}
