//! The catalog: which services there are, and where.

use crate::keystone::Version;
use crate::log::Interface;
use crate::server::Shared;

/// A service and its three addresses.
pub(super) struct Service {
    pub(super) id: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) public: String,
    pub(super) internal: String,
    pub(super) admin: String,
}

/// All services, as a version of Keystone tells of them.
pub(super) fn services(fake: &Shared, version: Version) -> [Service; 2] {
    let (keystone, internal) = (version.url(fake), fake.storage_url(Interface::Internal));
    [
        Service {
            id: "1",
            kind: "identity",
            name: "keystone",
            public: keystone.clone(),
            internal: keystone.clone(),
            admin: keystone,
        },
        Service {
            id: "2",
            kind: "object-store",
            name: "swift",
            public: fake.storage_url(Interface::Public),
            internal: internal.clone(),
            admin: internal,
        },
    ]
}
