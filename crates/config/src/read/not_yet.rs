//! The one list of what this version reads but does not do yet. What comes to be obeyed loses its line here.
//!
//! What would leave open a registry that its operator believes closed, or let write what ought to stay as it is, stops
//! `apus serve`. Anything else is warned about. Commands that serve nobody do not mind either.

use crate::tree::{Node, Value};
use crate::{Config, Place, Source, TlsCertificate, Warning};

/// A key that is not obeyed yet.
struct NotYet {
    key: &'static str,
    /// Whether what is configured would make a difference; a warning is only for what somebody wrote.
    matters: fn(&Config) -> bool,
    /// Whether nobody may be served while it is not obeyed.
    stops: bool,
    reason: &'static str,
}

const NOT_YET: &[NotYet] = &[stops(
    "http.tls.letsencrypt",
    |config| {
        config.http.tls.as_ref().is_some_and(|tls| matches!(tls.certificate, TlsCertificate::Acme { .. }))
    },
    "this version asks no authority for certificates; let another program do that, and name its files as certificate \
         and key: they are read anew when they change",
)];

const fn stops(key: &'static str, matters: fn(&Config) -> bool, reason: &'static str) -> NotYet {
    NotYet { key, matters, stops: true, reason }
}

/// Where the keys of the list stand in a file: to be found before its tree is taken apart.
pub(super) struct Written {
    places: Vec<(&'static NotYet, Option<Place>)>,
    /// The file as a whole.
    file: Place,
}

impl Written {
    pub(super) fn find(root: &Node) -> Self {
        let places = NOT_YET.iter().map(|not_yet| (not_yet, place(root, not_yet.key))).collect();
        Self { places, file: root.place.clone() }
    }

    /// Warns of what is not done, and gives back what must stop `apus serve`.
    pub(super) fn judge(self, config: &Config, warnings: &mut Vec<Warning>) -> Vec<Warning> {
        let mut stopping = Vec::new();
        for (not_yet, place) in self.places {
            if !(not_yet.matters)(config) {
                continue;
            }
            let key = not_yet.key.to_owned();
            if not_yet.stops {
                // Wherever it came from, it must not be missed.
                let place = place.unwrap_or_else(|| self.file.clone());
                stopping.push(Warning { place, key, message: not_yet.reason.to_owned() });
            } else if let Some(place) = place {
                let message = format!("not obeyed by this version: {}", not_yet.reason);
                warnings.push(Warning { place, key, message });
            }
        }
        stopping
    }
}

/// Where a key stands, if it says anything. A section that is made of variables stands in the first that says something.
pub(super) fn place(root: &Node, path: &str) -> Option<Place> {
    let mut node = root;
    let mut place = None;
    for name in path.split('.') {
        let Value::Mapping(entries) = &node.value else { return None };
        let entry = entries.iter().find(|entry| entry.key == name && entry.node.is_set())?;
        (node, place) = (&entry.node, Some(&entry.key_place));
    }
    let place = place?;
    let first = matches!(place.source, Source::Variable(_)).then(|| first_said(node)).flatten();
    Some(first.unwrap_or(place).clone())
}

/// The key of the first value below this node that says something.
fn first_said(node: &Node) -> Option<&Place> {
    let Value::Mapping(entries) = &node.value else { return None };
    let said = entries.iter().filter(|entry| entry.node.is_set());
    said.map(|entry| first_said(&entry.node).unwrap_or(&entry.key_place)).next()
}
