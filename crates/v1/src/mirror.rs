//! Mirroring: what is not here comes from another registry of version 1, and images are kept once they have come. Tags are kept
//! in memory for a while, and nothing is written about them.

use std::time::{Duration, Instant};

use apus_legacy::{ImageId, LARGEST, SaidImage};
use apus_storage::{BoxError, ByteStream};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, USER_AGENT, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, StatusCode};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::call::{CHECKSUM, ENDPOINTS, Head, SIZE, TOKEN};
use crate::outgoing::Outgoing;
use crate::replies::{self, with};
use crate::route::{Part, Route, Target};
use crate::{Content, Reply, V1};

/// Bytes that all tags of the source may have in memory.
const TAG_MEMORY: u64 = 16 << 20;

/// Pieces of a layer between the client, which gets it, and storage, which keeps it.
const PIECES: usize = 8;

/// What an operator can choose of mirroring.
#[derive(Debug, Clone)]
pub struct MirrorOptions {
    /// `source`: the URL of the registry.
    pub source: String,
    /// `source_index`: the URL of its index; `None` where it is the registry itself.
    pub source_index: Option<String>,
    /// `tags_cache_ttl`: how long tags are believed. Zero asks each time.
    pub tags_cache_ttl: Duration,
}

/// The registry from which comes what is not here.
#[derive(Debug)]
pub struct Mirror {
    outgoing: Outgoing,
    options: MirrorOptions,
    tags: Cache<String, (Instant, Bytes), ByLength>,
}

#[derive(Debug, Clone)]
struct ByLength;

impl Weighter<String, (Instant, Bytes)> for ByLength {
    fn weight(&self, path: &String, (_, content): &(Instant, Bytes)) -> u64 {
        (path.len() + content.len()) as u64 + 128
    }
}

impl Mirror {
    /// Mirrors a registry.
    #[must_use]
    pub fn new(outgoing: Outgoing, options: MirrorOptions) -> Self {
        Self { outgoing, options, tags: Cache::with_weighter(4096, TAG_MEMORY, ByLength) }
    }

    /// What the source answers to the same request; `None` unless that is 200. A part of something is not asked for: what comes
    /// is kept whole.
    async fn get(&self, base: &str, head: &Head) -> Option<apus_http_client::Response> {
        let mut headers = HeaderMap::new();
        for name in [AUTHORIZATION, TOKEN, USER_AGENT] {
            if let Some(value) = head.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        let query = head.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
        let url = format!("{}{}{query}", base.trim_end_matches('/'), head.path);
        match self.outgoing.get(&url, headers).await {
            Ok(answer) if answer.status == StatusCode::OK => Some(answer),
            Ok(answer) => {
                tracing::debug!(status = %answer.status, path = head.path, "the source of the mirror has it not");
                None
            }
            Err(error) => {
                tracing::warn!(%error, path = head.path, "the source of the mirror cannot be asked");
                None
            }
        }
    }

    fn source(&self) -> &str {
        &self.options.source
    }

    fn index(&self) -> &str {
        self.options.source_index.as_deref().unwrap_or(&self.options.source)
    }
}

/// Headers of the source that mean something here.
fn passed(answer: &HeaderMap, reply: Reply) -> Reply {
    [CHECKSUM, SIZE, TOKEN, WWW_AUTHENTICATE].iter().fold(reply, |reply, name| {
        answer
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .fold(reply, |reply, value| with(reply, name.clone(), value))
    })
}

impl V1 {
    /// The answer of the source where there is one; `None` to stay with what is here.
    pub(crate) async fn mirrored(&self, target: &Target, head: &Head) -> Option<Reply> {
        let mirror = self.options().mirror.as_ref()?;
        match target {
            Target::GetImage(Some(id), Part::Json) => self.mirrored_json(mirror, id, head).await,
            Target::GetImage(Some(id), Part::Ancestry) => self.mirrored_ancestry(mirror, id, head).await,
            Target::GetImage(Some(id), Part::Layer) => self.mirrored_layer(mirror, id, head).await,
            Target::GetTags(_) | Target::GetTag(..) => mirrored_tags(mirror, head).await,
            Target::GetImages(_) => {
                let answer = mirror.get(mirror.index(), head).await?;
                let headers = answer.headers.clone();
                let content = answer.body.collect(LARGEST).await.ok()?;
                let reply = replies::uncached(replies::raw_json(StatusCode::OK, content));
                Some(with(passed(&headers, reply), ENDPOINTS, self.endpoints(head).ok()?))
            }
            _ => None,
        }
    }

