//! Every way to sign in to a real Keystone. Domains, users, credentials and trusts are made for each test through
//! Keystone's own API, by its administrator or by the user whom they are of.

use apus_http_client::{HttpClient, Options};
use apus_storage::ErrorKind;
use apus_swift::{
    ApplicationCredential, Credentials, Domain, Entity, Password, Secret, SwiftClient, SwiftConfig,
    SwiftStorage, Token,
};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{CONTAINER, random, storage, variable};

/// Someone who is signed in to Keystone.
struct Keystone {
    http: HttpClient,
    url: String,
    token: String,
    /// Who that is.
    user: String,
    /// For what, if for anything.
    project: String,
}

impl Keystone {
    /// The administrator of it all.
    async fn admin() -> Self {
        let project = json!({"project": {"name": "admin", "domain": {"id": "default"}}});
        Self::sign_in("admin", "default", &variable("KEYSTONE_ADMIN_PASSWORD"), Some(project)).await
    }

    /// The user of all tests.
    async fn tester() -> Self {
        let project = json!({"project": {"name": variable("OS_PROJECT_NAME"), "domain": {"id": "default"}}});
        let user = variable("OS_USERNAME");
        Self::sign_in(&user, "default", &variable("OS_PASSWORD"), Some(project)).await
    }

    async fn sign_in(user: &str, domain: &str, password: &str, scope: Option<Value>) -> Self {
        let http = HttpClient::new(Options::default()).unwrap();
        let url = variable("OS_AUTH_URL").trim_end_matches('/').to_owned();
        let mut keystone =
            Self { http, url, token: String::new(), user: String::new(), project: String::new() };
        let user = json!({"name": user, "domain": {"id": domain}, "password": password});
        let mut auth = json!({"identity": {"methods": ["password"], "password": {"user": user}}});
        if let Some(scope) = scope {
            auth["scope"] = scope;
        }
        let (token, answer) = keystone.send(Method::POST, "/auth/tokens", &json!({"auth": auth})).await;
        keystone.token = token.unwrap();
        keystone.user = text(&answer["token"]["user"]["id"]);
        keystone.project = answer["token"]["project"]["id"].as_str().map(str::to_owned).unwrap_or_default();
        keystone
    }

