//! What can be asked for, and who asks: the words in which registries and token servers speak of it (the distribution
//! project's token authentication: scopes). Nothing here decides anything.

use std::fmt;

/// What kind of thing is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceType {
    /// One repository.
    Repository,
    /// The registry as a whole: its catalog.
    Registry,
}

/// What is to be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read.
    Pull,
    /// Write.
    Push,
    /// Take away.
    Delete,
    /// Everything: `*`. The catalog is asked for by it.
    All,
}

/// One thing that a request needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Access {
    /// What kind of thing is asked for.
    pub resource: ResourceType,
    /// Which of them: the repository's name, or `catalog`.
    pub name: String,
    /// What is to be done to it.
    pub action: Action,
}

impl Access {
    /// Something to be done to a repository. registry:2 asks for [`Action::Pull`] where something is read, for pull and
    /// push where something is written, for [`Action::Delete`] where something is taken away, and for pull of the other
    /// repository as well where a blob is mounted from there.
    #[must_use]
    pub fn repository(name: impl Into<String>, action: Action) -> Self {
        Self { resource: ResourceType::Repository, name: name.into(), action }
    }

    /// The list of all repositories: `registry:catalog:*`.
    #[must_use]
    pub fn catalog() -> Self {
        Self { resource: ResourceType::Registry, name: "catalog".to_owned(), action: Action::All }
    }
}

impl Access {
    /// What one scope of a request for a token asks for, such as `repository:a/b:pull,push`. The name may hold colons, the type a
    /// class as in `repository(plugin)`, which says nothing here. What is not known here is left out.
    pub fn of_scope(scope: &str) -> impl Iterator<Item = Self> {
        let parts = scope.split_once(':').and_then(|(kind, rest)| Some((kind, rest.rsplit_once(':')?)));
        parts.into_iter().flat_map(|(kind, (name, actions))| {
            let kind = kind.split_once('(').map_or(kind, |(kind, _class)| kind);
            let resource = ResourceType::KNOWN.into_iter().find(|known| known.as_str() == kind);
            let actions = actions
                .split(',')
                .filter_map(|action| Action::KNOWN.into_iter().find(|known| known.as_str() == action));
            resource.into_iter().flat_map(move |resource| {
                actions.clone().map(move |action| Self { resource, name: name.to_owned(), action })
            })
        })
    }
}

impl ResourceType {
    const KNOWN: [Self; 2] = [Self::Repository, Self::Registry];

    /// The word of the protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Registry => "registry",
        }
    }
}

impl Action {
    const KNOWN: [Self; 4] = [Self::Pull, Self::Push, Self::Delete, Self::All];

    /// The word of the protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::All => "*",
        }
    }
}

/// Accesses as the protocol writes them: `repository:a/b:pull,push registry:catalog:*`. What is asked of one thing stands
/// together, and nothing is said twice.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a>(pub &'a [Access]);

impl fmt::Display for Scope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut things: Vec<(&Access, Vec<Action>)> = Vec::new();
        for access in self.0 {
            let same = |thing: &&mut (&Access, Vec<Action>)| {
                thing.0.resource == access.resource && thing.0.name == access.name
            };
            match things.iter_mut().find(same) {
                Some((_, actions)) if actions.contains(&access.action) => {}
                Some((_, actions)) => actions.push(access.action),
                None => things.push((access, vec![access.action])),
            }
        }
        for (place, (thing, actions)) in things.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(formatter, "{space}{}:{}:", thing.resource.as_str(), thing.name)?;
            for (place, action) in actions.iter().enumerate() {
                let comma = if place == 0 { "" } else { "," };
                write!(formatter, "{comma}{}", action.as_str())?;
            }
        }
        Ok(())
    }
}

/// Who asks, as far as it was proven by this one request. It is never kept for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    name: Option<String>,
    groups: Vec<String>,
}

impl Identity {
    /// Somebody who said no name, or whose token names nobody.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { name: None, groups: Vec::new() }
    }

    /// A user who proved to be this one, and the groups that the same proof names. An empty name is nobody's.
    #[must_use]
    pub fn user(name: impl Into<String>, groups: Vec<String>) -> Self {
        Self { name: Some(name.into()).filter(|name| !name.is_empty()), groups }
    }

    /// The user's name; `None` for somebody anonymous.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The groups that the proof itself named.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Whether nobody is named.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.name.is_none()
    }
}

#[cfg(test)]
mod tests;