    async fn mirrored_json(&self, mirror: &Mirror, id: &ImageId, head: &Head) -> Option<Reply> {
        let answer = mirror.get(mirror.source(), head).await?;
        let headers = answer.headers.clone();
        let json = answer.body.collect(LARGEST).await.ok()?;
        SaidImage::parse(id, json.clone()).ok()?;
        let checksums: Vec<String> = headers
            .get_all(CHECKSUM)
            .iter()
            .filter_map(|value| Some(value.to_str().ok()?.to_owned()))
            .collect();
        if let Err(error) = self.registry().keep_json(id, json.clone(), &checksums).await {
            tracing::warn!(%error, image = %id, "an image of the source is not kept");
        }
        let reply = passed(&headers, replies::raw_json(StatusCode::OK, json));
        Some(replies::cacheable(reply, self.is_open()))
    }

    async fn mirrored_ancestry(&self, mirror: &Mirror, id: &ImageId, head: &Head) -> Option<Reply> {
        let answer = mirror.get(mirror.source(), head).await?;
        let ancestry = answer.body.collect(LARGEST).await.ok()?;
        let ids: Vec<String> = serde_json::from_slice(&ancestry).ok()?;
        if ids.first().map(String::as_str) != Some(id.as_str())
            || ids.iter().any(|id| ImageId::parse(id).is_none())
        {
            return None;
        }
        if let Err(error) = self.registry().keep_ancestry(id, ancestry.clone()).await {
            tracing::warn!(%error, image = %id, "an image of the source is not kept");
        }
        Some(replies::cacheable(replies::raw_json(StatusCode::OK, ancestry), self.is_open()))
    }

    /// The layer goes to the client, and past it into storage. It is kept if all of it has come.
    async fn mirrored_layer(&self, mirror: &Mirror, id: &ImageId, head: &Head) -> Option<Reply> {
        let answer = mirror.get(mirror.source(), head).await?;
        let length: u64 = answer.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
        let mut reply =
            replies::empty(StatusCode::OK, &[(http::header::CONTENT_TYPE, "application/octet-stream")]);
        if head.method == Method::HEAD {
            return Some(with(reply, CONTENT_LENGTH, length.to_string()));
        }
        let coming: ByteStream = answer.body.map_err(BoxError::from).boxed();
        let (to_storage, kept) = mpsc::channel::<Bytes>(PIECES);
        let registry = self.registry().clone();
        let image = id.clone();
        tokio::spawn(async move {
            let content =
                stream::unfold(kept, |mut kept| async { kept.recv().await.map(|piece| (Ok(piece), kept)) });
            // What ends early has not the length that was promised, and is not kept.
            match registry.keep_layer(&image, content.boxed(), length).await {
                Ok(()) => tracing::debug!(%image, length, "a layer of the source is kept"),
                Err(error) => tracing::warn!(%image, %error, "a layer of the source is not kept"),
            }
        });
        let passing = coming.and_then(move |piece| {
            let to_storage = to_storage.clone();
            async move {
                // Where it is not kept, the client gets it all the same.
                let _ = to_storage.send(piece.clone()).await;
                Ok(piece)
            }
        });
        *reply.body_mut() = Content::Stream(length, passing.boxed());
        Some(replies::cacheable(reply, self.is_open()))
    }

    /// What the source finds, by name.
    pub(crate) async fn searched_elsewhere(&self, head: &Head) -> Vec<(String, Value)> {
        let Some(mirror) = &self.options().mirror else { return Vec::new() };
        let Some(answer) = mirror.get(mirror.index(), head).await else { return Vec::new() };
        let found = match answer.body.collect(LARGEST).await {
            Ok(content) => serde_json::from_slice::<Value>(&content).unwrap_or_default(),
            Err(_) => return Vec::new(),
        };
        let results = found.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
        let named = results.into_iter().filter_map(|found| {
            let name = found.get("name")?.as_str()?.to_owned();
            Some((name, found))
        });
        named.collect()
    }
}

async fn mirrored_tags(mirror: &Mirror, head: &Head) -> Option<Reply> {
    let route = Route::parse(&head.path)?;
    // Who may see them is for the source to say, each time where there is something to say it by.
    let who = head.text(AUTHORIZATION).unwrap_or_default();
    let key = format!("{route:?} {who}");
    if let Some((since, content)) = mirror.tags.get(&key)
        && since.elapsed() < mirror.options.tags_cache_ttl
    {
        return Some(replies::uncached(replies::raw_json(StatusCode::OK, content)));
    }
    let answer = mirror.get(mirror.source(), head).await?;
    let content = answer.body.collect(LARGEST).await.ok()?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&content).ok()?;
    mirror.tags.insert(key, (Instant::now(), content.clone()));
    Some(replies::uncached(replies::raw_json(StatusCode::OK, content)))
}
