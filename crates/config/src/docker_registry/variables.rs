//! Values that are variables: `_env:NAME` and `_env:NAME:default`. What a variable says is YAML, as the file is; but a text stays
//! as it was written, where the original made numbers of passwords.

use std::sync::Arc;

use crate::environment::Environment;
use crate::tree::{Node, Value};
use crate::{ConfigError, Source, yaml};

const MARK: &str = "_env:";

/// Puts into a tree what its variables say, but for what is in lists: there the original did not either.
pub(super) fn put_in(node: Node, environment: &Environment) -> Result<Node, ConfigError> {
    match node.value {
        Value::Mapping(mut entries) => {
            for entry in &mut entries {
                let place = entry.node.place.clone();
                entry.node = put_in(std::mem::replace(&mut entry.node, Node::null(place)), environment)?;
            }
            Ok(Node { value: Value::Mapping(entries), ..node })
        }
        Value::Scalar(ref scalar) => match scalar.text.strip_prefix(MARK) {
            Some(reference) => value_of(&node, reference, environment),
            None => Ok(node),
        },
        Value::Sequence(_) => Ok(node),
    }
}

/// A variable that is there counts even if it is empty: then the value is null, and not the default.
fn value_of(node: &Node, reference: &str, environment: &Environment) -> Result<Node, ConfigError> {
    let (name, default) = reference.split_once(':').unwrap_or((reference, ""));
    match environment.value(name)? {
        Some(value) => yaml::load_from(value, Source::Variable(Arc::from(name))),
        None => {
            Ok(Node { place: node.place.clone(), ..yaml::load_from(default, node.place.source.clone())? })
        }
    }
}
