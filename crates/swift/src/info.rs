//! What a cluster says of itself at `/info` (Swift, "Discoverability"), and what an operator knows better. Every member is
//! optional; some clouds hide all.

use std::fmt;

use serde_json::Value;

/// What is known of a cluster's abilities and limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Whether the cluster told anything; if not, the rest are guesses.
    pub told: bool,
    /// Its version of Swift, or of Ceph.
    pub version: Option<String>,
    /// Bytes in the largest plain object.
    pub max_file_size: Option<u64>,
    /// Most entries in one page of a container's listing.
    pub container_listing_limit: Option<usize>,
    /// Most segments in a static large object; `None` when it has no such objects, or does not say.
    pub max_segments: Option<usize>,
    /// Fewest bytes in a segment of a static large object, the last one excepted.
    pub min_segment_size: Option<u64>,
    /// Most names in one bulk delete; `None` when it has no such thing, or does not say.
    pub max_deletes: Option<usize>,
    /// Whether it heeds a writer that wants to leave alone what exists (`If-None-Match: *`): Swift does, Ceph RGW does not.
    /// Where it is not known to, it is asked first whether there is something, which is one more request.
    pub conditional_writes: bool,
    /// Temporary URLs; `None` when it has none, or does not say.
    pub temporary_urls: Option<TemporaryUrlSupport>,
}

/// What a cluster says of its temporary URLs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemporaryUrlSupport {
    /// For which methods there may be one.
    pub methods: Vec<String>,
    /// Which digests may sign one, such as `sha256`; empty when it does not say (Ceph RGW, old Swifts).
    pub digests: Vec<String>,
}

/// What an operator knows of a cluster: each member that is there counts in place of what the cluster says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CapabilityOverrides {
    /// Bytes in the largest plain object.
    pub max_file_size: Option<u64>,
    /// Most entries in one page of a container's listing.
    pub container_listing_limit: Option<usize>,
    /// Most segments in a static large object; 0 means that there are no such objects.
    pub max_segments: Option<usize>,
    /// Fewest bytes in a segment of a static large object.
    pub min_segment_size: Option<u64>,
    /// Most names in one bulk delete; 0 means that there is no such thing.
    pub max_deletes: Option<usize>,
    /// Whether it heeds `If-None-Match: *`.
    pub conditional_writes: Option<bool>,
    /// Temporary URLs. Without a method there are none.
    pub temporary_urls: Option<TemporaryUrlSupport>,
}

impl Capabilities {
    /// What a stock Swift allows, and Ceph RGW too.
    const USUAL_FILE_SIZE: u64 = 5 << 30;
    const USUAL_SEGMENTS: usize = 1000;
    /// Ceph RGW has bulk deletes and does not say of how many.
    const USUAL_DELETES: usize = 1000;

    /// Bytes in the largest object that is to be written in one piece: 5 GiB, or less where the cluster says so.
    #[must_use]
    pub fn largest_piece(&self) -> u64 {
        self.max_file_size.map_or(Self::USUAL_FILE_SIZE, |size| size.min(Self::USUAL_FILE_SIZE))
    }

    /// Most segments that a large object is to have.
    #[must_use]
    pub fn most_segments(&self) -> usize {
        self.max_segments.unwrap_or(Self::USUAL_SEGMENTS)
    }

    /// The cluster said what it can, and static large objects are not in it.
    #[must_use]
    pub fn lacks_large_objects(&self) -> bool {
        self.max_segments.map_or(self.told, |most| most == 0)
    }

    /// Whether it is Ceph RGW: it alone has large objects and does not say how small their segments may be.
    pub(crate) fn is_ceph(&self) -> bool {
        self.told && self.max_segments.is_some() && self.min_segment_size.is_none()
    }

    /// Whether a listing is known to show static large objects with all their bytes, as Swift does. Ceph RGW is not.
    pub(crate) fn lists_large_objects_whole(&self) -> bool {
        self.told && !self.is_ceph()
    }

