//! `OS_*` for `storage.swift`. A whole group that the configuration leaves out is taken from them: who signs in and where, for
//! which project, to which endpoint. Never a single key of a group that the configuration begins: half of one cloud and half
//! of another would come out.

use super::{Environment, Remarks, Variable};
use crate::ConfigError;
use crate::tree::{Entry, Node, Scalar, Value};

pub(super) const PREFIX: &str = "OS_";

/// Keys of `storage.swift`, and the variables that say the same; the first that is set counts.
type Names = [(&'static str, &'static [&'static str])];

const WHERE: &Names =
    &[("authurl", &["OS_AUTH_URL"]), ("authversion", &["OS_IDENTITY_API_VERSION", "OS_AUTH_VERSION"])];

const USER: &Names = &[
    ("username", &["OS_USERNAME"]),
    ("userid", &["OS_USER_ID"]),
    ("domain", &["OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME", "OS_DEFAULT_DOMAIN_NAME"]),
    ("domainid", &["OS_USER_DOMAIN_ID", "OS_DOMAIN_ID", "OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN"]),
];

const PASSWORD: &Names = &[("password", &["OS_PASSWORD"])];

const APPLICATION_CREDENTIAL: &Names = &[
    ("applicationcredentialid", &["OS_APPLICATION_CREDENTIAL_ID"]),
    ("applicationcredentialname", &["OS_APPLICATION_CREDENTIAL_NAME"]),
    ("applicationcredentialsecret", &["OS_APPLICATION_CREDENTIAL_SECRET"]),
];

const TOKEN: &Names = &[("tokenid", &["OS_TOKEN", "OS_AUTH_TOKEN"])];

const CLOUD: &Names = &[("cloud", &["OS_CLOUD"])];

const TRUST: &Names = &[("trustid", &["OS_TRUST_ID"])];

const PROJECT: &Names =
    &[("tenant", &["OS_PROJECT_NAME", "OS_TENANT_NAME"]), ("tenantid", &["OS_PROJECT_ID", "OS_TENANT_ID"])];

const PROJECT_DOMAIN: &Names = &[
    ("tenantdomain", &["OS_PROJECT_DOMAIN_NAME", "OS_DOMAIN_NAME", "OS_DEFAULT_DOMAIN_NAME"]),
    (
        "tenantdomainid",
        &["OS_PROJECT_DOMAIN_ID", "OS_DOMAIN_ID", "OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN"],
    ),
];

const ENDPOINT: &Names = &[
    ("region", &["OS_REGION_NAME"]),
    ("endpointtype", &["OS_INTERFACE", "OS_ENDPOINT_TYPE"]),
    ("storageurl", &["OS_STORAGE_URL", "OS_OBJECT_STORE_ENDPOINT_OVERRIDE"]),
];

const TLS: &Names = &[
    ("cacert", &["OS_CACERT"]),
    ("clientcertificate", &["OS_CERT"]),
    ("clientkey", &["OS_KEY"]),
    ("insecureskipverify", &["OS_INSECURE"]),
];

/// Files with secrets are no variables, but belong to the identity.
const SECRET_FILES: &Names =
    &[("passwordfile", &[]), ("applicationcredentialsecretfile", &[]), ("tokenfile", &[])];

const IDENTITY: [&Names; 7] = [WHERE, USER, PASSWORD, APPLICATION_CREDENTIAL, TOKEN, CLOUD, SECRET_FILES];

const SCOPE: [&Names; 3] = [TRUST, PROJECT, PROJECT_DOMAIN];

/// Fills in the groups that `storage.swift` leaves out, if it is there.
pub(super) fn fill_in(
    environment: &Environment,
    root: &mut Node,
    remarks: &mut Remarks,
) -> Result<(), ConfigError> {
    let Some(mut swift) = Swift::find(environment, root)? else { return Ok(()) };
    if swift.names_old_keys() {
        return Ok(());
    }
    let mut filled = Vec::new();
    if !swift.says_any(&IDENTITY) && swift.identity()? {
        filled.push("who signs in");
        // To reach a cloud by its own certificates is part of reaching it; a file that names its cloud says them itself.
        if !swift.says_any(&[TLS]) {
            swift.take(TLS);
        }
    }
    // A cloud says all of it, and in version 1 there are neither projects nor endpoints to choose from.
    let has_cloud = swift.says_any(&[CLOUD]);
    if !has_cloud && !swift.is_version_1() {
        let is_bound = swift.says_any(&[APPLICATION_CREDENTIAL]); // to the project it was made for
        if !is_bound && !swift.says_any(&SCOPE) && swift.scope() {
            filled.push("the project");
        }
        if !swift.says_any(&[ENDPOINT]) && swift.take(ENDPOINT) {
            filled.push("the endpoint");
        }
    }
    if !filled.is_empty() {
        remarks
            .notes
            .push(format!("storage.swift leaves out {}: taken from the variables OS_*", filled.join(", ")));
    }
    Ok(())
}

/// `storage.swift` with the variables beside it.
struct Swift<'a> {
    entries: &'a mut Vec<Entry>,
    variables: Vec<Variable<'a>>,
}

impl<'a> Swift<'a> {
    fn find(environment: &'a Environment, root: &'a mut Node) -> Result<Option<Self>, ConfigError> {
        let Some(swift) = child(root, "storage").and_then(|storage| child(storage, "swift")) else {
            return Ok(None);
        };
        if !swift.is_set() && matches!(swift.value, Value::Scalar(_)) {
            swift.value = Value::Mapping(Vec::new());
        }
        let Value::Mapping(entries) = &mut swift.value else { return Ok(None) };
        let variables = environment.beginning_with(PREFIX).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Self { entries, variables }))
    }

    fn given(&self, key: &str) -> Option<&str> {
        let entry =
            self.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key) && entry.node.is_set())?;
        match &entry.node.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => Some(""),
        }
    }

    fn says_any(&self, groups: &[&Names]) -> bool {
        groups.iter().copied().flatten().any(|(key, _)| self.given(key).is_some())
    }

    /// Whether it is written in the names that docker-registry had: these are translated later on.
    fn names_old_keys(&self) -> bool {
        self.entries.iter().any(|entry| entry.key.to_ascii_lowercase().starts_with("swift_"))
    }

    fn is_version_1(&self) -> bool {
        let version = self.given("authversion").unwrap_or_default();
        let url = self.given("authurl").unwrap_or_default().trim_end_matches('/');
        version.trim_end_matches(".0") == "1"
            || (matches!(version, "" | "0") && (url.ends_with("/v1.0") || url.ends_with("/v1")))
    }

    fn variable(&self, names: &[&str]) -> Option<&Variable<'a>> {
        let said = |name: &&str| {
            self.variables.iter().find(|variable| variable.name == *name && !variable.value.is_empty())
        };
        names.iter().find_map(said)
    }

    /// Takes what the variables say. Answers whether they say anything.
    fn take(&mut self, names: &Names) -> bool {
        let mut taken = Vec::new();
        for (key, variables) in names {
            if let Some(variable) = self.variable(variables) {
                let value = Scalar { text: spelled(key, variable.value), plain: true };
                let node = Node { place: variable.place(), value: Value::Scalar(value) };
                taken.push(Entry { key: (*key).to_owned(), key_place: variable.place(), node });
            }
        }
        // A key that says nothing may be there.
        self.entries.retain(|entry| taken.iter().all(|new| !entry.key.eq_ignore_ascii_case(&new.key)));
        let found = !taken.is_empty();
        self.entries.extend(taken);
        found
    }

    /// Who signs in, by one way only, as the tools of OpenStack choose it; else by the cloud that is named.
    fn identity(&mut self) -> Result<bool, ConfigError> {
        let way = self.way()?;
        let is_told = [WHERE, USER, way].into_iter().any(|names| self.is_told(names));
        if !is_told {
            return Ok(!self.says_any(&SCOPE) && self.take(CLOUD));
        }
        self.take(WHERE);
        self.take(way);
        if way != TOKEN {
            self.take(USER);
        }
        Ok(true)
    }

    /// What proves who signs in.
    fn way(&self) -> Result<&'static Names, ConfigError> {
        const KNOWN: &str =
            "password, v3password, v2password, v1password, v3applicationcredential, token or v3token";
        let Some(kind) = self.variable(&["OS_AUTH_TYPE"]) else {
            return Ok(if self.is_told(APPLICATION_CREDENTIAL) {
                APPLICATION_CREDENTIAL
            } else if self.is_told(TOKEN) && !self.is_told(PASSWORD) {
                TOKEN
            } else {
                PASSWORD
            });
        };
        match kind.value {
            "password" | "v3password" | "v2password" | "v1password" => Ok(PASSWORD),
            "v3applicationcredential" => Ok(APPLICATION_CREDENTIAL),
            "token" | "v3token" => Ok(TOKEN),
            other => Err(ConfigError::Invalid {
                place: kind.place(),
                key: "storage.swift".to_owned(),
                found: format!("{other:?}"),
                expected: KNOWN.to_owned(),
            }),
        }
    }

    fn is_told(&self, names: &Names) -> bool {
        names.iter().any(|(_, names)| self.variable(names).is_some())
    }

    /// For which project: by the trust, if there is one.
    fn scope(&mut self) -> bool {
        if self.take(TRUST) {
            return true;
        }
        let found = self.take(PROJECT);
        if found {
            self.take(PROJECT_DOMAIN);
        }
        found
    }
}

/// The value as `storage.swift` has it.
fn spelled(key: &str, value: &str) -> String {
    match key {
        "endpointtype" => value.strip_suffix("URL").unwrap_or(value).to_owned(),
        "authversion" => value.trim_start_matches('v').trim_end_matches(".0").to_owned(),
        "insecureskipverify" => match &*value.to_ascii_lowercase() {
            "1" => "true".to_owned(),
            "0" => "false".to_owned(),
            word => word.to_owned(),
        },
        _ => value.to_owned(),
    }
}

fn child<'tree>(node: &'tree mut Node, key: &str) -> Option<&'tree mut Node> {
    match &mut node.value {
        Value::Mapping(entries) => {
            entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
        }
        _ => None,
    }
}
