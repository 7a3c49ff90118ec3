//! `storage.swift`: the parameters of registry:2's driver, and the application credentials that OpenShift added.

use super::{web_url, word};
use crate::section::Section;
use crate::{AuthVersion, ConfigError, EndpointType, SwiftConfig, Warning, quantity};

/// The smallest `chunksize` in bytes, as in registry:2.
const MIN_CHUNK: u64 = 1 << 20;

const BY_APPLICATION_CREDENTIAL: &str =
    "not supported yet by this version: sign-in by application credential";

/// What would change as whom Apus signs in, and so must not be ignored.
const NOT_YET: [(&str, &str); 5] = [
    ("trustid", "not supported yet by this version: sign-in by a trust"),
    ("applicationcredentialid", BY_APPLICATION_CREDENTIAL),
    ("applicationcredentialname", BY_APPLICATION_CREDENTIAL),
    ("applicationcredentialsecret", BY_APPLICATION_CREDENTIAL),
    ("tokenid", "not supported yet by this version: sign-in by a token made elsewhere"),
];

const TEMPORARY_URLS: [&str; 4] = ["accesskey", "secretkey", "tempurlcontainerkey", "tempurlmethods"];

const ENDPOINT_TYPES: [(&str, EndpointType); 3] =
    [("public", EndpointType::Public), ("internal", EndpointType::Internal), ("admin", EndpointType::Admin)];

const AUTH_VERSIONS: [(&str, Option<AuthVersion>); 4] =
    [("0", None), ("1", Some(AuthVersion::V1)), ("2", Some(AuthVersion::V2)), ("3", Some(AuthVersion::V3))];

/// Reads the parameters, but stops at what this version cannot do yet.
pub(super) fn read(mut section: Section, warnings: &mut Vec<Warning>) -> Result<SwiftConfig, ConfigError> {
    for (name, reason) in NOT_YET {
        if let Some(key) = section.given(name) {
            return Err(key.unsupported(reason));
        }
    }
    for key in TEMPORARY_URLS.iter().filter_map(|name| section.given(name)) {
        warnings.push(
            key.warning("no effect yet: this version redirects no client, it streams every byte itself"),
        );
    }
    if let Some(root_directory) = section.take("rootdirectory") {
        let message = "ignored, as by registry:2; to put a path in front of every name, use \"prefix\"";
        warnings.push(root_directory.key.warning(message));
    }

    let version = section.given("authversion");
    let swift = parameters(&mut section)?;
    if let (Some(AuthVersion::V2), Some(key)) = (swift.auth_version, version) {
        return Err(key.unsupported("not supported yet by this version: sign-in v2; use 3 or 1"));
    }
    section.finish(warnings);
    Ok(swift)
}

/// Every parameter, whether this version can do it or not.
fn parameters(section: &mut Section) -> Result<SwiftConfig, ConfigError> {
    const AUTH_URL: &str =
        "an http or https URL without credentials, such as https://keystone.example:5000/v3";
    const CONTAINER: &str = "the name of a container, without a slash";
    const CHUNK_SIZE: &str = "a number of bytes, at least 1048576, such as 20971520, 20M or 64MiB";

    let auth_url = section.parse("authurl", AUTH_URL, |text| web_url(text).map(str::to_owned))?;
    let container = section.parse("container", CONTAINER, container_name)?;
    let username = section.text("username")?;
    let password = section.secret("password")?;
    Ok(SwiftConfig {
        username: section.required("username", "the name of a user", username)?,
        password: section.required("password", "the user's password", password)?,
        auth_url: section.required("authurl", AUTH_URL, auth_url)?,
        container: section.required("container", CONTAINER, container)?,
        tenant: section.text("tenant")?,
        tenant_id: section.text("tenantid")?,
        domain: section.text("domain")?,
        domain_id: section.text("domainid")?,
        tenant_domain: section.text("tenantdomain")?,
        tenant_domain_id: section.text("tenantdomainid")?,
        trust_id: section.text("trustid")?,
        region: section.text("region")?,
        auth_version: section
            .parse("authversion", "1, 2, 3, or 0 to guess", |text| word(text, &AUTH_VERSIONS))?
            .flatten(),
        prefix: section.text("prefix")?.unwrap_or_default(),
        endpoint_type: section
            .parse("endpointtype", "public, internal or admin", |text| word(text, &ENDPOINT_TYPES))?
            .unwrap_or_default(),
        insecure_skip_verify: section.boolean("insecureskipverify")?.unwrap_or(false),
        chunk_size: section.parse("chunksize", CHUNK_SIZE, chunk_size)?,
        secret_key: section.secret("secretkey")?,
        access_key: section.text("accesskey")?,
        temp_url_container_key: section.boolean("tempurlcontainerkey")?.unwrap_or(false),
        temp_url_methods: section.texts("tempurlmethods")?,
        application_credential_id: section.text("applicationcredentialid")?,
        application_credential_name: section.text("applicationcredentialname")?,
        application_credential_secret: section.secret("applicationcredentialsecret")?,
        token_id: section.secret("tokenid")?,
    })
}

fn chunk_size(text: &str) -> Option<u64> {
    quantity::size(text).filter(|bytes| *bytes >= MIN_CHUNK)
}

fn container_name(text: &str) -> Option<String> {
    (!text.contains('/')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
