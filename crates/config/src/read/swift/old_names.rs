//! The names of docker-registry's Swift driver (`swift_authurl` and the like), which many have in their older files. They are
//! taken as what they mean, and a warning says how they are called now.

use crate::Warning;
use crate::section::Field;
use crate::tree::Value;

const NAMES: [(&str, &str); 10] = [
    ("swift_authurl", "authurl"),
    ("swift_auth_version", "authversion"),
    ("swift_user", "username"),
    ("swift_password", "password"),
    ("swift_tenant_name", "tenant"),
    ("swift_region_name", "region"),
    ("swift_endpoint_type", "endpointtype"),
    ("swift_object_storage_url", "storageurl"),
    ("swift_container", "container"),
    ("swift_cacert", "cacert"),
];

/// Gives the keys of the driver their present names. Who gives both is told of it as of any key that is given twice.
pub(super) fn translate(driver: &mut Field, warnings: &mut Vec<Warning>) {
    let Value::Mapping(entries) = &mut driver.node.value else { return };
    for entry in entries {
        let Some((_, new)) = NAMES.iter().find(|(old, _)| entry.key.eq_ignore_ascii_case(old)) else {
            continue;
        };
        warnings.push(Warning {
            place: entry.key_place.clone(),
            key: format!("{}.{}", driver.key.path, entry.key),
            message: format!("the name that docker-registry had; taken as {new:?}"),
        });
        (*new).clone_into(&mut entry.key);
    }
}
