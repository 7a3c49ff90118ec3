//! `REGISTRY_*` over the file: how the value of a variable gets to the place that its name names.
//!
//! A value takes the place of all that the file says there: a list or a mapping is replaced whole, as registry:2 does it. One
//! thing is otherwise, for registry:2 does there what nobody means: a word for `storage` or `auth` chooses among what the file
//! has, and drops nothing else.

use super::target::{Step, Target, known_key};
use super::{CONFIGURATION_PATH, Environment, PREFIX, Remarks, Variable, services};
use crate::schema::{Kind, ROOT};
use crate::tree::{Entry, Node, Scalar, Value};
use crate::{ConfigError, Source, yaml};

pub(super) fn apply(
    environment: &Environment,
    root: &mut Node,
    remarks: &mut Remarks,
) -> Result<(), ConfigError> {
    let mut choices = Vec::new();
    for variable in environment.beginning_with(PREFIX) {
        let variable = variable?;
        if variable.name == CONFIGURATION_PATH {
            continue;
        }
        if services::made(&variable) {
            remarks.passed_over.push(variable.name.to_owned());
            continue;
        }
        match Target::of(&variable) {
            Err(warning) => remarks.warnings.push(warning),
            Ok(target) => choices.extend(put(root, &target, &variable, remarks)?),
        }
    }
    settle(root, &choices, remarks);
    Ok(())
}

/// What a word in a variable chose: a section, and the key in it.
struct Choice {
    section: String,
    chosen: String,
}

/// Puts the value where it belongs. Answers what it chose, if that is what it does.
fn put(
    root: &mut Node,
    target: &Target,
    variable: &Variable<'_>,
    remarks: &mut Remarks,
) -> Result<Option<Choice>, ConfigError> {
    if variable.value.trim().is_empty() {
        clear(root, target, variable, remarks);
        return Ok(None);
    }
    let value = value(target.kind, variable)?;
    let Some(node) = reach(root, &target.steps, variable) else {
        let message = "ignored: the configuration has nothing there in which this could stand";
        remarks.warnings.push(target.warning(variable, message));
        return Ok(None);
    };
    if let (Kind::Choice { .. }, Value::Scalar(word)) = (target.kind, &value.value) {
        let word = word.text.to_lowercase();
        let Some(entries) = opened(node, true) else { return Ok(None) };
        let entry = entry(entries, &word, variable);
        entry.key_place = variable.place();
        entry.key.clone_from(&word);
        return Ok(Some(Choice { section: target.path(), chosen: word }));
    }
    let old = std::mem::replace(node, value);
    if let Kind::Choice { among, .. } = target.kind {
        keep_defaults(node, old, |name| among.iter().all(|key| key.name != name));
    }
    Ok(None)
}

/// What an empty variable does, such as templates leave behind: a value that is there goes back to its default. Of a list or a
/// section it says nothing; who means that writes [] or {}.
fn clear(root: &mut Node, target: &Target, variable: &Variable<'_>, remarks: &mut Remarks) {
    if !matches!(target.kind, Kind::Text(_) | Kind::Word(_) | Kind::Secret | Kind::SecretUrl) {
        remarks.passed_over.push(variable.name.to_owned());
    } else if let Some(node) = find(root, &target.steps) {
        *node = Node::null(variable.place());
    }
}

/// The node at the end of the steps, if it is there.
fn find<'tree>(root: &'tree mut Node, steps: &[Step]) -> Option<&'tree mut Node> {
    steps.iter().try_fold(root, |node, step| match (step, &mut node.value) {
        (Step::Key { name, .. } | Step::Own(name), Value::Mapping(entries)) => {
            Some(&mut position(entries, name).and_then(|at| entries.get_mut(at))?.node)
        }
        (Step::Item(at), Value::Sequence(items)) => items.get_mut(*at),
        _ => None,
    })
}

/// What holds without any file goes on to hold where a variable that replaces the section says nothing of it.
fn keep_defaults(node: &mut Node, old: Node, is_kept: impl Fn(&str) -> bool) {
    let (Value::Mapping(entries), Value::Mapping(old)) = (&mut node.value, old.value) else { return };
    for entry in old {
        let is_new = entries.iter().all(|other| other.key != entry.key);
        if entry.key_place.source == Source::Default && is_new && is_kept(&entry.key) {
            entries.push(entry);
        }
    }
}

fn value(kind: Kind, variable: &Variable<'_>) -> Result<Node, ConfigError> {
    let text = variable.value.trim();
    let parsed = || yaml::load_from(text, variable.source());
    let scalar = |text: &str, plain| Node {
        place: variable.place(),
        value: Value::Scalar(Scalar { text: text.to_owned(), plain }),
    };
    match kind {
        // Only quotes are YAML here: a password may hold anything else, such as ` #`, `: ` or a `*` in front.
        Kind::Text(_) | Kind::Secret | Kind::SecretUrl if text.starts_with(['"', '\'']) => Ok(parsed()
            .ok()
            .filter(|node| matches!(&node.value, Value::Scalar(scalar) if !scalar.plain))
            .unwrap_or_else(|| scalar(text, true))),
        Kind::Text(_) | Kind::Secret | Kind::SecretUrl => Ok(scalar(text, true)),
        Kind::Word(_) => Ok(match parsed() {
            Ok(Node { value: Value::Scalar(word), .. }) => scalar(&word.text, true),
            Ok(node) => node,
            Err(_) => scalar(text, true),
        }),
        _ => parsed(),
    }
}

