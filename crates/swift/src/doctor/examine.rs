//! The steps of an examination, but for the last.

use std::error::Error;
use std::time::Duration;

use apus_storage::{ByteRange, Freshness, body};
use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::Doctor;
use super::finding::{Finding, Found, Verdict, told};
use super::probes::{Border, Probes, random};
use super::step::Step;
use crate::client::{
    ListingRequest, ObjectKind, Reading, Segment, SloManifest, TemporaryUrlProof, TemporaryUrls, Upload,
    Uploaded, Usage,
};
use crate::config::AuthVersion;
use crate::error::{Result, SwiftError, SwiftErrorKind};

/// A token that is good for less than this is renewed all the time.
const SHORT_LIFE: Duration = Duration::from_mins(1);
/// How long a listing is waited for.
pub(super) const LISTING_PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at a listing.
pub(super) const LISTING_PAUSE: Duration = Duration::from_millis(100);
/// The largest segment that the doctor writes, be the cluster's least size what it may.
const LARGEST_SEGMENT: u64 = 64 << 20;
/// What to do when an object is not what was written.
const OTHERS_INTERFERE: &str =
    "see what stands between this machine and Swift, or look into Swift: objects are not what was written";

impl Doctor {
    /// Takes all steps but the last, and reports of each as soon as it is done. Afterwards [`clear_away`](Self::clear_away)
    /// must be called, also when this future was dropped in the middle.
    pub async fn examine(&mut self, mut report: impl FnMut(Finding)) {
        for step in Step::ALL.into_iter().filter(|step| *step != Step::Delete) {
            let begun = Instant::now();
            let found = match step.needs().filter(|needed| !self.passed.contains(needed)) {
                Some(needed) => Found::skipped(format!("not tried without {needed}")),
                None => self.take(step).await.unwrap_or_else(Found::from),
            };
            if matches!(found.verdict, Verdict::Works | Verdict::Warning) {
                self.passed.push(step);
            }
            report(found.of(step, begun.elapsed()));
        }
    }

    async fn take(&mut self, step: Step) -> Result<Found> {
        match step {
            Step::SignIn => self.sign_in().await,
            Step::Token => self.token().await,
            Step::Capabilities => self.capabilities().await,
            Step::Container => self.container().await,
            Step::Quota => self.quota().await,
            Step::Write => self.write().await,
            Step::Read => self.read().await,
            Step::Head => self.head().await,
            Step::List => self.list().await,
            Step::LargeObject => self.large_object().await,
            Step::Range => self.range().await,
            Step::TemporaryUrl => Ok(self.temporary_url().await),
            Step::Delete => Ok(Found::skipped("it comes last")),
        }
    }

    async fn sign_in(&self) -> Result<Found> {
        let connected = match self.client.connect().await {
            Ok(connected) => connected,
            Err(error) => return Ok(not_signed_in(&error)),
        };
        let version = connected.auth_version.map(|version| match version {
            AuthVersion::V1 => "version 1".to_owned(),
            AuthVersion::V2 => "version 2".to_owned(),
            AuthVersion::V3 => "version 3".to_owned(),
        });
        let credentials = &self.config.credentials;
        let project = credentials.project().map(|project| format!("project {:?}", project.text()));
        let region = self.config.region.as_ref().map(|region| format!("region {region}"));
        let parts: Vec<String> =
            [version, Some(credentials.who()), project, region].into_iter().flatten().collect();
        Ok(Found::works(format!("{}: {}", parts.join(", "), connected.storage_url)))
    }

    async fn token(&self) -> Result<Found> {
        Ok(match self.client.connect().await?.token_life {
            None => Found::works("it is not said how long it is good for"),
            Some(life) if life < SHORT_LIFE => Found::warning(
                format!("good for {} only", words(life)),
                "let the identity service give out tokens that live for an hour or so",
            ),
            Some(life) => Found::works(format!("good for {}", words(life))),
        })
    }

    async fn capabilities(&self) -> Result<Found> {
        let capabilities = self.client.capabilities().await?;
        let text = capabilities.to_string();
        Ok(if !capabilities.told {
            let advice =
                "show /info (expose_info in the proxy of Swift), or configure what differs from the usual";
            Found::warning(text, advice)
        } else if capabilities.max_deletes.is_none() {
            let advice =
                "enable the middleware bulk in Swift's proxy: without it objects are deleted one by one";
            Found::warning(text, advice)
        } else {
            Found::works(text)
        })
    }

