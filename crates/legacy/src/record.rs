//! What is remembered of layers that were read, as small objects in storage: by the checksum that proved them, so that what the old
//! registry has is still what was read.

use std::sync::Arc;

use apus_registry::Digest;
use apus_storage::{ByteRange, Freshness, ObjectName, Storage, WriteMode, body};
use serde::{Deserialize, Serialize};

use crate::layer::{Descriptor, Form, Layer};
use crate::{ImageId, Result, StoredImage};

/// Under which the records lie. The number is the version of their format.
const FOLDER: &str = "apus/imports/docker-registry/1";

/// The largest record, in bytes.
const LARGEST: usize = 4096;

/// The records in one storage.
#[derive(Debug)]
pub(crate) struct Records(Arc<dyn Storage>);

#[derive(Serialize, Deserialize)]
struct Record {
    /// Of description and layer, as the old registry computes it.
    checksum: String,
    /// Bytes of the layer in the old registry.
    stored: u64,
    /// `None` where there were no files.
    layer: Option<Written>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    digest: String,
    size: u64,
    archive: String,
    form: WrittenForm,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum WrittenForm {
    Archive,
    Gzip,
    GzipAnew,
}

impl Records {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self(storage)
    }

    /// What became of an image's layer; `None` unless it was proven by one of the checksums that are kept of it or, where none is
    /// kept, has still the same length. A record that makes no sense is none: the layer is read again, which changes nothing.
    pub(crate) async fn find(&self, image: &StoredImage) -> Result<Option<Layer>> {
        let Some(reader) = self.0.read(&name(&image.id)?, ByteRange::Full, Freshness::Newest).await? else {
            return Ok(None);
        };
        let Ok(content) = body::collect(reader.stream, LARGEST).await else { return Ok(None) };
        let Ok(record) = serde_json::from_slice::<Record>(&content) else { return Ok(None) };
        let is_the_same = match image.proofs().next() {
            Some(_) => image.proofs().any(|proof| *proof == record.checksum),
            None => image.layer.as_ref().is_some_and(|layer| layer.size == record.stored),
        };
        if !is_the_same {
            return Ok(None);
        }
        Ok(match record.layer {
            None => Some(Layer::NoFiles),
            Some(written) => read(&written).map(Layer::Files),
        })
    }

    pub(crate) async fn keep(&self, image: &StoredImage, checksum: &Digest, layer: &Layer) -> Result<()> {
        let layer = layer.descriptor().map(|descriptor| Written {
            digest: descriptor.digest.to_string(),
            size: descriptor.size,
            archive: descriptor.archive.to_string(),
            form: match descriptor.form {
                Form::Archive => WrittenForm::Archive,
                Form::Gzip => WrittenForm::Gzip,
                Form::CompressedAnew => WrittenForm::GzipAnew,
            },
        });
        let stored = image.layer.as_ref().map_or(0, |layer| layer.size);
        let record = Record { checksum: checksum.to_string(), stored, layer };
        // Plain strings and numbers always become JSON.
        let content = serde_json::to_vec(&record).unwrap_or_default();
        self.0.write(&name(&image.id)?, content.into(), WriteMode::Replace).await?;
        Ok(())
    }

    /// Takes a record away.
    pub(crate) async fn forget(&self, image: &ImageId) -> Result<()> {
        for outcome in self.0.delete(&[name(image)?]).await {
            outcome?;
        }
        Ok(())
    }
}

/// Where the record of an image lies.
fn name(image: &ImageId) -> Result<ObjectName> {
    Ok(ObjectName::parse(format!("{FOLDER}/{image}"))?)
}

fn read(written: &Written) -> Option<Descriptor> {
    Some(Descriptor {
        digest: Digest::parse(&written.digest).ok()?,
        archive: Digest::parse(&written.archive).ok()?,
        size: written.size,
        form: match written.form {
            WrittenForm::Archive => Form::Archive,
            WrittenForm::Gzip => Form::Gzip,
            WrittenForm::GzipAnew => Form::CompressedAnew,
        },
    })
}
