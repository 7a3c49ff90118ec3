//! Why an image of docker-registry 0.x does not become one of today.

use std::sync::Arc;

use crate::{Error, ImageId};

/// Why something does not become what it would be today.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Reason {
    /// What is stored does not allow it. Trying again changes nothing.
    #[error("{0}")]
    Unfit(Arc<str>),
    /// It did not work. Trying again may help.
    #[error("{0}; run it again")]
    Failed(Arc<str>),
}

impl Reason {
    pub(crate) fn unfit(text: impl Into<Arc<str>>) -> Self {
        Self::Unfit(text.into())
    }

    pub(crate) fn about(self, image: &ImageId) -> Self {
        match self {
            Self::Unfit(text) => Self::unfit(format!("image {image}: {text}")),
            Self::Failed(text) => Self::Failed(format!("image {image}: {text}").into()),
        }
    }
}

impl From<Error> for Reason {
    fn from(error: Error) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        if error.is_lasting() { Self::Unfit(text.into()) } else { Self::Failed(text.into()) }
    }
}