    async fn container(&mut self) -> Result<Found> {
        match self.find_or_make_container().await {
            Err(error) if error.kind() == SwiftErrorKind::Denied => {
                self.container_was_missing = false;
                Ok(Found::failed(
                    told(&error, error.transaction()),
                    "have the container made by someone who may, name another one as container, or give the user a \
                     role that may make it, such as member or swiftoperator",
                ))
            }
            found => found,
        }
    }

    async fn find_or_make_container(&mut self) -> Result<Found> {
        let name = self.container.name().to_owned();
        if let Some(usage) = self.container.usage().await? {
            return Ok(Found::works(match usage.objects {
                Some(objects) => format!("{name:?} is there, with {objects} objects"),
                None => format!("{name:?} is there"),
            }));
        }
        self.container_was_missing = true;
        self.container.ensure().await?;
        Ok(Found::works(format!("{name:?} was missing, and can be made")))
    }

    async fn quota(&self) -> Result<Found> {
        let container = self.container.usage().await?.unwrap_or_default();
        let account = match self.client.usage().await {
            Ok(usage) => usage,
            // To use a container takes fewer rights.
            Err(error) if error.kind() == SwiftErrorKind::Denied => None,
            Err(error) => return Err(error),
        };
        let of_account = account.as_ref().map_or("not shown to this user".to_owned(), described);
        let text = format!("container: {}; account: {of_account}", described(&container));
        let is_short = |usage: &Usage| {
            let short = |quota: Option<u64>, used: Option<u64>| match (quota, used) {
                (Some(quota), Some(used)) => used >= quota.saturating_sub(quota / 20),
                _ => false,
            };
            short(usage.byte_quota, usage.bytes) || short(usage.object_quota, usage.objects)
        };
        Ok(if is_short(&container) || account.as_ref().is_some_and(is_short) {
            Found::warning(
                text,
                "raise the quota, or delete what nobody needs: less than a twentieth is left",
            )
        } else {
            Found::works(text)
        })
    }

    async fn write(&mut self) -> Result<Found> {
        self.has_written = true;
        let Probes { plain, content, .. } = &self.probes;
        Ok(match self.container.put(Upload::new(plain.clone(), content.clone())).await? {
            Uploaded::Stored(stored) => {
                Found::works(format!("{} bytes, and Swift stored what was sent", stored.size))
            }
            Uploaded::Exists { .. } | Uploaded::Superseded => {
                Found::failed("the object was not stored", OTHERS_INTERFERE)
            }
        })
    }

    async fn read(&self) -> Result<Found> {
        let Probes { plain, content, .. } = &self.probes;
        let found = self.fetch(plain, ByteRange::Full).await?;
        Ok(same(found.as_ref(), content, "the same bytes came back"))
    }

    async fn head(&self) -> Result<Found> {
        let Probes { plain, content, .. } = &self.probes;
        let Some(metadata) = self.container.head(plain, Freshness::Any).await? else {
            return Ok(Found::failed("the object that was written is not there", OTHERS_INTERFERE));
        };
        let tag = crate::etag::of_bytes(content);
        Ok(if metadata.size != content.len() as u64 {
            Found::failed(format!("a size of {} is told", metadata.size), OTHERS_INTERFERE)
        } else if metadata.entity_tag.is_some_and(|told| !told.eq_ignore_ascii_case(&tag)) {
            Found::failed("another entity tag is told", OTHERS_INTERFERE)
        } else {
            Found::works("size and entity tag are right")
        })
    }

    async fn list(&self) -> Result<Found> {
        let begun = Instant::now();
        loop {
            let names = self.listed().await?;
            let lag = begun.elapsed();
            if names.contains(&self.probes.plain) {
                return Ok(Found::works(format!("the object is shown after {:.1} s", lag.as_secs_f64())));
            }
            if lag > LISTING_PATIENCE {
                return Ok(Found::warning(
                    format!("the object is not shown after {} s", lag.as_secs()),
                    "see why the container servers of Swift are behind: lists of tags and repositories will be, too",
                ));
            }
            sleep(LISTING_PAUSE).await;
        }
    }

    /// The names of the doctor's own objects, by a listing.
    pub(super) async fn listed(&self) -> Result<Vec<String>> {
        let request =
            ListingRequest { prefix: &self.probes.beginning, limit: 100, ..ListingRequest::default() };
        let listing = self.container.list(&request).await?;
        Ok(listing.entries.iter().map(|entry| entry.name().to_owned()).collect())
    }

