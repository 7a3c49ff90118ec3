//! Every setting that holds, with its value and who said so: for people who want to know what a registry does and why. Secrets
//! are gone before anything of this is made.

use std::fmt;

use crate::schema::{Key, Kind, ROOT};
use crate::tree::{Entry, Node, Scalar, Value};
use crate::{Place, Source};

/// What stands in place of a secret.
const HIDDEN: &str = "<hidden>";

/// Names of parameters that may be secrets, where Apus does not know them better.
const SECRETIVE: [&str; 5] = ["key", "pass", "secret", "sig", "token"];

/// The settings that hold: those of the file, of the environment, and the defaults of what neither says. Without secrets.
///
/// A key that is unknown is not among them; one that is known and has no effect is.
#[derive(Clone)]
pub struct Effective {
    root: Shown,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its path, such as `http.addr` or `notifications.endpoints[0].url`.
    pub key: String,
    /// Its value as it was written, or `<hidden>`.
    pub value: String,
    /// Who said so.
    pub source: Place,
}

#[derive(Clone)]
enum Shown {
    Scalar { value: Scalar, source: Place },
    List(Vec<Self>, Place),
    Section(Vec<(String, Self)>, Place),
}

impl Effective {
    pub(crate) fn new(tree: &Node) -> Self {
        let place = Place::beginning(Source::Default);
        let mut root = show(ROOT, Some(tree), false).unwrap_or(Shown::Section(Vec::new(), place));
        leave_level_to_loglevel(&mut root);
        Self { root }
    }

    /// As YAML in the form of the file, each value with its source in a comment behind it.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        for line in lines(&self.root) {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// The settings one by one, in the order of [`Effective::to_yaml`].
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        flatten(&self.root, "", &mut settings);
        settings
    }

    /// Whether neither a file nor a variable says anything.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.settings().iter().all(|setting| setting.source.source == Source::Default)
    }
}

impl fmt::Debug for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.settings()).finish()
    }
}

/// `log.level` has no default where the old `loglevel` speaks for it.
fn leave_level_to_loglevel(root: &mut Shown) {
    let Shown::Section(sections, _) = root else { return };
    if !sections.iter().any(|(name, _)| name == "loglevel") {
        return;
    }
    let is_default =
        |level: &Shown| matches!(level, Shown::Scalar { source, .. } if source.source == Source::Default);
    for (name, section) in sections {
        if let ("log", Shown::Section(keys, _)) = (name.as_str(), section) {
            keys.retain(|(key, value)| !(key == "level" && is_default(value)));
        }
    }
}

/// What holds at a place of the tree; `None` if nothing does. `any_case`: keys are the same in upper and lower case.
fn show(kind: Kind, node: Option<&Node>, any_case: bool) -> Option<Shown> {
    let said = node.filter(|node| node.is_set());
    match kind {
        Kind::Text(default) | Kind::Word(default) => match said {
            Some(node) => Some(bare(node, "")),
            None => default.map(|text| {
                let value = Scalar { text: text.to_owned(), plain: true };
                Shown::Scalar { value, source: Place::beginning(Source::Default) }
            }),
        },
        Kind::Secret => said.map(hidden),
        Kind::SecretUrl => said.map(|node| match &node.value {
            Value::Scalar(scalar) => told(node, &host_alone(&scalar.text)),
            _ => hidden(node),
        }),
        Kind::Section(keys) => {
            let shown = section(keys.iter(), node, any_case);
            if shown.is_empty() { None } else { Some(Shown::Section(shown, place_of(node))) }
        }
        Kind::Optional(keys) => {
            let node = said?;
            Some(match &node.value {
                Value::Mapping(_) => {
                    Shown::Section(section(keys.iter(), Some(node), any_case), node.place.clone())
                }
                _ => bare(node, ""),
            })
        }
        Kind::Choice { among, beside } => {
            let mut shown = section(beside.iter(), node, any_case);
            shown.extend(among.iter().filter_map(|key| alternative(key, node?)));
            if shown.is_empty() { None } else { Some(Shown::Section(shown, place_of(node))) }
        }
        Kind::Map(of) => said.map(|node| match &node.value {
            Value::Mapping(entries) => {
                let shown = entries
                    .iter()
                    .filter_map(|entry| Some((entry.key.clone(), show(*of, Some(&entry.node), any_case)?)));
                Shown::Section(shown.collect(), node.place.clone())
            }
            _ => show(*of, Some(node), any_case).unwrap_or_else(|| hidden(node)),
        }),
        Kind::List(of) => node.and_then(|node| match &node.value {
            Value::Sequence(items) => {
                let shown = items.iter().filter_map(|item| show(*of, Some(item), any_case));
                Some(Shown::List(shown.collect(), node.place.clone()))
            }
            _ => said.map(hidden),
        }),
        Kind::Foreign => said.map(|node| bare(node, "")),
    }
}

