//! Who may do what, in the operator's words. Once there is a policy, what no rule allows is refused; and it allows nothing that
//! a token does not grant as well. Deciding reads nothing and remembers nothing.

mod pattern;

use std::collections::{HashMap, HashSet};

pub use self::pattern::{Pattern, PatternError};
use crate::{Access, Action, Identity, ResourceType};

/// Rules, groups and tags that stay as they are. The default allows nothing.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The users of each group, beside those whose token says that they are in it.
    pub groups: HashMap<String, HashSet<String>>,
    /// Whoever is allowed something by one of them is allowed it.
    pub rules: Vec<Rule>,
    /// What nobody may change, whatever the rules allow.
    pub protected_tags: Vec<ProtectedTags>,
}

/// Somebody may do something somewhere.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Who: any of them.
    pub who: Vec<Who>,
    /// May do what: each of it, and nothing that is not named. Clients cannot push without pulling.
    pub may: Vec<Permission>,
    /// In which repositories. [`Permission::Catalog`] is about none of them, and does not look here.
    pub repositories: Vec<Pattern>,
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The user of this name.
    User(String),
    /// The users in this group.
    Group(String),
    /// Those who have not signed in, and they alone.
    Anonymous,
    /// Those who have signed in.
    SignedIn,
    /// All of them.
    Everyone,
}

/// What can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Read.
    Pull,
    /// Write what is new.
    Push,
    /// Let a tag that is there mean something else.
    Overwrite,
    /// Take tags, manifests or blobs away.
    Delete,
    /// List all repositories.
    Catalog,
}

/// Tags that may be neither overwritten nor deleted. Making them once is allowed.
#[derive(Debug, Clone)]
pub struct ProtectedTags {
    /// In which repositories.
    pub repositories: Vec<Pattern>,
    /// Which tags. They hold no slash, so `*` and `**` are the same.
    pub tags: Vec<Pattern>,
}

impl Policy {
    /// Whether somebody may do this in a repository, whichever tag it is about.
    #[must_use]
    pub fn allows(&self, who: &Identity, permission: Permission, repository: &str) -> bool {
        self.rules.iter().any(|rule| {
            rule.may.contains(&permission)
                && (permission == Permission::Catalog || any_matches(&rule.repositories, repository))
                && rule.who.iter().any(|whom| self.is_about(whom, who))
        })
    }

    /// Whether somebody may do this in every repository that there can be: by a rule for `**`.
    #[must_use]
    pub fn allows_everywhere(&self, who: &Identity, permission: Permission) -> bool {
        self.rules.iter().any(|rule| {
            rule.may.contains(&permission)
                && rule.repositories.iter().any(Pattern::matches_everything)
                && rule.who.iter().any(|whom| self.is_about(whom, who))
        })
    }

    /// Whether those who have not signed in may do anything at all, anywhere.
    #[must_use]
    pub fn allows_anonymous(&self) -> bool {
        self.rules.iter().any(|rule| {
            rule.who.iter().any(|whom| matches!(whom, Who::Anonymous | Who::Everyone))
                && (rule.may.contains(&Permission::Catalog)
                    || (!rule.may.is_empty() && !rule.repositories.is_empty()))
        })
    }

    /// Whether somebody may have an access that a request asks for. Of an unlimited access to a repository every part must
    /// be allowed.
    #[must_use]
    pub fn allows_access(&self, who: &Identity, access: &Access) -> bool {
        let permissions: &[_] = match (access.resource, access.action) {
            (ResourceType::Registry, _) => &[Permission::Catalog],
            (ResourceType::Repository, Action::Pull) => &[Permission::Pull],
            (ResourceType::Repository, Action::Push) => &[Permission::Push],
            (ResourceType::Repository, Action::Delete) => &[Permission::Delete],
            (ResourceType::Repository, Action::All) => {
                &[Permission::Pull, Permission::Push, Permission::Overwrite, Permission::Delete]
            }
        };
        permissions.iter().all(|permission| self.allows(who, *permission, &access.name))
    }

    /// Whether this tag must stay as it is, for everybody.
    #[must_use]
    pub fn protects(&self, repository: &str, tag: &str) -> bool {
        self.protected_tags.iter().any(|protected| {
            any_matches(&protected.repositories, repository) && any_matches(&protected.tags, tag)
        })
    }

    /// Whether any tags of this repository must stay as they are.
    #[must_use]
    pub fn protects_any(&self, repository: &str) -> bool {
        self.protected_tags.iter().any(|protected| any_matches(&protected.repositories, repository))
    }

    fn is_about(&self, whom: &Who, who: &Identity) -> bool {
        match whom {
            Who::Everyone => true,
            Who::Anonymous => who.is_anonymous(),
            Who::SignedIn => !who.is_anonymous(),
            Who::User(name) => who.name() == Some(name),
            Who::Group(group) => who.name().is_some_and(|name| {
                who.groups().contains(group)
                    || self.groups.get(group).is_some_and(|users| users.contains(name))
            }),
        }
    }
}

fn any_matches(patterns: &[Pattern], text: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(text))
}

#[cfg(test)]
mod tests;
