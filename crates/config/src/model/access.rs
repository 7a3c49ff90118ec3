//! `access`: who may do what, once it is known who they are. Patterns are texts here: what they match is not this crate's matter.

/// `access`: what the operator allows. It never allows more than a token grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessConfig {
    /// `groups`: the users of each, by its name.
    pub groups: Vec<(String, Vec<String>)>,
    /// `rules`: whoever is allowed something by one of them is allowed it, and nobody anything else. `None` for what holds
    /// without this section: whoever may sign in may do everything, where nobody has to sign in, everyone.
    pub rules: Option<Vec<AccessRule>>,
    /// `protectedtags`: tags that nobody may overwrite or delete, whatever the rules allow.
    pub protected_tags: Vec<ProtectedTags>,
}

/// An item of `access.rules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// `who`: any of them; at least one.
    pub who: Vec<AccessSubject>,
    /// `may`: each of it; at least one.
    pub may: Vec<AccessPermission>,
    /// `repositories`: patterns. Empty only where `may` is about none.
    pub repositories: Vec<String>,
}

/// An item of `access.protectedtags`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedTags {
    /// `repositories`: patterns, at least one.
    pub repositories: Vec<String>,
    /// `tags`: patterns, at least one.
    pub tags: Vec<String>,
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessSubject {
    /// `user:NAME`
    User(String),
    /// `group:NAME`: one of `groups`, or of those that a token names.
    Group(String),
    /// `anonymous`: who has not signed in.
    Anonymous,
    /// `signedin`: who has.
    SignedIn,
    /// `everyone`: both.
    Everyone,
}

/// What a rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessPermission {
    /// `pull`: to read.
    Pull,
    /// `push`: to write what is new.
    Push,
    /// `overwrite`: to let a tag that is there mean something else.
    Overwrite,
    /// `delete`: to take tags, manifests and blobs away.
    Delete,
    /// `catalog`: to list all repositories.
    Catalog,
}
