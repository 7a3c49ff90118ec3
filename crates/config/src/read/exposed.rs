//! A registry that others can reach and in which nobody signs in: whoever writes for Apus must say so in so many words, or
//! `apus serve` does not start. A configuration as registry:2 has it starts as it always did, with a warning. And images of which
//! an index decides who may read them, which version 2 does not ask: that, too, must be said.

use std::net::IpAddr;

use crate::tree::{Node, Value};
use crate::{ClientAuthMode, Config, Place, Source, V1Access, Warning};

/// Where it is said who can reach a registry: the key of what stops it, or is warned about.
pub(crate) const KEY: &str = "http.addr";

/// What lets version 2 show images of version 1.
const SHOWS_VERSION_1: &str = "v1.version2";

/// Keys that no registry but Apus has: who writes one of them writes for Apus. Those of registry 3, of OpenShift's registry and of
/// docker-registry's driver are none.
const OWN: &[&str] = &[
    "access",
    "http.trustedproxies",
    "limits",
    "notifications.queue",
    "proxy.allowednetworks",
    "proxy.freshness",
    "proxy.ns",
    "proxy.tokenservers",
    "proxy.upstreams",
    "storage.redirect.lifetime",
    "storage.swift.answertimeout",
    "storage.swift.applicationcredentialsecretfile",
    "storage.swift.capabilities",
    "storage.swift.cloud",
    "storage.swift.connecttimeout",
    "storage.swift.idletimeout",
    "storage.swift.maxrequests",
    "storage.swift.maxtries",
    "storage.swift.naming",
    "storage.swift.passwordfile",
    "storage.swift.tempurldigests",
    "storage.swift.tempurlhost",
    "storage.swift.tokenfile",
    "storage.swift.totaltimeout",
    "storage.swift.verifychecksums",
    "v1",
];

/// For whom a configuration was written, and where it says on which address to listen.
pub(super) struct Author {
    is_without_file: bool,
    own_key: Option<&'static str>,
    address: Place,
    shows_version_1: Option<Place>,
}

impl Author {
    pub(super) fn find(root: &Node, is_docker_registry: bool) -> Self {
        Self {
            // What changed the address was said to Apus then.
            is_without_file: root.place.source == Source::Default,
            // Such a file is told in keys of Apus's own.
            own_key: OWN.iter().copied().find(|key| !is_docker_registry && place(root, key).is_some()),
            shows_version_1: place(root, SHOWS_VERSION_1),
            address: place(root, KEY).unwrap_or_else(|| root.place.clone()),
        }
    }

    /// What must stop `apus serve`; else it is warned about.
    pub(super) fn judge(self, config: &Config, warnings: &mut Vec<Warning>) -> Vec<Warning> {
        let passed_by = self.pass_by_an_index(config);
        passed_by.into_iter().chain(self.leave_open(config, warnings)).collect()
    }

    /// Images of version 1 that an index lets nobody read without a token, for everyone in version 2.
    fn pass_by_an_index(&self, config: &Config) -> Option<Warning> {
        let place = self.shows_version_1.clone()?;
        let v1 = config.v1.as_ref()?;
        let decides = v1.shown && matches!(v1.access, V1Access::Token { .. });
        let message = "an index says who may read these images, and version 2 does not ask it: set auth.htpasswd or \
                       auth.token, or write \"auth: none\" if everyone may read them";
        (decides && nobody_signs_in(config)).then(|| Warning {
            place,
            key: SHOWS_VERSION_1.to_owned(),
            message: message.to_owned(),
        })
    }

    fn leave_open(self, config: &Config, warnings: &mut Vec<Warning>) -> Option<Warning> {
        if !is_open(config) || !is_reached_by_others(config) {
            return None;
        }
        let risk = "whoever reaches this address may read and change all images, for nobody has to sign in: set \
                    auth.htpasswd or auth.token, or listen on 127.0.0.1, or write \"auth: none\" if that is what you want";
        let message = match self.own_key {
            Some(own_key) => {
                format!("{risk}; only a file without keys of Apus's own, such as {own_key}, is served so")
            }
            None => risk.to_owned(),
        };
        let warning = Warning { place: self.address, key: KEY.to_owned(), message };
        if self.is_without_file || self.own_key.is_some() {
            return Some(warning);
        }
        warnings.push(warning);
        None
    }
}

/// Whether nobody signs in, and nobody has said that it should be so.
fn is_open(config: &Config) -> bool {
    // Where nothing but version 1 is spoken, an index may be asked.
    let index_decides =
        config.v1.as_ref().is_some_and(|v1| v1.exclusive && matches!(v1.access, V1Access::Token { .. }));
    nobody_signs_in(config) && !index_decides
}

fn nobody_signs_in(config: &Config) -> bool {
    let proven_by_tls = config
        .http
        .tls
        .as_ref()
        .and_then(|tls| tls.client_auth.as_ref())
        .is_some_and(|auth| auth.mode == ClientAuthMode::RequireAndVerify);
    let has_rules = config.access.as_ref().is_some_and(|access| access.rules.is_some());
    config.auth.is_none() && !has_rules && !proven_by_tls
}

/// Whether others than this machine may reach it. What a name stands for is not looked up.
fn is_reached_by_others(config: &Config) -> bool {
    let host = config.http.addr.host.as_str();
    let is_loopback = host.parse().map_or(host == "localhost", |address: IpAddr| address.is_loopback());
    config.http.unix_socket.is_none() && !is_loopback
}

/// Where a key stands, if it says anything. A section that is made of variables stands in the first that says something.
fn place(root: &Node, path: &str) -> Option<Place> {
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
