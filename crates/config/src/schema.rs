//! Which keys there are, and of what kind each is: what the variables of the environment and `apus config show` need to
//! know. What a value means is not known here: that is the readers' matter.
//!
//! The keys of each section stand in [`storage`], [`http`] and [`rest`]; a test holds them against what the readers ask for.

mod http;
mod rest;
mod storage;
mod v1;

/// A key of a section.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// What variables call it, where registry:2 has another name there.
    variable: Option<&'static str>,
    /// What docker-registry called it, in files.
    former: Option<&'static str>,
    pub(crate) kind: Kind,
}

/// What belongs below a key. The texts are the defaults: what holds where nothing is said, if something does.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A text: a variable gives it as it is, whatever it looks like.
    Text(Option<&'static str>),
    /// A boolean, a number, a time: quotes around it in a variable say nothing.
    Word(Option<&'static str>),
    /// A text that is never shown.
    Secret,
    /// A URL of which only scheme and host are shown.
    SecretUrl,
    /// A section whose defaults hold also where it is absent.
    Section(&'static [Key]),
    /// A section that says nothing where it is absent.
    Optional(&'static [Key]),
    /// One of several sections, which a word can choose; and what holds whichever it is.
    Choice { among: &'static [Key], beside: &'static [Key] },
    /// Values under names that their writer chooses.
    Map(&'static Kind),
    /// A list.
    List(&'static Kind),
    /// What Apus has no idea of, and refuses or warns about as a whole.
    Foreign,
}

/// The whole file.
pub(crate) const ROOT: Kind = Kind::Section(rest::ROOT);

impl Key {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, variable: None, former: None, kind }
    }

    /// The same, with another name in variables.
    const fn in_variables(self, name: &'static str) -> Self {
        Self { variable: Some(name), ..self }
    }

    /// The same, with another name in the files of docker-registry.
    const fn formerly(self, name: &'static str) -> Self {
        Self { former: Some(name), ..self }
    }

    /// Its names in files.
    pub(crate) fn file_names(&self) -> impl Iterator<Item = &'static str> {
        [self.name].into_iter().chain(self.former)
    }

    /// Its names in variables, without regard to case. registry:2 has the first alone.
    pub(crate) fn variable_names(&self) -> impl Iterator<Item = &'static str> {
        self.variable.into_iter().chain([self.name])
    }
}

impl Kind {
    /// The keys of a section.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'static Key> {
        let (keys, more): (&[Key], &[Key]) = match self {
            Self::Section(keys) | Self::Optional(keys) => (keys, &[]),
            Self::Choice { among, beside } => (beside, among),
            _ => (&[], &[]),
        };
        keys.iter().chain(more)
    }
}

const fn text(name: &'static str) -> Key {
    Key::new(name, Kind::Text(None))
}

const fn text_or(name: &'static str, default: &'static str) -> Key {
    Key::new(name, Kind::Text(Some(default)))
}

const fn word(name: &'static str) -> Key {
    Key::new(name, Kind::Word(None))
}

const fn word_or(name: &'static str, default: &'static str) -> Key {
    Key::new(name, Kind::Word(Some(default)))
}

const fn secret(name: &'static str) -> Key {
    Key::new(name, Kind::Secret)
}

const fn texts(name: &'static str) -> Key {
    Key::new(name, Kind::List(&Kind::Text(None)))
}

const fn section(name: &'static str, keys: &'static [Key]) -> Key {
    Key::new(name, Kind::Section(keys))
}

const fn optional(name: &'static str, keys: &'static [Key]) -> Key {
    Key::new(name, Kind::Optional(keys))
}

const fn map(name: &'static str, of: &'static Kind) -> Key {
    Key::new(name, Kind::Map(of))
}

const fn list(name: &'static str, of: &'static Kind) -> Key {
    Key::new(name, Kind::List(of))
}

const fn foreign(name: &'static str) -> Key {
    Key::new(name, Kind::Foreign)
}

#[cfg(test)]
pub(crate) mod tests;
