use super::*;

fn auth(user: &Password) -> Value {
    request(user, "s")["auth"].clone()
}

#[test]
fn a_tenant_is_said_by_name_by_identifier_or_in_the_name_of_the_user() {
    let credentials = json!({ "username": "u", "password": "s" });
    let user = |name: &str| Password::new(name, "s");
    assert_eq!(auth(&user("u")), json!({ "passwordCredentials": credentials }));
    for by_name in [user("u").for_project("t"), user("t:u")] {
        assert_eq!(auth(&by_name), json!({ "passwordCredentials": credentials, "tenantName": "t" }));
    }
    let by_id = user("u").for_project(Entity::Id("t1".into()));
    assert_eq!(auth(&by_id), json!({ "passwordCredentials": credentials, "tenantId": "t1" }));
    let both = auth(&user("t:u").for_project("t2"));
    assert_eq!(
        (&both["passwordCredentials"]["username"], &both["tenantName"]),
        (&json!("t:u"), &json!("t2"))
    );
    let user_by_id = auth(&Password::new(Entity::Id("u1".into()), "s").for_project("t"));
    assert_eq!(user_by_id["passwordCredentials"], json!({ "userId": "u1", "password": "s" }));
}

/// The example of the Identity API 2.0's documentation in its parts.
#[test]
fn the_catalog_has_three_addresses_in_each_region() {
    let Envelope { access } = serde_json::from_value(json!({ "access": {
        "token": {
            "id": "aaaaa-bbbbb-ccccc-dddd",
            "issued_at": "2014-01-30T15:30:58.819584",
            "expires": "2014-01-31T15:30:58Z",
            "tenant": { "id": "fc394f2ab2df4114bde39905f800dc57", "name": "demo" },
        },
        "serviceCatalog": [
            { "type": "compute", "endpoints": [{ "publicURL": "http://nova" }] },
            { "type": "object-store", "name": "swift", "endpoints_links": [], "endpoints": [
                { "region": "A", "publicURL": "http://p/v1/AUTH_1", "internalURL": "http://i/v1/AUTH_1",
                  "adminURL": "http://a/" },
                { "publicURL": "http://p2/v1/AUTH_1" },
            ]},
        ],
        "user": { "username": "demo", "roles_links": [], "id": "9a6590b2ab024747bc2167c4e064d00d" },
    }}))
    .unwrap();
    assert_eq!(access.token.id, "aaaaa-bbbbb-ccccc-dddd");
    assert!(access.token.tenant.is_some());
    let clock = Some("Fri, 31 Jan 2014 14:30:58 GMT");
    assert_eq!(access.token.validity.life(clock), Some(std::time::Duration::from_hours(1)));
    let endpoints = access.endpoints();
    let all: Vec<_> = endpoints
        .iter()
        .map(|endpoint| (&*endpoint.interface, endpoint.regions.first().map(String::as_str), &*endpoint.url))
        .collect();
    assert_eq!(
        all,
        [
            ("public", Some("A"), "http://p/v1/AUTH_1"),
            ("internal", Some("A"), "http://i/v1/AUTH_1"),
            ("admin", Some("A"), "http://a/"),
            ("public", None, "http://p2/v1/AUTH_1"),
        ]
    );
}
