//! What a client said of an image in version 1: a JSON object, of which the registry looked only at `id` and `parent`.

use apus_registry::Digest;
use serde_json::{Map, Value};

use crate::ImageId;

/// What a client said of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Which image it is.
    pub id: ImageId,
    /// The image whose files lie below this one's; `None` for the lowest.
    pub parent: Option<ImageId>,
    members: Map<String, Value>,
}

/// Why a text describes no image.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// It is no JSON object.
    #[error("it is no JSON object: {0}")]
    Json(#[from] serde_json::Error),
    /// It does not say which image it is.
    #[error("its member {0} is no identifier of an image")]
    Identifier(&'static str),
}

/// One step by which an image was made, as the image specification has it (`history`).
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    members: Map<String, Value>,
}

impl Step {
    /// Bytes of its text, about.
    pub(crate) fn length(&self) -> usize {
        self.members.values().map(|value| value.as_str().map_or(16, str::len) + 16).sum()
    }
}

impl Description {
    /// Takes in what a client sent.
    pub fn parse(json: &[u8]) -> Result<Self, DescriptionError> {
        let members: Map<String, Value> = serde_json::from_slice(json)?;
        let identifier = |name| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            // Clients wrote no parent as an empty text too.
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => {
                ImageId::parse(text).map(Some).ok_or(DescriptionError::Identifier(name))
            }
            Some(_) => Err(DescriptionError::Identifier(name)),
        };
        let id = identifier("id")?.ok_or(DescriptionError::Identifier("id"))?;
        let parent = identifier("parent")?;
        Ok(Self { id, parent, members })
    }

    /// How the image was made, for the history of those above it.
    #[must_use]
    pub fn step(&self, without_files: bool) -> Step {
        let mut members = Map::new();
        let mut copy = |name: &str, value: Option<Value>| {
            if let Some(value) = value.filter(|value| value.as_str() != Some("")) {
                members.insert(name.to_owned(), value);
            }
        };
        let text = |name| self.members.get(name).filter(|value| value.is_string()).cloned();
        copy("created", text("created"));
        copy("created_by", self.command().map(Value::String));
        copy("author", text("author"));
        copy("comment", text("comment"));
        copy("empty_layer", without_files.then_some(Value::Bool(true)));
        Step { members }
    }

    /// The command that made the image.
    fn command(&self) -> Option<String> {
        let command = self.members.get("container_config")?.get("Cmd")?.as_array()?;
        let words: Vec<&str> = command.iter().filter_map(Value::as_str).collect();
        Some(words.join(" "))
    }

    /// The configuration of the image as Docker's schema 2 and the OCI image specification have it: what the client said, but for
    /// what only version 1 needs, with the digests of its layers' archives and with its history, both from the lowest on. The
    /// same image gives the same bytes at any time.
    #[must_use]
    pub fn configuration(&self, layers: &[Digest], history: Vec<Step>) -> Vec<u8> {
        let mut members = self.members.clone();
        for of_version_1 in ["id", "parent", "Size", "checksum", "parent_id", "layer_id", "throwaway"] {
            members.remove(of_version_1);
        }
        for (name, usual) in [("architecture", "amd64"), ("os", "linux")] {
            let said = members.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            if !said {
                members.insert(name.to_owned(), usual.into());
            }
        }
        let layers: Vec<Value> = layers.iter().map(|digest| digest.to_string().into()).collect();
        let history: Vec<Value> = history.into_iter().map(|step| Value::Object(step.members)).collect();
        members.insert("rootfs".to_owned(), serde_json::json!({ "type": "layers", "diff_ids": layers }));
        members.insert("history".to_owned(), history.into());
        Value::Object(members).to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests;
