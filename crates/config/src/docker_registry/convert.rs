//! The old configuration as a file of today, for people: with a comment where a value came from a variable, and where something has
//! no counterpart.

use std::fmt::Write as _;
use std::path::Path;

use super::storage::SECRET;
use super::{Secrets, is_one, translate};
use crate::effective::written;
use crate::environment::Environment;
use crate::read::{self, exposed};
use crate::tree::{Entry, Node, Value};
use crate::{ConfigError, Source, Warning, load};

/// The variable by which the secret is given today.
const SECRET_TODAY: &str = "REGISTRY_STORAGE_SWIFT_PASSWORD";

/// What a file of today says of a registry in which nobody signs in.
const OPEN: &str = "# As before: whoever reaches the registry may read and change all images.\nauth: none\n";

/// A file of today that means what one of docker-registry 0.x does.
#[derive(Debug)]
pub struct Converted {
    /// YAML. A secret that a variable held is not in it: a comment names the variable that has to say it now. One that stood in the
    /// old file stands in this one too.
    pub yaml: String,
    /// What has no counterpart, and whatever else the old file's writer ought to know. It is in comments of the file too.
    pub warnings: Vec<Warning>,
}

impl Converted {
    /// Converts the file of at most 1 MiB: its flavour and variables as the original chose them, with the values that they have now.
    /// A variable for a secret need not be there. `None` if the file is none of docker-registry 0.x.
    ///
    /// # Errors
    /// As for a registry that would start with it.
    pub fn load(path: &Path, environment: &Environment) -> Result<Option<Self>, ConfigError> {
        let file = load::read_file(path)?;
        if is_one(&file) { Self::of(file, environment, path).map(Some) } else { Ok(None) }
    }

    fn of(file: Node, environment: &Environment, path: &Path) -> Result<Self, ConfigError> {
        let mut warnings = Vec::new();
        let translated = translate(file, environment, Secrets::Named, &mut warnings)?;
        let own = warnings.len();
        // What cannot be read back is told now; what the readers warn of, they will warn of then.
        let (_, hindrances) = read::interpret(translated.tree.clone(), false, &mut warnings)?;
        let is_open = hindrances.iter().any(|hindrance| hindrance.key == exposed::KEY);
        warnings.truncate(own);
        warnings.sort_by(|one, other| one.place.cmp(&other.place));

        let flavour = translated.flavour.map(|flavour| format!(", flavour {flavour}")).unwrap_or_default();
        let mut yaml = format!("# Made by `apus config convert` of {}{flavour}.\n", path.display());
        if let Value::Mapping(entries) = &translated.tree.value {
            put_all(&mut yaml, entries, 0);
        }
        if is_open {
            yaml.push_str(OPEN);
        }
        if !warnings.is_empty() {
            yaml.push_str("\n# Of the old file:\n");
            for Warning { place, key, message } in &warnings {
                put_line(&mut yaml, &format!("#   {place}: {key}: {message}"));
            }
        }
        Ok(Self { yaml, warnings })
    }
}

fn put_all(yaml: &mut String, entries: &[Entry], depth: usize) {
    for entry in entries {
        put(yaml, entry, depth);
    }
}

fn put(yaml: &mut String, entry: &Entry, depth: usize) {
    let (margin, key) = ("  ".repeat(depth), &entry.key);
    match &entry.node.value {
        Value::Scalar(scalar) => {
            let source = variable(&entry.node);
            if let (Some(variable), "password") = (source, key.as_str()) {
                put_line(
                    yaml,
                    &format!(
                        "{margin}# password: {variable} held it ({SECRET}). Give the same in {SECRET_TODAY}, or in a file \
                         that passwordfile names."
                    ),
                );
                return;
            }
            let comment = source.map(|variable| format!("  # {variable}")).unwrap_or_default();
            put_line(yaml, &format!("{margin}{key}: {}{comment}", written(scalar)));
        }
        Value::Sequence(items) => {
            put_line(yaml, &format!("{margin}{key}:"));
            for item in items {
                // Lists hold texts alone here; anything else was refused.
                if let Value::Scalar(scalar) = &item.value {
                    put_line(yaml, &format!("{margin}  - {}", written(scalar)));
                }
            }
        }
        Value::Mapping(entries) if entries.is_empty() => put_line(yaml, &format!("{margin}{key}: {{}}")),
        Value::Mapping(entries) => {
            put_line(yaml, &format!("{margin}{key}:"));
            put_all(yaml, entries, depth + 1);
        }
    }
}

fn put_line(yaml: &mut String, line: &str) {
    // Writing to a text does not fail.
    let _ = writeln!(yaml, "{}", line.replace(['\n', '\r'], " "));
}

fn variable(node: &Node) -> Option<&str> {
    match &node.place.source {
        Source::Variable(name) => Some(name),
        _ => None,
    }
}
