//! What comes of a step: data, for whoever shows it.

use std::error::Error;
use std::time::Duration;

use super::step::Step;
use crate::error::{SwiftError, SwiftErrorKind};

/// What came of a step.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which step.
    pub step: Step,
    /// In a word.
    pub verdict: Verdict,
    /// In a line.
    pub text: String,
    /// What to change, where something is to be changed. Settings are called as in registry:2's `storage.swift`.
    pub advice: Option<String>,
    /// How long the step took.
    pub took: Duration,
}

/// What came of a step, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It works.
    Works,
    /// It does not, or not well, and the backend can do without.
    Warning,
    /// It does not, and the backend needs it.
    Failed,
    /// It was not tried.
    Skipped,
}

impl Verdict {
    /// As a word, for people and for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A finding in the making: which step it is of, and how long that took, comes later.
pub(super) struct Found {
    pub(super) verdict: Verdict,
    text: String,
    advice: Option<String>,
}

impl Found {
    pub(super) fn works(text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Works, text: text.into(), advice: None }
    }

    pub(super) fn warning(text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warning, text: text.into(), advice: Some(advice.into()) }
    }

    pub(super) fn failed(text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failed, text: text.into(), advice: Some(advice.into()) }
    }

    pub(super) fn skipped(text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, text: text.into(), advice: None }
    }

    pub(super) fn of(self, step: Step, took: Duration) -> Finding {
        let Self { verdict, text, advice } = self;
        Finding { step, verdict, text, advice, took }
    }
}

impl From<SwiftError> for Found {
    fn from(error: SwiftError) -> Self {
        let advice = error.advice().unwrap_or(match error.kind() {
            SwiftErrorKind::Unavailable { .. } => {
                "see that Swift is up, and that this machine reaches its address (region, endpointtype)"
            }
            SwiftErrorKind::TooLarge => "let Swift take larger objects (its max_file_size)",
            _ => "look into the logs of Swift, by the transaction",
        });
        Self::failed(told(&error, error.transaction()), advice)
    }
}

/// An error with its causes in one line, and by what Swift's operator finds it.
pub(super) fn told(error: &dyn Error, transaction: Option<&str>) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    if let Some(transaction) = transaction {
        text.push_str(" (transaction ");
        text.push_str(transaction);
        text.push(')');
    }
    text
}
