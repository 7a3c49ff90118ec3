use apus_http_client::ClientCertificate;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;
use crate::config::{AuthVersion, Domain, Entity, Interface, Secret};

/// A place for `clouds.yaml`, and what a process in it sees.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let file = self.file(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    fn sees(&self, variables: &[(&str, &str)]) -> Surroundings {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let directories = ["here", "home", "etc"].map(|directory| self.file(directory));
        Surroundings { variables: owned.collect(), directories: directories.to_vec() }
    }

    fn env(&self, variables: &[(&str, &str)]) -> Result<SwiftConfig, ConfigError> {
        from_env(&self.sees(variables))?.config("c".to_owned())
    }

    fn cloud(&self, name: &str) -> Result<SwiftConfig, ConfigError> {
        from_cloud(&self.sees(&[]), name)?.config("c".to_owned())
    }
}

/// The error, without the name of the temporary directory.
fn said(place: &Place, outcome: Result<SwiftConfig, ConfigError>) -> String {
    let text = outcome.unwrap_err().to_string();
    text.replace(&format!("{}/", place.0.path().display()), "")
}

fn secret(config: &SwiftConfig) -> &str {
    match config.credentials.secret() {
        Secret::Text(text) => text.expose_secret(),
        Secret::File(path) => panic!("in {}", path.display()),
    }
}

fn password(config: &SwiftConfig) -> &Password {
    match &config.credentials {
        Credentials::Password(password) => password,
        other => panic!("not by a password: {other:?}"),
    }
}

const USER: [(&str, &str); 3] =
    [("OS_AUTH_URL", "https://k/v3"), ("OS_USERNAME", "u"), ("OS_PASSWORD", "hunter2")];

fn user_and<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    USER.iter().chain(more).copied().collect()
}

#[test]
fn the_variables_of_openstack() {
    let config = Place::new()
        .env(&user_and(&[
            ("OS_IDENTITY_API_VERSION", "3"),
            ("OS_USER_DOMAIN_NAME", "people"),
            ("OS_PROJECT_NAME", "p"),
            ("OS_PROJECT_DOMAIN_ID", "d1"),
            ("OS_REGION_NAME", "r"),
            ("OS_INTERFACE", "internal"),
            ("OS_CACERT", "/ca.pem"),
            ("OS_TENANT_ID", ""),
            ("OS_SOMETHING_ELSE", "x"),
        ]))
        .unwrap();
    assert_eq!((&*config.auth_url, config.auth_version), ("https://k/v3", Some(AuthVersion::V3)));
    let people = Domain::Name("people".to_owned());
    assert_eq!(password(&config).user, Entity::named("u").in_domain(people));
    let project = Entity::named("p").in_domain(Domain::Id("d1".to_owned()));
    assert_eq!(password(&config).scope, Scope::Project(project));
    assert_eq!(secret(&config), "hunter2");
    assert_eq!((config.region.as_deref(), config.interface), (Some("r"), Interface::Internal));
    assert_eq!(config.tls, Tls { ca_file: Some("/ca.pem".into()), ..Tls::default() });
    assert_eq!(config.container, "c");
}