fn section<'a>(
    keys: impl Iterator<Item = &'a Key>,
    node: Option<&Node>,
    any_case: bool,
) -> Vec<(String, Shown)> {
    let entries = match node.map(|node| &node.value) {
        Some(Value::Mapping(entries)) => entries.as_slice(),
        _ => &[],
    };
    let shown = keys.filter_map(|key| {
        let entry = find(entries, key, any_case);
        Some((key.name.to_owned(), show(key.kind, entry.map(|entry| &entry.node), any_case)?))
    });
    shown.collect()
}

/// One of several sections, if it is there: also by its name alone, and also if it says nothing.
fn alternative(key: &Key, choice: &Node) -> Option<(String, Shown)> {
    let (node, place) = match &choice.value {
        Value::Mapping(entries) => {
            let entry = find(entries, key, false)?;
            (Some(&entry.node), &entry.key_place)
        }
        Value::Scalar(word) if word.text == key.name => (None, &choice.place),
        _ => return None,
    };
    // Keys of this driver are the same in upper and lower case.
    let any_case = key.name == "swift";
    let shown = match key.kind {
        Kind::Optional(keys) => section(keys.iter(), node, any_case),
        _ => return Some((key.name.to_owned(), show(key.kind, node, any_case)?)),
    };
    Some((key.name.to_owned(), Shown::Section(shown, place.clone())))
}

fn find<'a>(entries: &'a [Entry], key: &Key, any_case: bool) -> Option<&'a Entry> {
    let is_it =
        |name: &str, entry: &Entry| entry.key == name || (any_case && entry.key.eq_ignore_ascii_case(name));
    key.file_names().find_map(|name| entries.iter().find(|entry| is_it(name, entry)))
}

fn place_of(node: Option<&Node>) -> Place {
    node.map_or_else(|| Place::beginning(Source::Default), |node| node.place.clone())
}

/// A value as it is, but for what its key's name says to be a secret, and credentials in URLs.
fn bare(node: &Node, key: &str) -> Shown {
    let place = node.place.clone();
    match &node.value {
        Value::Mapping(entries) => {
            let shown = entries.iter().map(|entry| (entry.key.clone(), bare(&entry.node, &entry.key)));
            Shown::Section(shown.collect(), place)
        }
        Value::Sequence(items) => Shown::List(items.iter().map(|item| bare(item, key)).collect(), place),
        Value::Scalar(_) if SECRETIVE.iter().any(|part| key.to_lowercase().contains(part)) => hidden(node),
        Value::Scalar(scalar) => match scalar.text.split_once("://").zip(scalar.text.rsplit_once('@')) {
            Some(((scheme, _), (_, after))) => told(node, &format!("{scheme}://{HIDDEN}@{after}")),
            None => Shown::Scalar { value: scalar.clone(), source: place },
        },
    }
}

fn hidden(node: &Node) -> Shown {
    told(node, HIDDEN)
}

fn told(node: &Node, text: &str) -> Shown {
    Shown::Scalar { value: Scalar { text: text.to_owned(), plain: true }, source: node.place.clone() }
}

