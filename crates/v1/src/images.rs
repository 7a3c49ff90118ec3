//! Images: their parts, one by one.

use apus_legacy::layout::ImagePart;
use apus_legacy::{ImageId, LayerPlace, Listing, Looked, SaidImage};
use apus_storage::{ByteRange, ObjectReader};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, IF_MODIFIED_SINCE, LOCATION, RANGE,
};
use http::{HeaderValue, Method, StatusCode};

use crate::call::{Body, CHECKSUM, Head, SIZE};
use crate::replies::{self, Failure, Outcome, with};
use crate::route::Part;
use crate::sign_in::Standing;
use crate::{Content, Reply, V1};

const OCTETS: &str = "application/octet-stream";

fn known(id: Option<&ImageId>) -> Result<&ImageId, Failure> {
    id.ok_or_else(|| Failure::not_found("Invalid image ID"))
}

impl V1 {
    /// The parts of an image never change once they are there, so that whoever has them is told that nothing has changed; but
    /// only of an image that is there and may be seen.
    pub(crate) async fn get_image(
        &self,
        id: Option<&ImageId>,
        part: Part,
        head: &Head,
        standing: &Standing,
    ) -> Outcome {
        let id = known(id)?;
        self.may_read(id, head, standing).await?;
        let reply = match part {
            Part::Json => self.get_json(id).await?,
            Part::Layer => return self.get_layer(id, head).await,
            Part::Ancestry => replies::streamed_json(
                self.registry().open_part(id, ImagePart::Ancestry, ByteRange::Full).await?,
            ),
            Part::Files => self.get_listing(id, Looked::Files).await?,
            Part::Diff => self.get_listing(id, Looked::Diff).await?,
            Part::Checksum => return Err(Failure::not_found("Not found")),
        };
        Ok(self.unless_known(reply, head))
    }

    fn unless_known(&self, reply: Reply, head: &Head) -> Reply {
        let reply = if head.headers.contains_key(IF_MODIFIED_SINCE) {
            replies::empty(StatusCode::NOT_MODIFIED, &[])
        } else {
            reply
        };
        replies::cacheable(reply, self.is_open())
    }

    async fn get_json(&self, id: &ImageId) -> Outcome {
        let json = self.registry().open_part(id, ImagePart::Json, ByteRange::Full);
        let (json, state) = futures_util::future::join(json, self.registry().image_state(id)).await;
        let (json, state) = (json?, state?);
        let mut reply = replies::streamed_json(json);
        if let Some(size) = state.layer_size {
            reply = with(reply, SIZE, size.to_string());
        }
        Ok(state.checksums.iter().fold(reply, |reply, checksum| with(reply, CHECKSUM, checksum)))
    }

    async fn get_listing(&self, id: &ImageId, what: Looked) -> Outcome {
        Ok(match self.registry().listing(id, what).await? {
            Listing::Kept(reader) => replies::streamed_json(reader),
            Listing::Found(content) => replies::raw_json(StatusCode::OK, content),
        })
    }

    async fn get_layer(&self, id: &ImageId, head: &Head) -> Outcome {
        let range = wanted(head);
        if head.headers.contains_key(IF_MODIFIED_SINCE) {
            self.registry().check_finished(id).await?;
            if self.registry().image_state(id).await?.layer_size.is_none() {
                return Err(Failure::absent("Image not found"));
            }
            return Ok(self.unless_known(replies::empty(StatusCode::OK, &[]), head));
        }
        if head.method == Method::HEAD {
            self.registry().check_finished(id).await?;
            let size = self.registry().image_state(id).await?.layer_size;
            let size = size.ok_or_else(|| Failure::absent("Image not found"))?;
            let reply = replies::empty(StatusCode::OK, &[(http::header::CONTENT_TYPE, OCTETS)]);
            return Ok(self.layer(with(reply, CONTENT_LENGTH, size.to_string())));
        }
        let lifetime = self.options().redirect;
        let reader = match self.registry().open_layer(id, range.unwrap_or_default(), lifetime).await? {
            LayerPlace::Elsewhere(url) => return Ok(elsewhere(&url)),
            LayerPlace::Here(reader) => reader,
        };
        let ObjectReader { info, range: given, .. } = &reader;
        if range.is_none() {
            return Ok(self.layer(replies::streamed(StatusCode::OK, OCTETS, reader)));
        }
        if given.is_empty() {
            // No content at all: docker, which has all of the layer, takes an answer of no bytes for the end.
            let reply = replies::empty(StatusCode::RANGE_NOT_SATISFIABLE, &[(CONTENT_LENGTH, "0")]);
            return Ok(with(reply, CONTENT_RANGE, format!("bytes */{}", info.size)));
        }
        let said = format!("bytes {}-{}/{}", given.start, given.end.saturating_sub(1), info.size);
        let reply = replies::streamed(StatusCode::PARTIAL_CONTENT, OCTETS, reader);
        Ok(self.layer(with(reply, CONTENT_RANGE, said)))
    }

