//! Which place of the tree a variable of registry:2 names: its name is the path to it, joined by underscores.

use super::{PREFIX, Variable};
use crate::Warning;
use crate::schema::{Kind, ROOT};
use crate::section::nearest;

/// The place that a variable names.
pub(super) struct Target {
    /// From the root; none is empty.
    pub(super) steps: Vec<Step>,
    pub(super) kind: Kind,
}

pub(super) enum Step {
    /// To what stands under this key; in a section that a single word may stand for, or in any other.
    Key { name: String, of_choice: bool },
    /// To what stands under a key that its writer has chosen.
    Own(String),
    /// To this item of a list.
    Item(usize),
}

impl Target {
    /// Finds the place that a variable names, or the warning that there is none.
    pub(super) fn of(variable: &Variable<'_>) -> Result<Self, Warning> {
        let mut target = Self { steps: Vec::new(), kind: ROOT };
        let mut rest = variable.name.strip_prefix(PREFIX).unwrap_or_default();
        while target.steps.is_empty() || !rest.is_empty() {
            let Some((step, kind, after)) = next(target.kind, rest) else {
                return Err(target.nothing_below(variable, rest));
            };
            target.steps.push(step);
            (target.kind, rest) = (kind, after);
        }
        if target.path() == "version" {
            let message = "ignored: the version of a configuration is what its file says";
            return Err(target.warning(variable, message));
        }
        Ok(target)
    }

    /// There is nothing below this place that `rest` could name.
    fn nothing_below(&self, variable: &Variable<'_>, rest: &str) -> Warning {
        if matches!(self.kind, Kind::List(_)) {
            let message =
                "ignored: below a list stands the number of an item, from 0; or give the list whole";
            return self.warning(variable, message);
        }
        let known: Vec<&str> = self.kind.keys().map(|key| key.name).collect();
        let before = variable.name.strip_suffix(rest).unwrap_or_default();
        let likely = nearest(rest, &known).or_else(|| nearest(segment(rest).0, &known));
        let suggestion = match likely {
            Some(name) => format!("; did you mean {before}{}?", name.to_uppercase()),
            None => String::new(),
        };
        self.warning(variable, &format!("no setting of a registry has this name, it is ignored{suggestion}"))
    }

    /// A warning about the variable and this place.
    pub(super) fn warning(&self, variable: &Variable<'_>, message: &str) -> Warning {
        Warning { place: variable.place(), key: self.path(), message: message.to_owned() }
    }

    /// As far as it was found: such as `storage.swift`, or `the file` for its top.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Key { name, .. } | Step::Own(name) if path.is_empty() => path.clone_from(name),
                Step::Key { name, .. } | Step::Own(name) => path = format!("{path}.{name}"),
                Step::Item(at) => path = format!("{path}[{at}]"),
            }
        }
        if path.is_empty() { "the file".to_owned() } else { path }
    }
}

/// The step that `rest` begins with, what it leads to, and what is left of `rest`; `None` if it leads nowhere.
fn next(kind: Kind, rest: &str) -> Option<(Step, Kind, &str)> {
    let (first, after) = segment(rest);
    match kind {
        Kind::Section(_) | Kind::Optional(_) | Kind::Choice { .. } => {
            let of_choice = matches!(kind, Kind::Choice { .. });
            match known_key(kind, rest) {
                Some((name, kind, after)) => {
                    Some((Step::Key { name: name.to_owned(), of_choice }, kind, after))
                }
                // Who may come in, and where images lie, is not to be guessed: the reader refuses it.
                None if of_choice => {
                    Some((Step::Key { name: first.to_lowercase(), of_choice }, Kind::Foreign, after))
                }
                None => None,
            }
        }
        Kind::Map(of) => Some((Step::Own(rest.to_lowercase()), *of, "")),
        Kind::Foreign => Some((Step::Own(first.to_lowercase()), Kind::Foreign, after)),
        Kind::List(of) if first.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((Step::Item(first.parse().ok()?), *of, after))
        }
        Kind::List(_) | Kind::Text(_) | Kind::Word(_) | Kind::Secret | Kind::SecretUrl => None,
    }
}

/// The key whose name `rest` begins with: its name in files, its kind, and what is left of `rest`.
pub(super) fn known_key(section: Kind, rest: &str) -> Option<(&'static str, Kind, &str)> {
    section.keys().find_map(|key| {
        let after = key.variable_names().find_map(|name| {
            let (head, after) = rest.split_at_checked(name.len())?;
            let ends = after.is_empty() || after.strip_prefix('_').is_some_and(|after| !after.is_empty());
            (ends && head.eq_ignore_ascii_case(name)).then(|| after.trim_start_matches('_'))
        })?;
        Some((key.name, key.kind, after))
    })
}

/// Up to the first underscore, and what follows it.
fn segment(rest: &str) -> (&str, &str) {
    rest.split_once('_').unwrap_or((rest, ""))
}
