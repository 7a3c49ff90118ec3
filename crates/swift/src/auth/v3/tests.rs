use super::*;

fn asked(credentials: impl Into<Credentials>) -> Value {
    request(&credentials.into(), "s").unwrap()["auth"].clone()
}

fn name(text: &str) -> Domain {
    Domain::Name(text.to_owned())
}

fn id(text: &str) -> Domain {
    Domain::Id(text.to_owned())
}

#[test]
fn a_user_is_known_by_name_and_domain_or_by_identifier() {
    let user = |user: Entity| asked(Password::new(user, "s"))["identity"].clone();
    let named = user(Entity::named("u"));
    assert_eq!(named["methods"], json!(["password"]));
    assert_eq!(
        named["password"]["user"],
        json!({"name": "u", "domain": {"name": "Default"}, "password": "s"})
    );
    let domain = |domain| user(Entity::named("u").in_domain(domain))["password"]["user"]["domain"].clone();
    assert_eq!(domain(id("d1")), json!({"id": "d1"}));
    assert_eq!(domain(name("D")), json!({"name": "D"}));
    let by_id = user(Entity::Id("u1".into()).in_domain(name("D")));
    assert_eq!(by_id["password"]["user"], json!({"id": "u1", "password": "s"}));
}

#[test]
fn a_project_is_known_by_identifier_or_by_name_and_the_first_domain_there_is() {
    let scope = |user: Entity, project: Entity| {
        asked(Password::new(user, "s").for_project(project))["scope"]["project"].clone()
    };
    let (user, project) = (Entity::named("u"), Entity::named("t"));
    assert_eq!(scope(user.clone(), Entity::Id("t1".into())), json!({"id": "t1"}));
    assert_eq!(scope(user.clone(), project.clone()), json!({"name": "t", "domain": {"name": "Default"}}));
    let user = user.in_domain(id("d1"));
    assert_eq!(scope(user.clone(), project.clone())["domain"], json!({"id": "d1"}));
    assert_eq!(scope(user, project.in_domain(name("TD")))["domain"], json!({"name": "TD"}));
}

#[test]
fn a_trust_takes_the_place_of_a_project_and_nothing_may() {
    let trusted = asked(Password::new("u", "s").by_trust("t1"));
    assert_eq!(trusted["scope"], json!({"OS-TRUST:trust": {"id": "t1"}}));
    assert_eq!(asked(Password::new("u", "s")).get("scope"), None);
}

#[test]
fn an_application_credential_has_no_scope() {
    let by_id = asked(ApplicationCredential::new("a1", "s"));
    assert_eq!(
        by_id,
        json!({"identity": {"methods": ["application_credential"],
                            "application_credential": {"id": "a1", "secret": "s"}}})
    );
    let user = Entity::named("u").in_domain(name("D"));
    let by_name = asked(ApplicationCredential::named("a", user, "s"));
    assert_eq!(
        by_name["identity"]["application_credential"],
        json!({"name": "a", "user": {"name": "u", "domain": {"name": "D"}}, "secret": "s"})
    );
    let user = Entity::Id("u1".to_owned());
    let by_name = asked(ApplicationCredential::named("a", user, "s"));
    assert_eq!(by_name["identity"]["application_credential"]["user"], json!({"id": "u1"}));
}

#[test]
fn a_token_is_made_anew_only_for_a_project() {
    assert!(request(&GivenToken::new("t").into(), "t").is_none());
    let scoped = request(&GivenToken::new("t").for_project("p").into(), "t").unwrap();
    assert_eq!(
        scoped["auth"],
        json!({"identity": {"methods": ["token"], "token": {"id": "t"}},
               "scope": {"project": {"name": "p", "domain": {"name": "Default"}}}})
    );
}

#[test]
fn only_the_object_store_counts() {
    let token: Token = serde_json::from_value(json!({"catalog": [
        {"type": "identity", "endpoints": [{"interface": "public", "url": "http://identity"}]},
        {"type": "object-store", "endpoints": [
            {"interface": "public", "region_id": "A", "region": "old A", "url": "http://a"},
            {"interface": "internal", "url": "http://b"},
        ]},
    ]}))
    .unwrap();
    let endpoints = token.endpoints();
    let [a, b] = &endpoints[..] else { panic!("{}", endpoints.len()) };
    assert_eq!((&*a.interface, &*a.url), ("public", "http://a"));
    assert_eq!(a.regions, ["A", "old A"]);
    assert_eq!((&*b.interface, b.regions.len()), ("internal", 0));
}