    async fn large_object(&mut self) -> Result<Found> {
        let capabilities = self.client.capabilities().await?;
        if capabilities.lacks_large_objects() {
            let text = "the cluster has no static large objects, or does not list slo in /info";
            return Ok(Found::failed(text, "enable the middleware slo in Swift's proxy"));
        }
        self.has_written = true;
        let least = capabilities.min_segment_size.unwrap_or(0).min(LARGEST_SEGMENT);
        let size = usize::try_from(least).unwrap_or(0).max(Probes::SIZE);
        let contents = [random(size), random(Probes::SIZE)];
        let mut segments = Vec::new();
        for (name, content) in self.probes.segments.iter().zip(&contents) {
            let uploaded = self.container.put(Upload::new(name.clone(), content.clone())).await?;
            let Uploaded::Stored(stored) = uploaded else {
                return Ok(Found::failed("a segment was not stored", OTHERS_INTERFERE));
            };
            segments.push(Segment { name: name.clone(), etag: stored.entity_tag, size: stored.size });
        }
        self.container.put_manifest(SloManifest::new(&self.probes.large, &segments)).await?;
        self.border = Some(Border::between(&contents));
        let whole: u64 = segments.iter().map(|segment| segment.size).sum();
        let made = self.container.head(&self.probes.large, Freshness::Newest).await?;
        Ok(match made {
            Some(made) if made.kind == ObjectKind::Static && made.size == whole => {
                Found::works(format!("{whole} bytes in two segments (SLO)"))
            }
            _ => Found::failed("what was made of two segments is not what was asked for", OTHERS_INTERFERE),
        })
    }

    async fn range(&self) -> Result<Found> {
        let Some(Border { range, content }) = &self.border else {
            return Ok(Found::skipped("there is no large object"));
        };
        let found = self.fetch(&self.probes.large, *range).await?;
        Ok(same(found.as_ref(), content, "the right bytes came from across the border of two segments"))
    }

    async fn temporary_url(&self) -> Found {
        if !self.examines_temporary_urls {
            return Found::skipped("the configuration wants none");
        }
        let Probes { plain, content, .. } = &self.probes;
        let urls = TemporaryUrls::new(self.container.clone(), &self.config, plain, content.clone());
        match urls.prove().await {
            Ok(TemporaryUrlProof { digest, scope, host }) => {
                let key = scope.map_or("the configured key".to_owned(), |scope| format!("the {scope}'s key"));
                Found::works(format!("fetched from {host} by one, signed by {digest} with {key}"))
            }
            Err(error) => {
                let advice =
                    format!("{}; until then all content is streamed through this process", error.advice());
                Found::warning(told(&error, None), advice)
            }
        }
    }

    /// The content of one of the doctor's own objects, or of a part of it; `None` when it is not there.
    async fn fetch(&self, name: &str, range: ByteRange) -> Result<Option<Bytes>> {
        let Reading::Content(download) = self.container.get(name, range, Freshness::Any).await? else {
            return Ok(None);
        };
        match body::collect(download.stream, Probes::SIZE).await {
            Ok(content) => Ok(Some(content)),
            Err(error) => Err(match error.downcast::<SwiftError>() {
                Ok(error) => *error,
                Err(error) => {
                    SwiftError::new(SwiftErrorKind::Unexpected, format!("GET {name}"), "the content failed")
                        .with_source(error)
                }
            }),
        }
    }
}

/// That there was no signing in need not be said to who wanted nothing else.
fn not_signed_in(error: &SwiftError) -> Found {
    let text = error.source().map_or_else(|| told(error, None), |cause| told(cause, None));
    Found::failed(text, error.advice().unwrap_or("look into the identity service, or wait"))
}

/// In the largest unit of which there are two or more.
fn words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

fn same(found: Option<&Bytes>, expected: &Bytes, what: &str) -> Found {
    match found {
        Some(found) if found == expected => Found::works(what),
        Some(_) => Found::failed("other bytes came back than were written", OTHERS_INTERFERE),
        None => Found::failed("what was written a moment ago is not there", OTHERS_INTERFERE),
    }
}

fn described(usage: &Usage) -> String {
    let part = |used: Option<u64>, quota: Option<u64>, unit: &str| match (used, quota) {
        (Some(used), Some(quota)) => format!("{used} of {quota} {unit}"),
        (Some(used), None) => format!("{used} {unit}"),
        (None, Some(quota)) => format!("up to {quota} {unit}"),
        (None, None) => format!("{unit} not told"),
    };
    let bytes = part(usage.bytes, usage.byte_quota, "bytes");
    let objects = part(usage.objects, usage.object_quota, "objects");
    match (usage.byte_quota, usage.object_quota) {
        (None, None) => format!("{bytes}, {objects}, no quota"),
        _ => format!("{bytes}, {objects}"),
    }
}
