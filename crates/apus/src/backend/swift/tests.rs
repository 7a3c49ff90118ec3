use std::path::Path;

use apus_config::{Config, StorageDriver};
use apus_swift::Scope;

use super::*;

fn read(lines: &str) -> SwiftConfig {
    let lines: Vec<_> = lines.lines().map(|line| format!("    {}", line.trim())).collect();
    let file = format!("version: 0.1\nstorage:\n  swift:\n    container: c\n{}\n", lines.join("\n"));
    let loaded = Config::parse(&file, "c.yml").unwrap_or_else(|error| panic!("{error}\n{file}"));
    match loaded.config.storage.driver {
        StorageDriver::Swift(swift) => *swift,
        other => panic!("{other:?}"),
    }
}

fn swift(lines: &str) -> apus_swift::SwiftConfig {
    let config = config(&read(lines)).unwrap();
    config.validate().unwrap();
    config
}

fn credentials(lines: &str) -> Credentials {
    swift(&format!("authurl: https://k/v3\n{lines}")).credentials
}

fn in_domain(name: &str, domain: Domain) -> Entity {
    Entity::named(name).in_domain(domain)
}

fn named(domain: &str) -> Domain {
    Domain::Name(domain.to_owned())
}

fn id(domain: &str) -> Domain {
    Domain::Id(domain.to_owned())
}

#[test]
fn a_user_and_a_project_with_their_domains() {
    const USER: &str = "username: u\npassword: p\n";
    let with = |lines: &str| match credentials(&format!("{USER}{lines}")) {
        Credentials::Password(Password { user, scope, .. }) => (user, scope),
        other => panic!("{other:?}"),
    };
    let project = |entity| Scope::Project(entity);
    assert_eq!(with(""), (Entity::named("u"), Scope::Unsaid));
    assert_eq!(with("tenant: t"), (Entity::named("u"), project(Entity::named("t"))));
    let by_id = project(Entity::Id("t1".to_owned()));
    assert_eq!(with("tenantid: t1\ntenant: t"), (Entity::named("u"), by_id));
    let people = || in_domain("u", named("people"));
    assert_eq!(with("domain: people\ndomainid: d1"), (people(), Scope::Unsaid));
    assert_eq!(with("domainid: d1"), (in_domain("u", id("d1")), Scope::Unsaid));
    assert_eq!(with("domain: people\ntenant: t"), (people(), project(in_domain("t", named("people")))));
    let own = project(in_domain("t", id("td1")));
    assert_eq!(with("domain: people\ntenant: t\ntenantdomainid: td1"), (people(), own));
    assert_eq!(with("trustid: t1\ntenant: t"), (Entity::named("u"), Scope::Trust("t1".to_owned())));
    assert_eq!(with("userid: u1").0, Entity::Id("u1".to_owned()));
}

#[test]
fn the_other_ways_to_sign_in() {
    let by_id = credentials("applicationcredentialid: a1\napplicationcredentialsecretfile: /s");
    assert!(matches!(
        by_id,
        Credentials::ApplicationCredential(ApplicationCredential::Id { id, secret: Secret::File(file) })
            if id == "a1" && file == Path::new("/s")
    ));
    let by_name = credentials(
        "applicationcredentialname: a\nusername: u\ndomain: people\napplicationcredentialsecret: s",
    );
    assert!(matches!(
        by_name,
        Credentials::ApplicationCredential(ApplicationCredential::Name { name, user, .. })
            if name == "a" && user == in_domain("u", named("people"))
    ));
    let token = credentials("tokenfile: /t\ntenant: t\ntenantdomain: d");
    assert!(matches!(
        token,
        Credentials::Token(Token { token: Secret::File(_), project: Some(project) })
            if project == in_domain("t", named("d"))
    ));
}

