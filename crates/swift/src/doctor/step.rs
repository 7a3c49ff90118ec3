//! What there is to examine, in which order, and what must work before.

use std::fmt;

/// One thing to examine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Signing in, and asking the cluster what it can.
    SignIn,
    /// How long the token is good for.
    Token,
    /// What the cluster says that it can.
    Capabilities,
    /// Whether the container is there, or can be made.
    Container,
    /// How much the container and the account may hold.
    Quota,
    /// Writing an object.
    Write,
    /// Reading it.
    Read,
    /// Asking for its metadata.
    Head,
    /// Finding it in a listing.
    List,
    /// Making a large object of two segments.
    LargeObject,
    /// Reading a range across the border of the segments.
    Range,
    /// Fetching an object by a temporary URL.
    TemporaryUrl,
    /// Deleting all of it.
    Delete,
}

impl Step {
    /// All steps, in their order.
    pub const ALL: [Self; 13] = [
        Self::SignIn,
        Self::Token,
        Self::Capabilities,
        Self::Container,
        Self::Quota,
        Self::Write,
        Self::Read,
        Self::Head,
        Self::List,
        Self::LargeObject,
        Self::Range,
        Self::TemporaryUrl,
        Self::Delete,
    ];

    /// Its name, for people and for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Token => "token",
            Self::Capabilities => "capabilities",
            Self::Container => "container",
            Self::Quota => "quota",
            Self::Write => "write",
            Self::Read => "read",
            Self::Head => "head",
            Self::List => "list",
            Self::LargeObject => "large-object",
            Self::Range => "range",
            Self::TemporaryUrl => "temporary-url",
            Self::Delete => "delete",
        }
    }

    /// What makes no sense to try unless that one worked.
    pub(super) fn needs(self) -> Option<Self> {
        match self {
            Self::SignIn => None,
            Self::Token | Self::Capabilities | Self::Container => Some(Self::SignIn),
            Self::Quota | Self::Write => Some(Self::Container),
            Self::Read | Self::Head | Self::List | Self::LargeObject | Self::TemporaryUrl | Self::Delete => {
                Some(Self::Write)
            }
            Self::Range => Some(Self::LargeObject),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