    /// What an `/info` says; `None` when it is none.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let info: Value = serde_json::from_slice(body).ok()?;
        info.as_object()?;
        let number = |path| info.pointer(path).and_then(Value::as_u64);
        let count = |path| number(path).map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let has = |section| info.get(section).is_some();
        let words = |path| -> Vec<String> {
            let words = info.pointer(path).and_then(Value::as_array).into_iter().flatten();
            words.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let capabilities = Self {
            told: true,
            version: info.pointer("/swift/version").and_then(Value::as_str).map(str::to_owned),
            max_file_size: number("/swift/max_file_size"),
            container_listing_limit: count("/swift/container_listing_limit"),
            max_segments: has("slo")
                .then(|| count("/slo/max_manifest_segments").unwrap_or(Self::USUAL_SEGMENTS)),
            min_segment_size: number("/slo/min_segment_size"),
            max_deletes: has("bulk_delete")
                .then(|| count("/bulk_delete/max_deletes_per_request").unwrap_or(Self::USUAL_DELETES)),
            conditional_writes: false,
            temporary_urls: has("tempurl").then(|| TemporaryUrlSupport {
                methods: words("/tempurl/methods"),
                digests: words("/tempurl/allowed_digests"),
            }),
        };
        Some(Self { conditional_writes: !capabilities.is_ceph(), ..capabilities })
    }

    /// The same, but for what an operator knows better.
    pub(crate) fn overridden_by(self, known: &CapabilityOverrides) -> Self {
        Self {
            told: self.told,
            version: self.version,
            max_file_size: known.max_file_size.or(self.max_file_size),
            container_listing_limit: known.container_listing_limit.or(self.container_listing_limit),
            max_segments: known.max_segments.or(self.max_segments),
            min_segment_size: known.min_segment_size.or(self.min_segment_size),
            max_deletes: known.max_deletes.or(self.max_deletes).filter(|most| *most > 0),
            conditional_writes: known.conditional_writes.unwrap_or(self.conditional_writes),
            temporary_urls: known.temporary_urls.clone().or(self.temporary_urls),
        }
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.version, self.told) {
            (Some(version), _) => write!(formatter, "Swift {version}")?,
            (None, true) => formatter.write_str("a Swift that does not say its version")?,
            (None, false) => formatter.write_str("a Swift that does not say what it can")?,
        }
        write!(formatter, ": objects to {} B", self.largest_piece())?;
        if self.lacks_large_objects() {
            formatter.write_str(", no large objects")?;
        } else {
            write!(formatter, ", large ones of {} segments", self.most_segments())?;
        }
        if let Some(least) = self.min_segment_size.filter(|least| *least > 1) {
            write!(formatter, " from {least} B")?;
        }
        if let Some(limit) = self.container_listing_limit {
            write!(formatter, ", {limit} names a page")?;
        }
        match self.max_deletes {
            Some(most) => write!(formatter, ", {most} deletes a request")?,
            None => formatter.write_str(", no bulk deletes")?,
        }
        if !self.conditional_writes {
            formatter.write_str(", no conditional writes")?;
        }
        match &self.temporary_urls {
            Some(support) if !support.methods.is_empty() => {
                write!(formatter, ", temporary URLs for {}", support.methods.join(" "))?;
                if !support.digests.is_empty() {
                    write!(formatter, " by {}", support.digests.join(" "))?;
                }
                Ok(())
            }
            _ => formatter.write_str(", no temporary URLs"),
        }
    }
}

/// Where `/info` may be, for an account's URL: beside the version, which may lie below a path of a proxy or of Ceph RGW,
/// and at the root of the host.
pub(crate) fn addresses(storage_url: &str) -> Vec<String> {
    let Some((scheme, rest)) = storage_url.split_once("://") else { return Vec::new() };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut above = String::new();
    for segment in path.split('/').take_while(|segment| !matches!(*segment, "v1" | "v1.0")) {
        if !segment.is_empty() {
            above.push('/');
            above.push_str(segment);
        }
    }
    let root = format!("{scheme}://{authority}/info");
    let beside = format!("{scheme}://{authority}{above}/info");
    if beside == root { vec![root] } else { vec![beside, root] }
}

#[cfg(test)]
mod tests;
