//! From a file, or none, and the environment to a [`Config`]: the way through the other rooms.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::differences::Fingerprints;
use crate::docker_registry::{self, Secrets};
use crate::effective::Effective;
use crate::environment::{Environment, Remarks};
use crate::tree::Node;
use crate::{Config, ConfigError, Place, Source, Warning, read, yaml};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What holds without any file. registry:2 has a file always; there these are its defaults, and deleting is off.
const NO_FILE: &str = "\
version: 0.1
storage:
  delete: {enabled: true}
  filesystem: {rootdirectory: ./apus-data}
";

/// What the file and the environment said.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What its writer ought to know: in the order of the file, then of the variables' names.
    pub warnings: Vec<Warning>,
    /// Why nobody may be served by this configuration: what it asks for and this version does not do would leave open a registry
    /// that its writer believes closed. Whoever serves nobody need not mind.
    pub hindrances: Vec<Warning>,
    /// What was decided where file and environment both say something.
    pub notes: Vec<String>,
    /// The names of variables that look like settings and are not meant as such: what Kubernetes makes for a Service, and
    /// those for whole sections that are empty.
    pub passed_over: Vec<String>,
    /// Every setting with its value and its source.
    pub effective: Effective,
    /// The file that was read.
    pub file: Option<PathBuf>,
    pub(crate) fingerprints: Fingerprints,
}

impl Loaded {
    /// Itself, unless nobody may be served by it.
    pub fn fit_to_serve(self) -> Result<Self, ConfigError> {
        match self.hindrances.into_iter().next() {
            Some(Warning { place, key, message }) => {
                let reason = format!("refusing to start: {message}");
                Err(ConfigError::Unsupported { place, key, reason })
            }
            None => Ok(Self { hindrances: Vec::new(), ..self }),
        }
    }
}

impl Config {
    /// Reads a registry:2 configuration file of at most 1 MiB. Reads nothing else: no environment, no other file.
    pub fn load(path: impl AsRef<Path>) -> Result<Loaded, ConfigError> {
        Self::load_with(Some(path.as_ref()), &Environment::default())
    }

    /// Reads the text of a registry:2 configuration file. `file_name` appears in errors and warnings.
    pub fn parse(text: &str, file_name: &str) -> Result<Loaded, ConfigError> {
        finish(yaml::load(text, &Arc::from(file_name))?, &Environment::default(), None)
    }

    /// Reads a configuration file of at most 1 MiB, of registry:2 or of docker-registry 0.x, and lets the environment have its say.
    /// Where no file is given, it is the one that `REGISTRY_CONFIGURATION_PATH` or `DOCKER_REGISTRY_CONFIG` names; without any, [`Config::default`] is what the variables change.
    pub fn load_with(file: Option<&Path>, environment: &Environment) -> Result<Loaded, ConfigError> {
        let file = file.map(Path::to_owned).or_else(|| environment.configuration_path());
        let tree = match &file {
            Some(path) => read_file(path)?,
            None => yaml::load_from(NO_FILE, Source::Default)?,
        };
        finish(tree, environment, file)
    }
}

fn finish(mut tree: Node, environment: &Environment, file: Option<PathBuf>) -> Result<Loaded, ConfigError> {
    let mut remarks = Remarks::default();
    let is_docker_registry = docker_registry::is_one(&tree);
    if is_docker_registry {
        let translated =
            docker_registry::translate(tree, environment, Secrets::Needed, &mut remarks.warnings)?;
        tree = translated.tree;
        remarks.notes.push(match translated.flavour {
            Some(flavour) => format!("a file of docker-registry 0.x, of which the flavour {flavour} counts"),
            None => "a file of docker-registry 0.x".to_owned(),
        });
        remarks.notes.extend(environment.of_the_old_server());
        environment.beside_docker_registry().apply(&mut tree, &mut remarks)?;
    } else {
        environment.apply(&mut tree, &mut remarks)?;
    }
    let Remarks { mut warnings, notes, passed_over } = remarks;
    let effective = Effective::new(&tree);
    let fingerprints = Fingerprints::of(&tree);
    let (config, hindrances) = read::interpret(tree, is_docker_registry, &mut warnings)?;
    warnings.sort_by(|one, other| one.place.cmp(&other.place));
    Ok(Loaded { config, warnings, hindrances, notes, passed_over, effective, file, fingerprints })
}

pub(crate) fn read_file(path: &Path) -> Result<Node, ConfigError> {
    let bytes = bytes(path).map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
    let source = Source::File(path.display().to_string().into());
    if let Ok(text) = str::from_utf8(&bytes) {
        return yaml::load_from(text, source);
    }
    let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let reason = "not UTF-8 from here on".to_owned();
    Err(ConfigError::Syntax { place: end_of(valid, source), reason })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if length as u64 > MAX_FILE {
        let message = format!("larger than {MAX_FILE} bytes, which no configuration is");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The place behind the last character of `text`.
fn end_of(text: &str, source: Source) -> Place {
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    let line = text.matches('\n').count() + 1;
    Place::new(source, line, last_line.chars().count() + 1)
}

#[cfg(test)]
mod tests;
