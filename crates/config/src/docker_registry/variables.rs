//! Values that are variables: `_env:NAME` and `_env:NAME:default`. What a variable says is YAML, as the file is; but a text stays
//! as it was written, where the original made numbers of passwords, and refused those that are no YAML.

use std::sync::Arc;

use super::Secrets;
use super::options::is_text;
use super::storage::SECRET;
use crate::environment::Environment;
use crate::tree::{Entry, Node, Scalar, Value};
use crate::{ConfigError, Place, Source, Warning, yaml};

const MARK: &str = "_env:";

/// How deep variables may be in the values of variables.
const DEEPEST: usize = 8;

/// Puts into a tree what its variables say, but for what is in lists: there the original did not either.
pub(super) fn put_in(
    node: Node,
    environment: &Environment,
    secrets: Secrets,
    warnings: &mut Vec<Warning>,
) -> Result<Node, ConfigError> {
    Variables { environment, secrets, warnings }.put_in(node, "", 0)
}

struct Variables<'a> {
    environment: &'a Environment,
    secrets: Secrets,
    warnings: &'a mut Vec<Warning>,
}

impl Variables<'_> {
    fn put_in(&mut self, node: Node, path: &str, depth: usize) -> Result<Node, ConfigError> {
        match node.value {
            Value::Mapping(entries) => {
                let below = |entry: &Entry| match path {
                    "" => entry.key.clone(),
                    _ => format!("{path}.{}", entry.key),
                };
                let put = entries.into_iter().map(|entry| {
                    let path = below(&entry);
                    Ok(Entry { node: self.put_in(entry.node, &path, depth)?, ..entry })
                });
                let entries = put.collect::<Result<_, ConfigError>>()?;
                Ok(Node { value: Value::Mapping(entries), ..node })
            }
            Value::Scalar(ref scalar) => match scalar.text.strip_prefix(MARK) {
                Some(reference) => {
                    let value = self.value_of(&node, reference, path)?;
                    match value.value {
                        // A mapping is looked at as the file is.
                        Value::Mapping(_) if depth < DEEPEST => self.put_in(value, path, depth + 1),
                        Value::Mapping(_) => {
                            let reason = "variables that stand for one another".to_owned();
                            Err(ConfigError::Syntax { place: node.place, reason })
                        }
                        _ => Ok(value),
                    }
                }
                None => Ok(node),
            },
            Value::Sequence(_) => Ok(node),
        }
    }

    /// A variable that is there counts even if it is empty: then the value is null, and not the default.
    fn value_of(&mut self, node: &Node, reference: &str, path: &str) -> Result<Node, ConfigError> {
        let (name, default) = reference.split_once(':').unwrap_or((reference, ""));
        let source = Source::Variable(Arc::from(name));
        match self.environment.value(name)? {
            Some(value) => {
                if value.is_empty() && !default.is_empty() {
                    self.warnings.push(Warning {
                        place: node.place.clone(),
                        key: path.to_owned(),
                        message: format!(
                            "the variable {name} is there and empty, so this says nothing, and its default does not \
                             count, as with docker-registry; unset the variable for the default"
                        ),
                    });
                }
                read(value, source, path)
            }
            None if self.secrets == Secrets::Named && path == SECRET => {
                let value = Value::Scalar(Scalar { text: format!("{MARK}{reference}"), plain: false });
                Ok(Node { place: Place::beginning(source), value })
            }
            None => Ok(Node { place: node.place.clone(), ..read(default, node.place.source.clone(), path)? }),
        }
    }
}

/// As YAML; only that what has to be a text and would be no scalar is that text.
fn read(value: &str, source: Source, path: &str) -> Result<Node, ConfigError> {
    let place = Place::beginning(source.clone());
    match yaml::load_from(value, source) {
        Ok(node) if !is_text(path) || matches!(node.value, Value::Scalar(_)) => Ok(node),
        Ok(_) => Ok(as_it_is(value, place)),
        Err(_) if is_text(path) => Ok(as_it_is(value, place)),
        Err(error) => Err(error),
    }
}

fn as_it_is(text: &str, place: Place) -> Node {
    Node { place, value: Value::Scalar(Scalar { text: text.to_owned(), plain: false }) }
}