    /// The token that was made, if it was one, and the answer.
    async fn send(&self, method: Method, path: &str, body: &Value) -> (Option<String>, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.url))
            .header("Content-Type", "application/json")
            .header("X-Auth-Token", &self.token)
            .body(Bytes::from(body).into())
            .unwrap();
        let response = self.http.send(request).await.unwrap();
        let (status, token) = (response.status, response.headers.get("X-Subject-Token").cloned());
        let answer = response.body.collect(1 << 20).await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {answer:?}");
        let token = token.map(|token| token.to_str().unwrap().to_owned());
        (token, serde_json::from_slice(&answer).unwrap_or_default())
    }

    /// Makes an entity of this kind, and answers with its identifier.
    async fn make(&self, path: &str, kind: &str, entity: Value) -> String {
        let (_, answer) = self.send(Method::POST, path, &json!({ kind: entity })).await;
        text(&answer[kind]["id"])
    }

    async fn role(&self, name: &str) -> String {
        let (_, answer) = self.send(Method::GET, &format!("/roles?name={name}"), &Value::Null).await;
        text(&answer["roles"][0]["id"])
    }

    /// An application credential of whoever this is, with its name.
    async fn application_credential(&self) -> (String, String) {
        let name = unique("credential");
        let path = format!("/users/{}/application_credentials", self.user);
        let id = self.make(&path, "application_credential", json!({"name": name, "secret": "hunter2"})).await;
        (id, name)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A name that no other test has.
fn unique(what: &str) -> String {
    format!("{what}-{:016x}", rand::random::<u64>())
}

fn config(credentials: impl Into<Credentials>) -> SwiftConfig {
    let mut config = SwiftConfig::new(variable("OS_AUTH_URL"), credentials, CONTAINER);
    config.region = Some(variable("OS_REGION_NAME"));
    config
}

/// That signing in by these works, and gives the containers of this project.
async fn assert_signs_in(credentials: impl Into<Credentials>, project: &str) {
    let credentials = credentials.into();
    let connected = SwiftClient::new(&config(credentials.clone())).unwrap().connect().await;
    let connected = connected.unwrap_or_else(|error| panic!("{credentials:?}: {error:?}"));
    assert!(connected.storage_url.ends_with(&format!("AUTH_{project}")), "{}", connected.storage_url);
    assert!(connected.token_life.is_some_and(|life| life.as_secs() > 0), "{connected:?}");
    storage(&config(credentials)).check().await.unwrap();
}

/// That signing in fails for good, that all of this is said, and no secret.
async fn assert_denied(credentials: impl Into<Credentials>, said: &[&str]) {
    let error = storage(&config(credentials)).check().await.unwrap_err();
    let report = error.report();
    assert_eq!(error.kind(), ErrorKind::Denied, "{report}");
    for said in said {
        assert!(report.contains(said), "{said:?} is not in: {report}");
    }
    assert!(!report.contains("hunter"), "{report}");
}

/// A domain with a user who is a member of a project in it.
struct Tenancy {
    domain: (String, String),
    user: (String, String),
    project: (String, String),
}

impl Tenancy {
    /// All by identifier and name; the password is `hunter2`.
    async fn new(admin: &Keystone) -> Self {
        let (domain, user, project) = (unique("domain"), unique("user"), unique("project"));
        let domain_id = admin.make("/domains", "domain", json!({"name": domain})).await;
        let entity = json!({"name": project, "domain_id": domain_id});
        let project_id = admin.make("/projects", "project", entity).await;
        let entity = json!({"name": user, "domain_id": domain_id, "password": "hunter2"});
        let user_id = admin.make("/users", "user", entity).await;
        let role = admin.role("member").await;
        let path = format!("/projects/{project_id}/users/{user_id}/roles/{role}");
        admin.send(Method::PUT, &path, &Value::Null).await;
        Self { domain: (domain_id, domain), user: (user_id, user), project: (project_id, project) }
    }

    fn user(&self) -> Entity {
        Entity::named(&self.user.1).in_domain(Domain::Name(self.domain.1.clone()))
    }
}

#[tokio::test]
async fn by_a_password_with_names_identifiers_and_domains() {
    let tenancy = Tenancy::new(&Keystone::admin().await).await;
    let Tenancy { domain: (domain_id, domain), user: (user_id, user), project: (project_id, project) } =
        &tenancy;
    let domains = || [Domain::Id(domain_id.clone()), Domain::Name(domain.clone())];
    for user_domain in domains() {
        let user = || Entity::named(user).in_domain(user_domain.clone());
        for project_domain in domains() {
            let project = Entity::named(project).in_domain(project_domain);
            assert_signs_in(Password::new(user(), "hunter2").for_project(project), project_id).await;
        }
        assert_signs_in(Password::new(user(), "hunter2").for_project(project.as_str()), project_id).await;
        let by_id = Entity::Id(project_id.clone());
        assert_signs_in(Password::new(user(), "hunter2").for_project(by_id), project_id).await;
    }
    let by_id = Password::new(Entity::Id(user_id.clone()), "hunter2");
    assert_signs_in(by_id.for_project(Entity::Id(project_id.clone())), project_id).await;
    // In the domain Default there is nobody of that name.
    let wrong_domain = Password::new(user.as_str(), "hunter2").for_project(Entity::Id(project_id.clone()));
    assert_denied(wrong_domain, &["401", user, "domain or domainid"]).await;
}

/// The environment of these tests has `ST_` variables too; those of OpenStack come first.
#[tokio::test]
async fn as_the_environment_says() {
    let config = SwiftConfig::from_env(CONTAINER).unwrap();
    assert_eq!(config.auth_url, variable("OS_AUTH_URL"));
    assert_eq!(config.region, Some(variable("OS_REGION_NAME")));
    storage(&config).check().await.unwrap();
}

#[tokio::test]
async fn without_a_project_for_the_default_one_or_not_at_all() {
    let admin = Keystone::admin().await;
    let tenancy = Tenancy::new(&admin).await;
    let user = Password::new(tenancy.user(), "hunter2");
    assert_denied(user.clone(), &["without a project", "set tenant (the project's name, OS_PROJECT_NAME)"])
        .await;
    let default = json!({"user": {"default_project_id": tenancy.project.0}});
    admin.send(Method::PATCH, &format!("/users/{}", tenancy.user.0), &default).await;
    assert_signs_in(user, &tenancy.project.0).await;
}

#[tokio::test]
async fn by_an_application_credential() {
    let tester = Keystone::tester().await;
    let (id, name) = tester.application_credential().await;
    assert_signs_in(ApplicationCredential::new(&id, "hunter2"), &tester.project).await;
    let user = Entity::named(variable("OS_USERNAME"));
    let in_domain = user.clone().in_domain(Domain::Id("default".to_owned()));
    for user in [user, in_domain, Entity::Id(tester.user.clone())] {
        assert_signs_in(ApplicationCredential::named(&name, user, "hunter2"), &tester.project).await;
    }
    assert_denied(ApplicationCredential::new(&id, "hunter3"), &["401", &id, "its secret"]).await;

    let path = format!("/users/{}/application_credentials/{id}", tester.user);
    tester.send(Method::DELETE, &path, &Value::Null).await;
    assert_denied(ApplicationCredential::new(&id, "hunter2"), &[&id, "has not expired"]).await;
}

#[tokio::test]
async fn by_a_token() {
    let tester = Keystone::tester().await;
    assert_signs_in(Token::new(tester.token.as_str()), &tester.project).await;
    assert_signs_in(Token::new(tester.token.as_str()).for_project("test"), &tester.project).await;
    let user = variable("OS_USERNAME");
    let unscoped = Keystone::sign_in(&user, "default", &variable("OS_PASSWORD"), None).await.token;
    let project = Entity::Id(tester.project.clone());
    assert_signs_in(Token::new(unscoped.as_str()).for_project(project), &tester.project).await;
    assert_denied(Token::new(unscoped), &["without a project"]).await;
    for token in [Token::new("hunter2"), Token::new("hunter2").for_project("test")] {
        assert_denied(token, &["the token", "give a new one"]).await;
    }
}

#[tokio::test]
async fn by_a_trust() {
    let (admin, trustor) = (Keystone::admin().await, Keystone::tester().await);
    let trustee = Tenancy::new(&admin).await;
    let trust = json!({
        "trustor_user_id": trustor.user,
        "trustee_user_id": trustee.user.0,
        "project_id": trustor.project,
        "impersonation": false,
        "roles": [{"name": "member"}],
    });
    let trust = trustor.make("/OS-TRUST/trusts", "trust", trust).await;
    let by_trust = Password::new(trustee.user(), "hunter2").by_trust(&trust);
    assert_signs_in(by_trust.clone(), &trustor.project).await;
    let id = Entity::Id(trustee.user.0.clone());
    assert_signs_in(Password::new(id, "hunter2").by_trust(&trust), &trustor.project).await;

    trustor.send(Method::DELETE, &format!("/OS-TRUST/trusts/{trust}"), &Value::Null).await;
    assert_denied(by_trust, &[&trust, "trustid"]).await;
}

/// What a project has, to see by it that a storage works.
async fn assert_works(storage: &SwiftStorage) {
    let storage: &dyn apus_storage::Storage = storage;
    let name = crate::support::name(&unique("object"));
    storage.write(&name, random(100).into(), apus_storage::WriteMode::Replace).await.unwrap();
    for outcome in storage.delete(std::slice::from_ref(&name)).await {
        outcome.unwrap();
    }
}

/// A new password makes all of a user's tokens bad at once.
#[tokio::test]
async fn a_password_that_is_changed_while_it_is_in_use() {
    let admin = Keystone::admin().await;
    let tenancy = Tenancy::new(&admin).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, "hunter2\n").unwrap();
    let project = Entity::Id(tenancy.project.0.clone());
    let user = Password::new(tenancy.user(), Secret::file(&file)).for_project(project);
    let storage = storage(&config(user));
    assert_works(&storage).await;
    let change = json!({"user": {"password": "hunter3"}});
    admin.send(Method::PATCH, &format!("/users/{}", tenancy.user.0), &change).await;
    std::fs::write(&file, "hunter3\n").unwrap();
    assert_works(&storage).await;
}
