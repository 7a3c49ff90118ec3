use super::*;
use crate::config::Interface;

fn config(change: impl FnOnce(&mut SwiftConfig)) -> SwiftConfig {
    let mut config = SwiftConfig::new("http://h:5000/v3", "u", "p", "registry");
    change(&mut config);
    config
}

#[expect(clippy::unnecessary_wraps, reason = "it is for optional fields")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_user_is_known_by_name_and_domain_or_by_identifier() {
    let user = |change: fn(&mut SwiftConfig)| {
        request(&config(change))["auth"]["identity"]["password"]["user"].clone()
    };
    assert_eq!(user(|_| ()), json!({"name": "u", "domain": {"name": "Default"}, "password": "p"}));
    let by_domain_id = user(|config| config.domain_id = some("d1"));
    assert_eq!(by_domain_id["domain"], json!({"id": "d1"}));
    let by_both = user(|config| (config.domain, config.domain_id) = (some("D"), some("d1")));
    assert_eq!(by_both["domain"], json!({"name": "D"}));
    assert_eq!(user(|config| config.user_id = some("u1")), json!({"id": "u1", "password": "p"}));
}

#[test]
fn a_project_is_known_by_identifier_or_by_name_and_the_first_domain_there_is() {
    let project = |change: fn(&mut SwiftConfig)| {
        let config = config(|config| {
            config.tenant = some("t");
            change(config);
        });
        request(&config)["auth"]["scope"]["project"].clone()
    };
    assert_eq!(project(|config| config.tenant_id = some("t1")), json!({"id": "t1"}));
    let domain = |change: fn(&mut SwiftConfig)| project(change)["domain"].clone();
    assert_eq!(domain(|_| ()), json!({"name": "Default"}));
    assert_eq!(domain(|config| config.domain_id = some("d1")), json!({"id": "d1"}));
    assert_eq!(
        domain(|config| (config.domain, config.domain_id) = (some("D"), some("d1"))),
        json!({"name": "D"})
    );
    assert_eq!(
        domain(|config| (config.tenant_domain_id, config.domain) = (some("td1"), some("D"))),
        json!({"id": "td1"})
    );
    assert_eq!(
        domain(|config| (config.tenant_domain, config.tenant_domain_id) = (some("TD"), some("td1"))),
        json!({"name": "TD"})
    );
    assert_eq!(request(&config(|_| ()))["auth"].get("scope"), None);
}

fn token(catalog: &Value, project: Option<&str>) -> Token {
    let project = project.map(|name| json!({"name": name}));
    serde_json::from_value(json!({"catalog": catalog, "project": project})).unwrap()
}

#[test]
fn the_endpoint_is_that_of_the_interface_and_the_region() {
    let endpoint_of = |interface: &str, region: &str, url: &str| json!({"interface": interface, "region": region, "region_id": format!("{region}-id"), "url": url});
    let catalog = json!([
        {"type": "identity", "endpoints": [endpoint_of("public", "A", "http://identity")]},
        {"type": "object-store", "endpoints": [
            endpoint_of("admin", "A", "http://admin-a"),
            endpoint_of("public", "A", "http://public-a"),
            endpoint_of("internal", "B", "http://internal-b"),
            endpoint_of("public", "B", "http://public-b"),
        ]},
    ]);
    let found =
        |change: fn(&mut SwiftConfig)| endpoint(&token(&catalog, Some("t")), &config(change), "http://h/v3");
    assert_eq!(found(|_| ()).unwrap(), "http://public-a");
    assert_eq!(found(|config| config.region = some("B")).unwrap(), "http://public-b");
    assert_eq!(found(|config| config.region = some("B-id")).unwrap(), "http://public-b");
    assert_eq!(found(|config| config.interface = Interface::Internal).unwrap(), "http://internal-b");
    let error =
        found(|config| (config.interface, config.region) = (Interface::Admin, some("B"))).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("no admin B endpoint") && text.contains("admin A-id, public A-id"), "{text}");
}

#[test]
fn a_catalog_without_an_object_store_says_why() {
    let identity_only = json!([{"type": "identity", "endpoints": []}]);
    let error =
        |catalog: Value, project| endpoint(&token(&catalog, project), &config(|_| ()), "u").unwrap_err();
    assert!(matches!(error(identity_only, Some("t")), AuthError::NoObjectStore { .. }));
    assert!(matches!(error(json!([]), None), AuthError::NoProject { .. }));
}

#[test]
fn life_is_counted_by_keystones_clock() {
    let life_of = |token: Value| life(&serde_json::from_value(token).unwrap());
    let both =
        json!({"issued_at": "2001-01-01T00:00:00.000000Z", "expires_at": "2001-01-01T01:00:00.000000Z"});
    assert_eq!(life_of(both), Some(Duration::from_hours(1)));
    assert_eq!(life_of(json!({"expires_at": "2001-01-01T01:00:00.000000Z"})), None);
    assert_eq!(life_of(json!({"expires_at": "soon"})), None);
    assert_eq!(life_of(json!({})), None);
}
