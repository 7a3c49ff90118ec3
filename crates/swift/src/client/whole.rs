//! Deleting objects of any kind with all that only they use.
//!
//! Of a static large object the cluster does it. Of a dynamic one it does not: there the manifest goes first, so that
//! nobody reads an object that gets shorter, and the segments after it, unless another manifest speaks of them too.

use std::collections::{BTreeSet, HashMap};

use apus_storage::Freshness;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::Container;
use super::dynamic::DynamicManifest;
use super::listing::ListingEntry;
use super::metadata::{ObjectKind, ObjectMetadata};
use super::object::Deletion;
use crate::error::Result;

/// Segments of a dynamic large object that are deleted in one go.
const SEGMENTS_AT_ONCE: usize = 1000;
/// The SHA-1 of nothing, which ends the names that registry:2 makes up.
const SHA1_OF_NOTHING: &[u8] =
    b"\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x09";
/// The random bytes before it.
const RANDOM_BYTES: usize = 32;

/// An object that is to go, and what was found of it.
#[derive(Debug)]
pub(crate) struct Doomed {
    pub(crate) name: String,
    pub(crate) metadata: ObjectMetadata,
}

impl Container {
    /// Deletes an object of any kind, with its segments.
    ///
    /// Segments of a dynamic large object stay if another object of this container is a manifest of them too. To find out,
    /// all empty objects of the container are looked at, unless the names are such as registry:2 makes up. That another
    /// container holds such a manifest is not noticed.
    pub async fn delete_whole(&self, name: &str) -> Result<Deletion> {
        let Some(metadata) = self.look(name, Freshness::Newest).await? else { return Ok(Deletion::Absent) };
        let doomed = Doomed { name: name.to_owned(), metadata };
        self.delete_found(vec![doomed], &[]).await.pop().unwrap_or(Ok(Deletion::Absent))
    }

    /// Deletes objects that were looked at; the answers come in their order. Whatever a dynamic large object takes for its
    /// segments, nothing goes whose name begins with one of `spared`.
    pub(crate) async fn delete_found(&self, doomed: Vec<Doomed>, spared: &[&str]) -> Vec<Result<Deletion>> {
        let plain = || doomed.iter().filter(|doomed| doomed.metadata.kind == ObjectKind::Plain);
        let names: Vec<String> = plain().map(|doomed| doomed.name.clone()).collect();
        let deletions = self.delete_many(names).await;
        let mut settled: HashMap<String, Result<Deletion>> =
            plain().map(|doomed| doomed.name.clone()).zip(deletions).collect();
        let users = self.users(&doomed).await;
        let deletions = doomed.into_iter().map(|Doomed { name, metadata }| {
            let settled = settled.remove(&name);
            let users = &users;
            async move {
                match (settled, metadata.kind, metadata.manifest()) {
                    (Some(settled), ..) => settled,
                    (None, ObjectKind::Static, _) => self.delete_with_segments(&name).await,
                    (None, _, Some(manifest)) => self.delete_dynamic(&name, &manifest, users, spared).await,
                    (None, _, None) => self.delete(&name).await,
                }
            }
        });
        stream::iter(deletions).buffered(Self::DELETES_AT_ONCE).collect().await
    }

    /// Frees the segments of a dynamic large object that is no more, whatever has its name now.
    pub(crate) async fn free_dynamic(
        &self,
        name: &str,
        manifest: &DynamicManifest,
        spared: &[&str],
    ) -> Result<()> {
        let users = match first_manifest(&manifest.prefix).filter(|first| first != name) {
            Some(first) => self.manifest_at(&first).await?.into_iter().collect(),
            None => {
                self.all_users(std::slice::from_ref(manifest), &BTreeSet::from([name.to_owned()])).await?
            }
        };
        self.delete_segments(manifest, &users, spared).await
    }

    async fn delete_dynamic(
        &self,
        name: &str,
        manifest: &DynamicManifest,
        users: &Users,
        spared: &[&str],
    ) -> Result<Deletion> {
        let found;
        let users = match users.first.get(name) {
            Some(first) if users.going.contains(first) => &[][..],
            Some(first) => {
                found = self.manifest_at(first).await?;
                found.as_slice()
            }
            None => users.all.as_ref().map_err(crate::SwiftError::for_another)?,
        };
        let deletion = self.delete(name).await?;
        self.delete_segments(manifest, users, spared).await?;
        Ok(deletion)
    }