#[test]
fn the_endpoint_and_tls() {
    let plain = swift(USER);
    assert_eq!((plain.auth_version, plain.interface, plain.tls), (None, Interface::Public, Tls::default()));
    let all = swift(&format!(
        "{USER}authversion: 2\nregion: r\nendpointtype: admin\nstorageurl: https://s/v1\ncacert: /ca.pem\n\
         clientcertificate: /own.pem\nclientkey: /own.key\ninsecureskipverify: true\nprefix: /p\nchunksize: 5M"
    ));
    assert_eq!(all.auth_version, Some(apus_swift::AuthVersion::V2));
    assert_eq!((all.region.as_deref(), all.interface), (Some("r"), Interface::Admin));
    assert_eq!(all.storage_url.as_deref(), Some("https://s/v1"));
    let own = ClientCertificate { certificate: "/own.pem".into(), key: "/own.key".into() };
    let tls = Tls { ca_file: Some("/ca.pem".into()), client_certificate: Some(own), insecure: true };
    assert_eq!(all.tls, tls);
    assert_eq!((&*all.prefix, all.segment_size), ("/p", 5 << 20));
}

const USER: &str = "authurl: https://k\nusername: u\npassword: p\n";

#[test]
fn limits_and_capabilities() {
    let (plain, untouched) = (swift(USER), apus_swift::SwiftConfig::new("", Password::new("u", "p"), ""));
    assert_eq!(plain.capabilities, CapabilityOverrides::default());
    let limits = |config: &apus_swift::SwiftConfig| {
        let times =
            [config.connect_timeout, config.answer_timeout, config.idle_timeout, config.total_timeout];
        (times.map(|time| time.as_secs()), config.max_tries, config.max_requests, config.verify_checksums)
    };
    assert_eq!(limits(&plain), limits(&untouched));
    let all = swift(&format!(
        "{USER}connecttimeout: 1s\nanswertimeout: 2s\nidletimeout: 3s\ntotaltimeout: 4s\nmaxtries: 5\nmaxrequests: 60\n\
         verifychecksums: false\ncapabilities: {{maxfilesize: 1G, containerlistinglimit: 2, maxmanifestsegments: 3, \
         minsegmentsize: 4, maxdeletesperrequest: 0, conditionalwrites: false}}"
    ));
    assert_eq!(limits(&all), ([1, 2, 3, 4], 5, 60, Some(false)));
    let capabilities = CapabilityOverrides {
        max_file_size: Some(1 << 30),
        container_listing_limit: Some(2),
        max_segments: Some(3),
        min_segment_size: Some(4),
        max_deletes: Some(0),
        conditional_writes: Some(false),
        temporary_urls: None,
    };
    assert_eq!(all.capabilities, capabilities);
}

#[test]
fn temporary_urls() {
    let with = |lines: &str| swift(&format!("{USER}{lines}"));
    let plain = with("tempurlcontainerkey: false").temporary_urls;
    assert!(plain.key.is_none() && plain.access_key.is_none() && plain.public_host.is_none());
    assert_eq!(plain.key_scope, None, "the account's key is no worse than before");
    let all =
        with("secretkey: s\naccesskey: a\ntempurlcontainerkey: true\ntempurlhost: https://objects.example/");
    let urls = all.temporary_urls;
    assert_eq!((urls.access_key.as_deref(), urls.key_scope), (Some("a"), Some(TemporaryUrlScope::Container)));
    assert!(urls.key.is_some());
    assert_eq!(urls.public_host.as_deref(), Some("https://objects.example"));

    let support = |lines: &str| {
        let support = with(lines).capabilities.temporary_urls.unwrap();
        (support.methods.join(" "), support.digests.join(" "))
    };
    let words = |methods: &str, digests: &str| (methods.to_owned(), digests.to_owned());
    assert_eq!(support("tempurlmethods: [GET, PUT]"), words("GET PUT", ""));
    assert_eq!(support("tempurldigests: [sha1]"), words("GET HEAD", "sha1"));
    assert_eq!(support("tempurlmethods: [GET]\ntempurldigests: [sha256, sha1]"), words("GET", "sha256 sha1"));
}

#[test]
fn a_cloud_that_nobody_has_described_is_named() {
    let error = config(&read("cloud: no-such-cloud-anywhere")).unwrap_err();
    assert!(error.to_string().contains("\"no-such-cloud-anywhere\""), "{error}");
}
