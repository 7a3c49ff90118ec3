//! Which of a catalog's endpoints is the account's URL. Versions 2 and 3 of Keystone write the same catalog in two ways.

use super::AuthError;
use crate::config::SwiftConfig;

/// An endpoint of a service of type `object-store`.
pub(super) struct Endpoint {
    /// `public`, `internal` or `admin`.
    pub(super) interface: String,
    /// The names of its region: one, or an older one too.
    pub(super) regions: Vec<String>,
    pub(super) url: String,
}

/// The account's URL, exactly as the catalog has it. `url` is where the catalog came from.
pub(super) fn storage_url(
    endpoints: &[Endpoint],
    config: &SwiftConfig,
    url: &str,
) -> Result<String, AuthError> {
    let url = url.to_owned();
    if endpoints.is_empty() {
        return Err(AuthError::NoObjectStore { url });
    }
    let interface = config.interface.as_str();
    let found = endpoints.iter().find(|endpoint| {
        endpoint.interface == interface
            && config.region.as_ref().is_none_or(|region| endpoint.regions.contains(region))
    });
    if let Some(endpoint) = found {
        return Ok(endpoint.url.clone());
    }
    let wanted = match &config.region {
        Some(region) => format!("{interface} {region}"),
        None => interface.to_owned(),
    };
    let offered = endpoints.iter().map(|endpoint| {
        let region = endpoint.regions.first().map_or("without a region", String::as_str);
        format!("{} {region}", endpoint.interface)
    });
    Err(AuthError::NoEndpoint { url, wanted, offered: offered.collect::<Vec<_>>().join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Interface, Password};

    fn endpoint(interface: &str, region: &str, url: &str) -> Endpoint {
        let regions = vec![region.to_owned(), format!("old {region}")];
        Endpoint { interface: interface.to_owned(), regions, url: url.to_owned() }
    }

    fn found(change: fn(&mut SwiftConfig)) -> Result<String, AuthError> {
        let endpoints = [
            endpoint("admin", "A", "http://admin-a"),
            endpoint("public", "A", "http://public-a//x/"),
            endpoint("internal", "B", "http://internal-b"),
            endpoint("public", "B", "http://public-b"),
        ];
        let mut config = SwiftConfig::new("http://h/v3", Password::new("u", "p"), "c");
        change(&mut config);
        storage_url(&endpoints, &config, "http://h/v3")
    }

    #[test]
    fn the_endpoint_is_that_of_the_interface_and_the_region() {
        assert_eq!(found(|_| ()).unwrap(), "http://public-a//x/");
        assert_eq!(found(|config| config.region = Some("B".into())).unwrap(), "http://public-b");
        assert_eq!(found(|config| config.region = Some("old B".into())).unwrap(), "http://public-b");
        assert_eq!(found(|config| config.interface = Interface::Internal).unwrap(), "http://internal-b");
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        let error = found(|config| {
            (config.interface, config.region) = (Interface::Admin, Some("B".into()));
        });
        let text = error.unwrap_err().to_string();
        assert!(text.contains("no admin B endpoint") && text.contains("admin A, public A"), "{text}");
        let config = SwiftConfig::new("http://h/v3", Password::new("u", "p"), "c");
        let error = storage_url(&[], &config, "http://h/v3").unwrap_err();
        assert!(matches!(error, AuthError::NoObjectStore { .. }));
    }
}