    async fn delete_segments(
        &self,
        manifest: &DynamicManifest,
        users: &[DynamicManifest],
        spared: &[&str],
    ) -> Result<()> {
        let users: Vec<_> = users.iter().filter(|user| user.overlaps(manifest)).collect();
        if users.iter().any(|user| manifest.prefix.starts_with(&user.prefix)) {
            return Ok(());
        }
        let here = manifest.container == self.name();
        let is_free = |name: &str| {
            let used = users.iter().any(|user| name.starts_with(&user.prefix));
            let spared = here && spared.iter().any(|prefix| name.starts_with(prefix));
            !used && !spared
        };
        let container = self.sibling(&manifest.container);
        let mut segments = container.entries(&*manifest.prefix, false).try_chunks(SEGMENTS_AT_ONCE);
        while let Some(segments) = segments.next().await {
            let segments = segments.map_err(|stream::TryChunksError(_, error)| error)?;
            let names = segments.iter().map(ListingEntry::name).filter(|name| is_free(name));
            let names: Vec<String> = names.map(str::to_owned).collect();
            for deletion in container.delete_many(names).await {
                deletion?;
            }
        }
        Ok(())
    }

    /// Who else may use the segments of these.
    async fn users(&self, doomed: &[Doomed]) -> Users {
        let going = doomed.iter().map(|doomed| doomed.name.clone()).collect();
        let (mut first, mut others) = (HashMap::new(), Vec::new());
        for Doomed { name, metadata } in doomed {
            let Some(manifest) = metadata.manifest() else { continue };
            match first_manifest(&manifest.prefix).filter(|first| first != name) {
                Some(known) => drop(first.insert(name.clone(), known)),
                None => others.push(manifest),
            }
        }
        let all = if others.is_empty() { Ok(Vec::new()) } else { self.all_users(&others, &going).await };
        Users { going, first, all }
    }

    /// All other manifests in this container that speak of segments of these. Manifests are empty objects as a rule.
    async fn all_users(
        &self,
        manifests: &[DynamicManifest],
        going: &BTreeSet<String>,
    ) -> Result<Vec<DynamicManifest>> {
        tracing::info!(
            container = self.name(),
            "looking at all empty objects: one of them may need the segments that are to be deleted"
        );
        let empty = self.entries("", false).try_filter_map(|entry| async move {
            Ok(match entry {
                ListingEntry::Object { name, size: 0, .. } => Some(name),
                _ => None,
            })
        });
        let others = empty.try_filter(|name| std::future::ready(!going.contains(name)));
        let found = others.map_ok(|name| async move { self.manifest_at(&name).await });
        let found = found.try_buffer_unordered(Self::DELETES_AT_ONCE);
        let users = found.try_filter_map(|user| async move {
            Ok(user.filter(|user| manifests.iter().any(|manifest| user.overlaps(manifest))))
        });
        users.try_collect().await
    }

    /// The manifest of a dynamic large object as it was written; Swift does not look at the segments for that.
    async fn manifest_at(&self, name: &str) -> Result<Option<DynamicManifest>> {
        let call = self.look_call(name, Freshness::Newest).query("multipart-manifest", "get");
        Ok(self.looked(call).await?.and_then(|metadata| metadata.manifest()))
    }
}

/// Who may use the segments of dynamic large objects that are to go.
struct Users {
    /// All that go.
    going: BTreeSet<String>,
    /// For some of those, the one other object that may be a manifest of the same segments.
    first: HashMap<String, String>,
    /// The manifests that speak of segments of the others.
    all: Result<Vec<DynamicManifest>>,
}

/// The object that registry:2 wrote these segments for. It names them after it, in hexadecimal and not hashed as it was
/// meant to be; then it moves the manifest to one other name. So whatever else has this manifest, it is one of the two.
fn first_manifest(prefix: &str) -> Option<String> {
    let (root, name) =
        prefix.rsplit_once("segments/").filter(|(root, _)| root.is_empty() || root.ends_with('/'))?;
    let (three, rest) = name.split_once('/').filter(|(three, _)| three.len() == 3)?;
    let bytes = HEXLOWER.decode(format!("{three}{rest}").as_bytes()).ok()?;
    let path = bytes.strip_suffix(SHA1_OF_NOTHING)?;
    let path = path.get(..path.len().checked_sub(RANDOM_BYTES)?)?;
    let path = std::str::from_utf8(path).ok().filter(|path| path.starts_with('/'))?;
    Some(format!("{root}files{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registry_2_names_segments_after_their_first_manifest() {
        let path = "/docker/registry/v2/repositories/a/b/_uploads/0b2f/data";
        let hex = HEXLOWER.encode(&[path.as_bytes(), &[7; RANDOM_BYTES], SHA1_OF_NOTHING].concat());
        assert!(hex.starts_with("2f646f636b65722f"), "{hex}");
        let roots =
            [("", "files"), ("p/", "p/files"), ("foo//", "foo//files"), ("segments/", "segments/files")];
        for (root, files) in roots {
            let prefix = format!("{root}segments/{}/{}", &hex[..3], &hex[3..]);
            assert_eq!(first_manifest(&prefix).unwrap(), format!("{files}{path}"), "{prefix}");
        }
        let made_up = [
            "segments/2f6/12345",
            "segments/2f6/46f6",
            "segments/da3/9a3ee5e6b4b0d3255bfef95601890afd80709",
            "mysegments/2f6/46",
            "a",
            "",
        ];
        for prefix in made_up {
            assert_eq!(first_manifest(prefix), None, "{prefix}");
        }
    }
}