/// A URL whose path or query may be a secret.
fn host_alone(url: &str) -> String {
    let Some((scheme, after)) = url.split_once("://") else { return HIDDEN.to_owned() };
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let (authority, path) = after.split_at(end);
    let (login, host) = match authority.rsplit_once('@') {
        Some((_, host)) => (format!("{HIDDEN}@"), host),
        None => (String::new(), authority),
    };
    let path = if matches!(path, "" | "/") { path.to_owned() } else { format!("/{HIDDEN}") };
    format!("{scheme}://{login}{host}{path}")
}

/// The lines of a value, from the left edge.
fn lines(shown: &Shown) -> Vec<String> {
    match shown {
        Shown::Scalar { value, source } => vec![format!("{}  # {source}", written(value))],
        Shown::Section(entries, place) if entries.is_empty() => vec![format!("{{}}  # {place}")],
        Shown::List(items, place) if items.is_empty() => vec![format!("[]  # {place}")],
        Shown::List(items, _) => items.iter().flat_map(|item| indented("- ", lines(item))).collect(),
        Shown::Section(entries, _) => {
            entries.iter().flat_map(|(key, value)| entry_lines(key, value)).collect()
        }
    }
}

fn entry_lines(key: &str, value: &Shown) -> Vec<String> {
    let key = written(&Scalar { text: key.to_owned(), plain: true });
    let lines = lines(value);
    let is_block = match value {
        Shown::Scalar { .. } => false,
        Shown::List(items, _) => !items.is_empty(),
        Shown::Section(entries, _) => !entries.is_empty(),
    };
    if is_block {
        std::iter::once(format!("{key}:")).chain(indented("  ", lines)).collect()
    } else {
        lines.into_iter().map(|line| format!("{key}: {line}")).collect()
    }
}

/// The lines to the right of `head`, which stands before the first of them.
fn indented(head: &str, lines: Vec<String>) -> Vec<String> {
    let margin = " ".repeat(head.len());
    let line = |(at, line): (usize, String)| format!("{}{line}", if at == 0 { head } else { &margin });
    lines.into_iter().enumerate().map(line).collect()
}

/// A scalar as YAML: as it is where that says the same, else in double quotes.
pub(crate) fn written(value: &Scalar) -> String {
    let text = &value.text;
    let starts_well = text.starts_with(|c: char| c.is_alphanumeric() || "/._:<".contains(c));
    let is_usual = |c: char| c.is_alphanumeric() || " /._:@+=<>~,()*$^-".contains(c);
    let ends_well = !text.ends_with([':', ' ']);
    let is_clear = !text.contains(": ") && text.chars().all(is_usual);
    // Quoted where it was written, it may be a text that looks like something else.
    if starts_well && ends_well && is_clear && (value.plain || !looks_special(text)) {
        return text.clone();
    }
    let escaped = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        c if c.is_control() => format!("\\U{:08X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// Whether YAML may take it for a number, a boolean or null.
fn looks_special(text: &str) -> bool {
    const WORDS: [&str; 11] = ["y", "yes", "n", "no", "true", "false", "on", "off", "null", ".inf", ".nan"];
    let lower = text.to_lowercase();
    WORDS.contains(&&*lower) || text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

fn flatten(shown: &Shown, path: &str, settings: &mut Vec<Setting>) {
    let mut setting = |value: &str, source: &Place| {
        settings.push(Setting { key: path.to_owned(), value: value.to_owned(), source: source.clone() });
    };
    match shown {
        Shown::Scalar { value, source } => setting(&value.text, source),
        Shown::Section(entries, place) if entries.is_empty() && !path.is_empty() => setting("{}", place),
        Shown::List(items, place) if items.is_empty() => setting("[]", place),
        Shown::List(items, _) => {
            for (at, item) in items.iter().enumerate() {
                flatten(item, &format!("{path}[{at}]"), settings);
            }
        }
        Shown::Section(entries, _) => {
            for (key, value) in entries {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(value, &path, settings);
            }
        }
    }
}

#[cfg(test)]
mod tests;
