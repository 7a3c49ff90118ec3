//! `storage.swift`: the parameters of registry:2's driver, and a few more. How to sign in is a room of its own, [`sign_in`];
//! so is what concerns temporary URLs, [`temporary_urls`], and how much is asked of Swift at once and for how long,
//! [`limits`]. [`old_names`] are those of docker-registry's driver.

mod limits;
mod old_names;
mod sign_in;
mod temporary_urls;

use std::path::PathBuf;

use super::{web_url, word};
use crate::section::{Field, Section};
use crate::{ConfigError, EndpointType, SwiftConfig, SwiftNaming, Warning, quantity};

/// The smallest `chunksize` in bytes, as in registry:2.
const MIN_CHUNK: u64 = 1 << 20;

const ENDPOINT_TYPES: [(&str, EndpointType); 3] =
    [("public", EndpointType::Public), ("internal", EndpointType::Internal), ("admin", EndpointType::Admin)];

const NAMINGS: [(&str, SwiftNaming); 2] =
    [("registry2", SwiftNaming::Registry2), ("docker-registry", SwiftNaming::DockerRegistry)];

const STORAGE_URL: &str =
    "an http or https URL without credentials, such as https://swift.example/v1/AUTH_0123456789abcdef";

/// Reads the parameters.
pub(super) fn read(mut driver: Field, warnings: &mut Vec<Warning>) -> Result<SwiftConfig, ConfigError> {
    old_names::translate(&mut driver, warnings);
    let mut section = driver.section()?.ignore_case()?;
    for (name, message) in [
        ("rootdirectory", "ignored, as by registry:2; to put a path in front of every name, use \"prefix\""),
        (
            "storage_path",
            "ignored: what docker-registry stored lies elsewhere and is not read; to put a path in front of every \
             name, use \"prefix\"",
        ),
    ] {
        if let Some(ignored) = section.take(name) {
            warnings.push(ignored.key.warning(message));
        }
    }
    // registry:2 sets it by itself, and its driver does not use it.
    drop(section.take("useragent"));
    let swift = parameters(&mut section, warnings)?;
    section.finish(warnings);
    Ok(swift)
}

fn parameters(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<SwiftConfig, ConfigError> {
    const CONTAINER: &str = "the name of a container, without a slash";
    const CHUNK_SIZE: &str = "a number of bytes, at least 1048576, such as 20971520, 20M or 64MiB";

    let container = section.parse("container", CONTAINER, container_name)?;
    let sign_in = sign_in::read(section, warnings)?;
    Ok(SwiftConfig {
        sign_in,
        container: section.required("container", CONTAINER, container)?,
        tenant: section.text("tenant")?,
        tenant_id: section.text("tenantid")?,
        domain: section.text("domain")?,
        domain_id: section.text("domainid")?,
        tenant_domain: section.text("tenantdomain")?,
        tenant_domain_id: section.text("tenantdomainid")?,
        trust_id: section.text("trustid")?,
        region: section.text("region")?,
        prefix: section.text("prefix")?.unwrap_or_default(),
        naming: section
            .parse("naming", "registry2 or docker-registry", |text| word(text, &NAMINGS))?
            .unwrap_or_default(),
        endpoint_type: section
            .parse("endpointtype", "public, internal or admin", |text| word(text, &ENDPOINT_TYPES))?,
        storage_url: section.parse("storageurl", STORAGE_URL, |text| web_url(text).map(str::to_owned))?,
        insecure_skip_verify: section.boolean("insecureskipverify")?.unwrap_or(false),
        ca_cert: section.text("cacert")?.map(PathBuf::from),
        client_certificate: client_certificate(section)?,
        chunk_size: section.parse("chunksize", CHUNK_SIZE, chunk_size)?,
        secret_key: section.secret("secretkey")?,
        access_key: section.text("accesskey")?,
        temp_url_container_key: section.boolean("tempurlcontainerkey")?.unwrap_or(false),
        temp_url_methods: section.texts("tempurlmethods")?,
        temp_url_digests: temporary_urls::digests(section)?,
        temp_url_host: temporary_urls::host(section)?,
        connect_timeout: limits::short_time(section, "connecttimeout")?,
        answer_timeout: limits::short_time(section, "answertimeout")?,
        idle_timeout: limits::short_time(section, "idletimeout")?,
        total_timeout: limits::total_time(section)?,
        max_tries: limits::tries(section)?,
        max_requests: limits::requests(section)?,
        verify_checksums: section.boolean("verifychecksums")?,
        capabilities: limits::capabilities(section, warnings)?,
    })
}

/// The certificate and its key, which may lie in one file.
fn client_certificate(section: &mut Section) -> Result<Option<(PathBuf, PathBuf)>, ConfigError> {
    let certificate = section.text("clientcertificate")?.map(PathBuf::from);
    match section.text("clientkey")?.map(PathBuf::from) {
        None => Ok(certificate.map(|certificate| (certificate.clone(), certificate))),
        Some(key) => {
            let expected = "the file of the certificate that the key of \"clientkey\" belongs to";
            Ok(Some((section.required("clientcertificate", expected, certificate)?, key)))
        }
    }
}

fn chunk_size(text: &str) -> Option<u64> {
    quantity::size(text).filter(|bytes| *bytes >= MIN_CHUNK)
}

fn container_name(text: &str) -> Option<String> {
    (!text.contains('/')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
