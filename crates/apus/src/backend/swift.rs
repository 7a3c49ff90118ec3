//! From `storage.swift` to the configuration of the Swift crate: the names of registry:2 on one side, those of OpenStack on
//! the other.

use apus_config::{
    AuthVersion, EndpointType, SwiftConfig, SwiftCredentials, SwiftNaming, SwiftSecret, SwiftSignIn,
    SwiftUser,
};
use apus_swift::{
    ApplicationCredential, CapabilityOverrides, ClientCertificate, ConfigError, Credentials, Domain, Entity,
    Interface, Naming, Password, Secret, TemporaryUrlOptions, TemporaryUrlScope, TemporaryUrlSupport, Tls,
    Token,
};

use crate::outgoing;

/// What the file says of a Swift, in the terms of the crate that reaches one. A cloud that the file only names is looked up
/// now.
pub(crate) fn config(config: &SwiftConfig) -> Result<apus_swift::SwiftConfig, ConfigError> {
    let mut swift = match &config.sign_in {
        SwiftSignIn::Cloud(name) if name == "envvars" => {
            apus_swift::SwiftConfig::from_env(&*config.container)?
        }
        SwiftSignIn::Cloud(name) => apus_swift::SwiftConfig::from_cloud(name, &*config.container)?,
        SwiftSignIn::Service { auth_url, auth_version, credentials } => {
            let credentials = credentials_of(config, credentials);
            let mut swift = apus_swift::SwiftConfig::new(&**auth_url, credentials, &*config.container);
            swift.auth_version = auth_version.map(|version| match version {
                AuthVersion::V1 => apus_swift::AuthVersion::V1,
                AuthVersion::V2 => apus_swift::AuthVersion::V2,
                AuthVersion::V3 => apus_swift::AuthVersion::V3,
            });
            swift
        }
    };
    // What the file says of the endpoint or of TLS takes the place of all that a cloud says of it.
    if config.region.is_some() || config.endpoint_type.is_some() || config.storage_url.is_some() {
        swift.region.clone_from(&config.region);
        swift.interface = match config.endpoint_type {
            Some(EndpointType::Public) | None => Interface::Public,
            Some(EndpointType::Internal) => Interface::Internal,
            Some(EndpointType::Admin) => Interface::Admin,
        };
        swift.storage_url.clone_from(&config.storage_url);
    }
    if config.insecure_skip_verify || config.ca_cert.is_some() || config.client_certificate.is_some() {
        let own = config.client_certificate.clone();
        swift.tls = Tls {
            ca_file: config.ca_cert.clone(),
            client_certificate: own.map(|(certificate, key)| ClientCertificate { certificate, key }),
            insecure: config.insecure_skip_verify,
        };
    }
    swift.prefix.clone_from(&config.prefix);
    swift.naming = match config.naming {
        SwiftNaming::Registry2 => Naming::Registry2,
        SwiftNaming::DockerRegistry => Naming::DockerRegistry,
    };
    set(&mut swift.segment_size, config.chunk_size);
    set(&mut swift.connect_timeout, config.connect_timeout);
    set(&mut swift.answer_timeout, config.answer_timeout);
    set(&mut swift.idle_timeout, config.idle_timeout);
    set(&mut swift.total_timeout, config.total_timeout);
    set(&mut swift.max_tries, config.max_tries);
    set(&mut swift.max_requests, config.max_requests);
    swift.add_headers = Some(outgoing::add_headers);
    swift.verify_checksums = config.verify_checksums;
    swift.capabilities = capabilities(config);
    swift.temporary_urls = TemporaryUrlOptions {
        key: config.secret_key.clone(),
        access_key: config.access_key.clone(),
        key_scope: config.temp_url_container_key.then_some(TemporaryUrlScope::Container),
        public_host: config.temp_url_host.clone(),
        ..TemporaryUrlOptions::default()
    };
    Ok(swift)
}

/// What the file does not say stays as it is.
fn set<T>(setting: &mut T, said: Option<T>) {
    if let Some(said) = said {
        *setting = said;
    }
}

fn capabilities(config: &SwiftConfig) -> CapabilityOverrides {
    let (methods, digests) = (&config.temp_url_methods, &config.temp_url_digests);
    let temporary_urls = match (methods.is_empty(), digests.is_empty()) {
        (true, true) => None,
        // Who names digests alone has temporary URLs.
        (true, false) => Some(["GET", "HEAD"].map(str::to_owned).to_vec()),
        (false, _) => Some(methods.clone()),
    };
    let said = config.capabilities;
    CapabilityOverrides {
        max_file_size: said.max_file_size,
        container_listing_limit: said.container_listing_limit,
        max_segments: said.max_manifest_segments,
        min_segment_size: said.min_segment_size,
        max_deletes: said.max_deletes_per_request,
        conditional_writes: said.conditional_writes,
        temporary_urls: temporary_urls
            .map(|methods| TemporaryUrlSupport { methods, digests: digests.clone() }),
    }
}

fn credentials_of(config: &SwiftConfig, credentials: &SwiftCredentials) -> Credentials {
    let user = |user: &SwiftUser| entity(user, user_domain(config));
    let project = project(config);
    match credentials {
        SwiftCredentials::Password { user: name, password } => {
            let password = Password::new(user(name), secret(password));
            match (&config.trust_id, project) {
                (Some(trust), _) => password.by_trust(trust),
                (None, Some(project)) => password.for_project(project),
                (None, None) => password,
            }
            .into()
        }
        SwiftCredentials::ApplicationCredential { id, secret: key } => {
            ApplicationCredential::new(id, secret(key)).into()
        }
        SwiftCredentials::NamedApplicationCredential { name, user: whose, secret: key } => {
            ApplicationCredential::named(name, user(whose), secret(key)).into()
        }
        SwiftCredentials::Token(token) => Token { token: secret(token), project }.into(),
    }
}

/// The project by its identifier, if that is given, else by its name, as registry:2 has it. Its domain is that of the user
/// where no other is said, also for a token, which says none of its own.
fn project(config: &SwiftConfig) -> Option<Entity> {
    if let Some(id) = &config.tenant_id {
        return Some(Entity::Id(id.clone()));
    }
    let name = config.tenant.as_ref()?;
    let own = domain(config.tenant_domain.as_ref(), config.tenant_domain_id.as_ref());
    Some(Entity::named(name).in_domain(own.or_else(|| user_domain(config))))
}

fn user_domain(config: &SwiftConfig) -> Option<Domain> {
    domain(config.domain.as_ref(), config.domain_id.as_ref())
}

fn entity(user: &SwiftUser, domain: Option<Domain>) -> Entity {
    match user {
        SwiftUser::Id(id) => Entity::Id(id.clone()),
        SwiftUser::Name(name) => Entity::named(name).in_domain(domain),
    }
}

/// By its name, if that is given, as registry:2 has it.
fn domain(name: Option<&String>, id: Option<&String>) -> Option<Domain> {
    name.cloned().map(Domain::Name).or_else(|| id.cloned().map(Domain::Id))
}

fn secret(secret: &SwiftSecret) -> Secret {
    match secret {
        SwiftSecret::Text(text) => Secret::Text(text.clone()),
        SwiftSecret::File(path) => Secret::File(path.clone()),
    }
}

#[cfg(test)]
mod tests;