#[test]
fn each_way_to_sign_in() {
    const URL: (&str, &str) = ("OS_AUTH_URL", "https://k");
    let place = Place::new();
    let who = |variables: &[(&str, &str)]| {
        let config = place.env(&[&[URL], variables].concat()).unwrap();
        assert_eq!(secret(&config), "hunter2", "{variables:?}");
        format!("{:?} {}", config.auth_version, config.credentials.who())
    };
    let password = ("OS_PASSWORD", "hunter2");
    assert_eq!(who(&[("OS_USER_ID", "u1"), password]), r#"None user "u1""#);
    let trust = [("OS_USERNAME", "u"), password, ("OS_TRUST_ID", "t1"), ("OS_PROJECT_NAME", "p")];
    assert_eq!(who(&trust), r#"None user "u" by trust "t1""#);
    for (auth_type, version) in [
        ("password", "None"),
        ("v1password", "Some(V1)"),
        ("v2password", "Some(V2)"),
        ("v3password", "Some(V3)"),
    ] {
        let variables = [("OS_AUTH_TYPE", auth_type), ("OS_USERNAME", "u"), password];
        assert_eq!(who(&variables), format!(r#"{version} user "u""#));
    }
    for version in ["2", "2.0"] {
        let variables = [("OS_IDENTITY_API_VERSION", version), ("OS_USERNAME", "u"), password];
        assert_eq!(who(&variables), r#"Some(V2) user "u""#);
    }

    let key = ("OS_APPLICATION_CREDENTIAL_SECRET", "hunter2");
    assert_eq!(who(&[("OS_APPLICATION_CREDENTIAL_ID", "a1"), key]), r#"None application credential "a1""#);
    let named =
        [("OS_APPLICATION_CREDENTIAL_NAME", "a"), ("OS_USERNAME", "u"), ("OS_USER_DOMAIN_ID", "d"), key];
    assert_eq!(who(&named), r#"None application credential "a" of user "u""#);

    for token in ["OS_TOKEN", "OS_AUTH_TOKEN"] {
        assert_eq!(who(&[(token, "hunter2")]), "None the token");
    }
    assert_eq!(who(&[("OS_TOKEN", "hunter2"), ("OS_AUTH_TYPE", "v3token")]), "Some(V3) the token");
    let config = place.env(&[URL, ("OS_TOKEN", "hunter2"), ("OS_PROJECT_ID", "p1")]).unwrap();
    let Credentials::Token(token) = config.credentials else { panic!("{config:?}") };
    assert_eq!(token.project, Some(Entity::Id("p1".to_owned())));
}

#[test]
fn domains_may_be_said_for_both() {
    let domains = |name: &str| {
        let config = Place::new().env(&user_and(&[("OS_PROJECT_NAME", "p"), (name, "d")])).unwrap();
        let Scope::Project(project) = &password(&config).scope else { panic!("{config:?}") };
        (password(&config).user.domain().cloned(), project.domain().cloned())
    };
    let (name, id) = (Some(Domain::Name("d".to_owned())), Some(Domain::Id("d".to_owned())));
    for variable in ["OS_DOMAIN_NAME", "OS_DEFAULT_DOMAIN_NAME"] {
        assert_eq!(domains(variable), (name.clone(), name.clone()), "{variable}");
    }
    for variable in ["OS_DOMAIN_ID", "OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN"] {
        assert_eq!(domains(variable), (id.clone(), id.clone()), "{variable}");
    }
    assert_eq!(domains("OS_USER_DOMAIN_ID"), (id, None));
}

#[test]
fn the_variables_of_the_swift_command() {
    let place = Place::new();
    let env = |auth: &str, more: &[(&str, &str)]| {
        let variables = [("ST_AUTH", auth), ("ST_USER", "a:u"), ("ST_KEY", "hunter2")];
        place.env(&[&variables[..], more].concat()).unwrap()
    };
    let config = env("http://s/auth", &[]);
    assert_eq!((&*config.auth_url, config.auth_version), ("http://s/auth", Some(AuthVersion::V1)));
    assert_eq!((password(&config).user.text(), secret(&config)), ("a:u", "hunter2"));
    assert_eq!(env("http://k/v2.0", &[]).auth_version, None, "the URL says it");
    assert_eq!(env("http://k", &[("ST_AUTH_VERSION", "3")]).auth_version, Some(AuthVersion::V3));
    let missing = place.env(&[("ST_AUTH", "http://s/auth"), ("ST_USER", "u")]);
    assert_eq!(said(&place, missing), "ST_KEY is not set");
}

const CLOUDS: &str = "
x-common: &common
  region_name: r
  verify: false
clouds:
  one:
    <<: *common
    auth:
      auth_url: https://one/v3
      username: u
      password: 007
      project_name: p
      user_domain_name: people
      project_domain_id: d1
  two:
    auth_type: v3applicationcredential
    auth:
      auth_url: https://two/v3
      application_credential_id: a1
    endpoint_type: internalURL
    regions: [a, b]
    object_store_endpoint_override: https://two/swift/v1/
    cacert: /ca.pem
    cert: /own.pem
";

#[test]
fn a_cloud_with_its_secrets() {
    let place = Place::new();
    place.write("home/clouds.yaml", CLOUDS);
    place.write("etc/secure.yaml", "clouds: {two: {auth: {application_credential_secret: hunter2}}}");

    let one = place.cloud("one").unwrap();
    assert_eq!((&*one.auth_url, secret(&one), one.region.as_deref()), ("https://one/v3", "007", Some("r")));
    assert_eq!(password(&one).user, Entity::named("u").in_domain(Domain::Name("people".to_owned())));
    let project = Entity::named("p").in_domain(Domain::Id("d1".to_owned()));
    assert_eq!(password(&one).scope, Scope::Project(project));
    assert!(one.tls.insecure);

    let two = place.cloud("two").unwrap();
    assert_eq!(two.credentials.who(), r#"application credential "a1""#);
    assert_eq!((secret(&two), two.auth_version), ("hunter2", Some(AuthVersion::V3)));
    assert_eq!((two.interface, two.region), (Interface::Internal, None));
    assert_eq!(two.storage_url.as_deref(), Some("https://two/swift/v1/"));
    let own = PathBuf::from("/own.pem");
    let own = Some(ClientCertificate { certificate: own.clone(), key: own });
    let tls = Tls { ca_file: Some("/ca.pem".into()), client_certificate: own, insecure: false };
    assert_eq!(two.tls, tls);
}

#[test]
fn the_first_place_counts_and_a_variable_comes_before_it() {
    let place = Place::new();
    let cloud = |user: &str| {
        format!("clouds: {{x: {{auth: {{auth_url: 'http://k', username: {user}, password: p}}}}}}")
    };
    let user = |variables: &[(&str, &str)]| password(&place.env(variables).unwrap()).user.text().to_owned();
    place.write("etc/clouds.yaml", &cloud("in_etc"));
    assert_eq!(user(&[]), "in_etc");
    place.write("home/clouds.yml", &cloud("at_home"));
    assert_eq!(user(&[("OS_CLOUD", "x")]), "at_home");
    place.write("here/clouds.json", &cloud("here"));
    assert_eq!(user(&[]), "here");
    place.write("elsewhere.yaml", &cloud("elsewhere"));
    let elsewhere = place.file("elsewhere.yaml");
    assert_eq!(user(&[("OS_CLIENT_CONFIG_FILE", elsewhere.to_str().unwrap())]), "elsewhere");
}

#[test]
fn a_source_fills_whole_groups() {
    let place = Place::new();
    place.write("here/clouds.yaml", CLOUDS);
    // The identity and the project of the environment with no region of the cloud that nobody named.
    let config = place.env(&user_and(&[("OS_PROJECT_NAME", "mine")])).unwrap();
    assert_eq!((&*config.auth_url, config.region), ("https://k/v3", None));
    // The cloud, but for the project: all of that, its domain too.
    let config = place.env(&[("OS_CLOUD", "one"), ("OS_PROJECT_NAME", "mine")]).unwrap();
    assert_eq!(&*config.auth_url, "https://one/v3");
    assert_eq!(password(&config).scope, Scope::Project(Entity::named("mine")));
    // The endpoint of the cloud is not mixed with that of the environment.
    let config = place.env(&[("OS_CLOUD", "one"), ("OS_INTERFACE", "admin")]).unwrap();
    assert_eq!((config.interface, config.region), (Interface::Admin, None));
    // `OS_` before `ST_`.
    let st = [("ST_AUTH", "http://s/auth/v1.0"), ("ST_USER", "s"), ("ST_KEY", "s")];
    assert_eq!(place.env(&user_and(&st)).unwrap().auth_url, "https://k/v3");
    assert_eq!(place.env(&st).unwrap().auth_url, "http://s/auth/v1.0");
}

#[test]
fn what_is_wrong_with_a_variable_is_named() {
    let place = Place::new();
    let url = ("OS_AUTH_URL", "https://k");
    for (variables, expected) in [
        (&[("OS_USERNAME", "u"), ("OS_PASSWORD", "hunter2")][..], "OS_AUTH_URL is not set"),
        (&[url][..], "OS_USERNAME is not set"),
        (&[url, ("OS_USERNAME", "u")], "OS_PASSWORD is not set"),
        (&[url, ("OS_USERNAME", ""), ("OS_PASSWORD", "hunter2")], "OS_USERNAME is not set"),
        (&[url, ("OS_APPLICATION_CREDENTIAL_ID", "a")], "OS_APPLICATION_CREDENTIAL_SECRET is not set"),
        (
            &[url, ("OS_APPLICATION_CREDENTIAL_NAME", "a"), ("OS_APPLICATION_CREDENTIAL_SECRET", "hunter2")],
            "OS_USERNAME is not set",
        ),
        (&[url, ("OS_AUTH_TYPE", "token"), ("OS_USERNAME", "u")], "OS_TOKEN is not set"),
        (
            &[url, ("OS_AUTH_TYPE", "v3kerberos"), ("OS_USERNAME", "u")],
            "OS_AUTH_TYPE is \"v3kerberos\", expected password, v3password, v2password, v1password, \
             v3applicationcredential, token or v3token",
        ),
        (
            &[("OS_AUTH_URL", "https://u:hunter2@k"), ("OS_USERNAME", "u"), ("OS_PASSWORD", "hunter2")],
            "OS_AUTH_URL holds a user or a password, which belong elsewhere",
        ),
        (
            &[url, ("OS_TOKEN", "hunter2"), ("OS_IDENTITY_API_VERSION", "2")],
            "OS_IDENTITY_API_VERSION does not fit: a token in place of a password needs version 3",
        ),
        (
            &[("OS_AUTH_URL", "https://k/v2.0"), ("OS_TOKEN", "hunter2")],
            "OS_AUTH_URL does not fit: a token in place of a password needs version 3",
        ),
        (
            &[("OS_CLOUD", "x")],
            "clouds.yaml is in none of here, home, etc: nothing is known of the cloud \"x\"",
        ),
        (
            &[],
            "OS_AUTH_URL, ST_AUTH or OS_CLOUD is needed: none of them is set, and there is no clouds.yaml in ., \
             ~/.config/openstack or /etc/openstack",
        ),
    ] {
        let text = said(&place, place.env(variables));
        assert_eq!(text, expected);
        assert!(!text.contains("hunter2"), "{text}");
    }
    for (name, value, expected) in [
        ("OS_IDENTITY_API_VERSION", "4", "OS_IDENTITY_API_VERSION is \"4\", expected 1, 2 or 3"),
        (
            "OS_ENDPOINT_TYPE",
            "private",
            "OS_ENDPOINT_TYPE is \"private\", expected public, internal or admin",
        ),
        ("OS_INSECURE", "maybe", "OS_INSECURE is \"maybe\", expected true or false"),
        ("OS_KEY", "/own.key", "OS_CERT is not set"),
        ("OS_STORAGE_URL", "swift.example", "OS_STORAGE_URL must begin with http:// or https://"),
    ] {
        assert_eq!(said(&place, place.env(&user_and(&[(name, value)]))), expected);
    }
}

#[test]
fn what_is_wrong_with_a_file_is_named_with_the_line() {
    let place = Place::new();
    let with_secure = |clouds: &str, secure: &str| {
        place.write("here/clouds.yaml", clouds);
        place.write("here/secure.yaml", secure);
        said(&place, place.cloud("x"))
    };
    let cloud = |text: &str| with_secure(text, "clouds: {}");
    assert_eq!(cloud("clouds: {y: {}, z: {}}"), "here/clouds.yaml has no cloud \"x\", but y, z");
    assert_eq!(cloud("other: {}"), "here/clouds.yaml has no clouds: at its top");
    assert_eq!(cloud("clouds: {x: {region_name: r}}"), "here/clouds.yaml: cloud \"x\": auth_url is missing");
    assert_eq!(
        cloud("clouds:\n  x:\n    auth:\n      auth_url: https://k\n      username: u\n"),
        "here/clouds.yaml: cloud \"x\": password is missing"
    );
    assert_eq!(
        cloud("clouds:\n  x:\n    auth:\n      auth_url: k.example\n      username: u\n"),
        "here/clouds.yaml:4: auth_url must begin with http:// or https://"
    );
    assert_eq!(
        cloud(
            "clouds:\n  x:\n    interface: all\n    auth: {auth_url: 'http://k', username: u, password: p}\n"
        ),
        "here/clouds.yaml:3: interface is \"all\", expected public, internal or admin"
    );
    assert_eq!(
        cloud("clouds:\n  x:\n    profile: vexxhost\n    auth: {username: u, password: p}\n"),
        "here/clouds.yaml:3: profile names a profile of a vendor, which is not known here: give auth_url in its place"
    );
    let broken = with_secure("clouds: {x: {}}", "clouds:\n  x: [hunter2\n");
    assert!(broken.starts_with("here/secure.yaml:") && broken.contains("is no YAML"), "{broken}");
    assert!(!broken.contains("hunter2"), "{broken}");

    place.write("here/clouds.yaml", CLOUDS);
    std::fs::remove_file(place.file("here/secure.yaml")).unwrap();
    let several = said(&place, place.env(&[]));
    assert_eq!(several, "here/clouds.yaml has the clouds one, two: say by OS_CLOUD which one");
}