/// The node at the end of the steps; what is missing on the way is made. `None` if the file has something on the way that
/// has no parts.
fn reach<'tree>(root: &'tree mut Node, steps: &[Step], variable: &Variable<'_>) -> Option<&'tree mut Node> {
    let mut node = root;
    for (at, step) in steps.iter().enumerate() {
        node = match step {
            Step::Key { name, .. } | Step::Own(name) => {
                let of_choice = matches!(step, Step::Key { of_choice: true, .. });
                let entry = entry(opened(node, of_choice)?, name, variable);
                if matches!(step, Step::Key { .. }) {
                    name.clone_into(&mut entry.key);
                }
                if at + 1 == steps.len() {
                    entry.key_place = variable.place();
                }
                &mut entry.node
            }
            Step::Item(at) => {
                if !node.is_set() {
                    node.value = Value::Sequence(Vec::new());
                }
                let Value::Sequence(items) = &mut node.value else { return None };
                if items.len() == *at {
                    items.push(Node::null(variable.place()));
                }
                items.get_mut(*at)?
            }
        };
    }
    Some(node)
}

/// The entries of a mapping, also of one that is not there yet; `None` for anything else. Where a word may stand for a
/// section, it does.
fn opened(node: &mut Node, word_is_section: bool) -> Option<&mut Vec<Entry>> {
    if let Value::Scalar(scalar) = &node.value {
        let place = node.place.clone();
        node.value = Value::Mapping(match scalar.is_set() {
            false => Vec::new(),
            true if word_is_section => {
                vec![Entry { key: scalar.text.clone(), key_place: place.clone(), node: Node::null(place) }]
            }
            true => return None,
        });
    }
    match &mut node.value {
        Value::Mapping(entries) => Some(entries),
        _ => None,
    }
}

/// The entry of this name; made if it is missing.
fn entry<'tree>(entries: &'tree mut Vec<Entry>, name: &str, variable: &Variable<'_>) -> &'tree mut Entry {
    let at = position(entries, name).unwrap_or_else(|| {
        let node = Node::null(variable.place());
        entries.push(Entry { key: name.to_owned(), key_place: variable.place(), node });
        entries.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "found there, or just pushed")]
    &mut entries[at]
}

/// Where the entry of this name is, or else one that is written otherwise only in upper and lower case.
fn position(entries: &[Entry], name: &str) -> Option<usize> {
    let exact = entries.iter().position(|entry| entry.key == name);
    exact.or_else(|| entries.iter().position(|entry| entry.key.eq_ignore_ascii_case(name)))
}

/// Leaves of the alternatives those that the variables mean: what a word chose, and of storage drivers else those that
/// variables have parameters for.
fn settle(root: &mut Node, choices: &[Choice], remarks: &mut Remarks) {
    let Value::Mapping(sections) = &mut root.value else { return };
    for section in sections {
        let Some((_, Kind::Choice { among, .. }, "")) = known_key(ROOT, &section.key) else { continue };
        let Value::Mapping(entries) = &mut section.node.value else { continue };
        let is_driver = |entry: &Entry| among.iter().any(|key| key.name == entry.key);
        let chosen = choices.iter().rfind(|choice| choice.section == section.key);
        let meant: Vec<String> = match chosen {
            Some(choice) => vec![choice.chosen.clone()],
            None if section.key == "storage" => {
                let by_variable = entries.iter().filter(|entry| is_driver(entry) && says_a_variable(entry));
                by_variable.map(|entry| entry.key.clone()).collect()
            }
            None => continue,
        };
        if meant.is_empty() {
            continue;
        }
        entries.retain(|entry| {
            let stays = !is_driver(entry) || meant.contains(&entry.key);
            if !stays && entry.key_place.source != Source::Default {
                remarks.notes.push(format!(
                    "{}: {}.{} is not used: the environment says {}",
                    entry.key_place,
                    section.key,
                    entry.key,
                    meant.join(", ")
                ));
            }
            stays
        });
    }
}

/// Whether a variable gave the key, or says anything below it.
fn says_a_variable(entry: &Entry) -> bool {
    fn below(node: &Node) -> bool {
        match &node.value {
            Value::Scalar(scalar) => scalar.is_set() && matches!(node.place.source, Source::Variable(_)),
            Value::Sequence(items) => items.iter().any(below),
            Value::Mapping(entries) => entries.iter().any(|entry| below(&entry.node)),
        }
    }
    matches!(entry.key_place.source, Source::Variable(_)) || below(&entry.node)
}