    fn layer(&self, reply: Reply) -> Reply {
        with(replies::cacheable(reply, self.is_open()), ACCEPT_RANGES, "bytes")
    }

    pub(crate) async fn put_json(
        &self,
        id: Option<&ImageId>,
        head: &Head,
        standing: &Standing,
        body: Body,
    ) -> Outcome {
        let id = known(id)?;
        let said = SaidImage::parse(id, self.collect(body).await?)?;
        if let Standing::Index { images, .. } = standing
            && !images.contains(id)
        {
            return Err(Failure::bad("This image does not belong to the repository"));
        }
        if let Some(parent) = said.parent() {
            if !self.registry().has_image(parent).await? {
                return Err(apus_legacy::Refusal::ParentUnknown.into());
            }
            self.may_build_on(parent, head, standing).await?;
        }
        self.registry().begin_image(&said).await.map_err(final_failure)?;
        Ok(replies::done())
    }

    pub(crate) async fn put_layer(&self, id: Option<&ImageId>, body: Body) -> Outcome {
        let id = known(id)?;
        self.registry().put_layer(id, body.stream, body.length).await.map_err(final_failure)?;
        Ok(replies::done())
    }

    pub(crate) async fn put_checksum(&self, id: Option<&ImageId>, head: &Head) -> Outcome {
        let id = known(id)?;
        let Some(checksum) = head.text(CHECKSUM) else {
            let text = "The header X-Docker-Checksum-Payload is missing: this client is older than docker 0.10, whose \
                        pushes cannot be proven. Upgrade it";
            return Err(Failure::new(StatusCode::PRECONDITION_FAILED, text));
        };
        let checksum = checksum.trim();
        if checksum.is_empty() {
            return Err(Failure::bad("Missing Image's checksum"));
        }
        self.registry().finish_image(id, checksum).await.map_err(final_failure)?;
        Ok(replies::done())
    }
}

/// What is written to is here, or nowhere.
fn final_failure(refusal: apus_legacy::Refusal) -> Failure {
    match Failure::from(refusal) {
        failure if failure.is_absence() => Failure::not_found("Image not found"),
        failure => failure,
    }
}

/// Clients send the range again where they are sent to. Nobody may keep this answer, for the URL ends; nor show it.
fn elsewhere(url: &str) -> Reply {
    let mut reply = replies::empty(StatusCode::FOUND, &[(CACHE_CONTROL, "no-store")]);
    if let Ok(mut url) = HeaderValue::from_str(url) {
        url.set_sensitive(true);
        reply.headers_mut().insert(LOCATION, url);
    }
    *reply.body_mut() = Content::Empty;
    reply
}

/// One range of bytes, if that is what is wanted. Several, or what cannot be understood, get all of it (RFC 9110, section 14.2).
fn wanted(head: &Head) -> Option<ByteRange> {
    let (first, last) = head.text(RANGE)?.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // One that no number holds lies behind every end.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first.trim(), last.trim()) {
        ("", count) => Some(ByteRange::Last(number(count)?)),
        (first, "") => Some(ByteRange::From(number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRange::FromTo { first, last })
        }
    }
}
