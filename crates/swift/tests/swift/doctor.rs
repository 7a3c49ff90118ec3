//! The doctor: what it finds on a Swift that is well, and on those that are not; and that it leaves nothing behind.

use std::time::Duration;

use apus_fake_swift::{Action, FakeSwift, Fault, Feature, Options};
use apus_swift::SwiftConfig;
use apus_swift::doctor::{Doctor, Finding, Step, Verdict};
use http::{HeaderMap, Method, StatusCode};

use crate::support::{CONTAINER, fake, fake_config, real_v1, real_v3};
use crate::temporary_urls::outside::{Owner, nobody};
use crate::temporary_urls::real::{guest_of, keystone_owner};

/// All findings of a whole examination, in their order.
async fn examine(config: &SwiftConfig) -> Vec<Finding> {
    let mut doctor = Doctor::new(config).unwrap();
    let mut findings = Vec::new();
    doctor.examine(|finding| findings.push(finding)).await;
    findings.push(doctor.clear_away().await);
    let steps: Vec<Step> = findings.iter().map(|finding| finding.step).collect();
    assert_eq!(steps, Step::ALL);
    findings
}

/// The steps that came to such an end.
fn with(findings: &[Finding], verdict: Verdict) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.verdict == verdict).collect()
}

#[track_caller]
fn assert_all_works(findings: &[Finding]) {
    let bad: Vec<_> = findings.iter().filter(|finding| finding.verdict != Verdict::Works).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

/// That one step and no other failed, and what was said to do about it.
#[track_caller]
fn assert_only_failure(findings: &[Finding], step: Step, advice: &str) {
    let failed = with(findings, Verdict::Failed);
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!(failed[0].step, step, "{failed:#?}");
    let given = failed[0].advice.as_deref().unwrap_or_default();
    assert!(given.contains(advice), "{given:?} is not about {advice:?}");
}

/// That one step and no other gave a warning, and what was said to do about it.
#[track_caller]
fn assert_only_warning(findings: &[Finding], step: Step, advice: &str) {
    assert!(with(findings, Verdict::Failed).is_empty(), "{findings:#?}");
    let warnings = with(findings, Verdict::Warning);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!(warnings[0].step, step, "{warnings:#?}");
    let given = warnings[0].advice.as_deref().unwrap_or_default();
    assert!(given.contains(advice), "{given:?} is not about {advice:?}");
}

/// A fake Swift with a container in which something lies already, and how to use it.
async fn in_use(change: impl FnOnce(&mut Options)) -> (FakeSwift, SwiftConfig) {
    let fake = fake(|options| {
        options.containers.push(CONTAINER.to_owned());
        change(options);
    })
    .await;
    fake.put_object(CONTAINER, "files/theirs", "theirs");
    let config = fake_config(&fake);
    (fake, config)
}

#[track_caller]
fn assert_only_theirs_is_left(fake: &FakeSwift) {
    assert_eq!(fake.object_names(CONTAINER), ["files/theirs"]);
    assert_eq!(fake.object(CONTAINER, "files/theirs").unwrap().data, "theirs");
}

fn status(code: u16) -> Action {
    Action::Status(StatusCode::from_u16(code).unwrap(), HeaderMap::new())
}

fn always(method: Method, path: &str, action: Action) -> Fault {
    Fault { method: Some(method), path_contains: path.to_owned(), ..Fault::always(action) }
}

#[tokio::test]
async fn a_real_swift_is_well_by_version_1() {
    let findings = examine(&real_v1(&format!("apus-doctor-{:016x}", rand::random::<u64>()))).await;
    assert_all_works(&findings);
    assert!(findings[0].text.contains("AUTH_test"), "{findings:#?}");
    assert!(findings[12].text.contains("removed again"), "{findings:#?}");
}

#[tokio::test]
async fn a_real_swift_is_well_by_version_3() {
    let findings = examine(&real_v3(&format!("apus-doctor-{:016x}", rand::random::<u64>()))).await;
    assert_all_works(&findings);
    assert!(findings[0].text.contains("RegionOne"), "{findings:#?}");
}

#[tokio::test]
async fn a_fake_swift_is_well_and_stays_as_it_was() {
    let (fake, config) = in_use(|_| ()).await;
    assert_all_works(&examine(&config).await);
    assert_only_theirs_is_left(&fake);
    // Nothing is said of what was not asked.
    for request in fake.requests() {
        let touches = request.method != Method::GET && request.method != Method::HEAD;
        assert!(!touches || !request.path.contains("theirs"), "{request:?}");
    }
}

#[tokio::test]
async fn a_container_that_was_missing_is_missing_again() {
    let fake = fake(|_| ()).await;
    let findings = examine(&fake_config(&fake)).await;
    assert_all_works(&findings);
    assert!(findings[3].text.contains("was missing"), "{findings:#?}");
    let removed = fake.requests().into_iter().rev().find(|request| request.method == Method::DELETE).unwrap();
    assert!(removed.path.ends_with(&format!("/{CONTAINER}")), "{removed:?}");
    assert_eq!(removed.status, Some(StatusCode::NO_CONTENT));
}

#[tokio::test]
async fn each_way_to_be_refused_has_its_advice() {
    type Spoil = fn(&mut SwiftConfig);
    let cases: [(&str, &str, Spoil); 4] = [
        ("wrong password", "password", |config| {
            config.credentials = apus_swift::Password::new("tester", "wrong").for_project("test").into();
        }),
        ("no project", "tenant", |config| {
            config.credentials = apus_swift::Password::new("tester", "testing").into();
        }),
        ("another project", "tenant", |config| {
            config.credentials = apus_swift::Password::new("tester", "testing").for_project("other").into();
        }),
        ("wrong region", "region", |config| config.region = Some("Atlantis".to_owned())),
    ];
    for (case, advice, spoil) in cases {
        let (fake, mut config) = in_use(|_| ()).await;
        spoil(&mut config);
        let findings = examine(&config).await;
        assert_only_failure(&findings, Step::SignIn, advice);
        assert_eq!(with(&findings, Verdict::Skipped).len(), 12, "{case}: {findings:#?}");
        assert!(!format!("{findings:?}").contains("wrong\""), "{case}: {findings:#?}");
        assert_only_theirs_is_left(&fake);
    }
}

#[tokio::test]
async fn a_swift_that_is_down_is_said_so() {
    let (mut fake, config) = in_use(|_| ()).await;
    fake.go_away().await.unwrap();
    assert_only_failure(&examine(&config).await, Step::SignIn, "authurl");
}

/// The identity service answers, and the object store that it names does not.
#[tokio::test]
async fn an_object_store_that_is_not_there_is_said_so() {
    let (_fake, mut config) = in_use(|_| ()).await;
    let (_reserved, nobody) = nobody();
    config.storage_url = Some(format!("http://{nobody}/v1/AUTH_test"));
    let findings = examine(&config).await;
    assert_only_failure(&findings, Step::Container, "endpointtype");
    assert!(with(&findings, Verdict::Failed)[0].text.contains(&nobody.to_string()), "{findings:#?}");
}

#[tokio::test]
async fn a_container_that_may_not_be_made_is_said_so() {
    let fake = fake(|options| options.may_create_containers = false).await;
    let findings = examine(&fake_config(&fake)).await;
    assert_only_failure(&findings, Step::Container, "have the container made");
    assert!(with(&findings, Verdict::Skipped).len() >= 8, "{findings:#?}");
}

/// On the real Swift, in an account that is another's.
#[tokio::test]
async fn a_container_of_others_is_said_so() {
    let owner = keystone_owner().await;
    let config = guest_of(&owner, &format!("apus-doctor-{:016x}", rand::random::<u64>()));
    let findings = examine(&config).await;
    assert_only_failure(&findings, Step::Container, "have the container made");
}

#[tokio::test]
async fn what_a_swift_lacks_is_said_with_the_middleware() {
    let (fake, config) = in_use(|options| options.without.push(Feature::StaticLargeObjects)).await;
    let findings = examine(&config).await;
    assert_only_failure(&findings, Step::LargeObject, "slo");
    assert_eq!(with(&findings, Verdict::Skipped)[0].step, Step::Range);
    assert_only_theirs_is_left(&fake);

    let (fake, config) = in_use(|options| options.without.push(Feature::BulkDelete)).await;
    assert_only_warning(&examine(&config).await, Step::Capabilities, "bulk");
    assert_only_theirs_is_left(&fake);

    let (fake, config) = in_use(|options| options.without.push(Feature::TemporaryUrls)).await;
    assert_only_warning(&examine(&config).await, Step::TemporaryUrl, "tempurl");
    assert_only_theirs_is_left(&fake);

    let (fake, config) = in_use(|options| options.info = false).await;
    assert_only_warning(&examine(&config).await, Step::Capabilities, "expose_info");
    assert_only_theirs_is_left(&fake);
}

/// A Swift without static large objects that does not say so takes the manifest for an object.
#[tokio::test]
async fn a_swift_that_hides_what_it_lacks_is_found_out() {
    let (fake, config) = in_use(|options| {
        options.info = false;
        options.without.push(Feature::StaticLargeObjects);
    })
    .await;
    assert_only_failure(&examine(&config).await, Step::LargeObject, "slo");
    assert_only_theirs_is_left(&fake);
}

#[tokio::test]
async fn temporary_urls_are_left_alone_when_nobody_wants_them() {
    let (fake, config) = in_use(|_| ()).await;
    let mut doctor = Doctor::new(&config).unwrap().without_temporary_urls();
    let mut findings = Vec::new();
    doctor.examine(|finding| findings.push(finding)).await;
    findings.push(doctor.clear_away().await);
    let skipped = with(&findings, Verdict::Skipped);
    assert_eq!((skipped.len(), skipped[0].step), (1, Step::TemporaryUrl), "{skipped:#?}");
    assert_eq!(fake.count(|request| request.method == Method::POST && request.path.ends_with(CONTAINER)), 0);
}

#[tokio::test]
async fn quotas_are_shown_and_warned_of() {
    let (fake, config) = in_use(|_| ()).await;
    let owner = Owner::sign_in(&fake.auth_url_v1(), "test:tester", "testing").await;
    owner.set(CONTAINER, "x-container-meta-quota-bytes", "1000000").await;
    let findings = examine(&config).await;
    assert_all_works(&findings);
    assert!(findings[4].text.contains("6 of 1000000 bytes"), "{}", findings[4].text);
    owner.set(CONTAINER, "x-container-meta-quota-count", "1").await;
    assert_only_warning(&examine(&config).await, Step::Quota, "quota");
}

#[tokio::test]
async fn a_listing_that_lags_is_a_warning() {
    let (fake, config) = in_use(|_| ()).await;
    fake.freeze_listings();
    let findings = examine(&config).await;
    assert_only_warning(&findings, Step::List, "container servers");
    assert_only_theirs_is_left(&fake);
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing() {
    let cases = [
        (always(Method::PUT, "/plain", status(403)), Step::Write, "role"),
        (always(Method::PUT, "/plain", status(507)), Step::Write, "full"),
        (always(Method::GET, "/plain", status(403)), Step::Read, "role"),
        (always(Method::PUT, "/segment-2", status(507)), Step::LargeObject, "full"),
        (always(Method::PUT, "multipart-manifest", status(403)), Step::LargeObject, "role"),
        (always(Method::GET, "/large", status(403)), Step::Range, "role"),
    ];
    for (fault, step, advice) in cases {
        let (fake, config) = in_use(|_| ()).await;
        fake.fault(fault);
        let findings = examine(&config).await;
        let failed = with(&findings, Verdict::Failed);
        assert_eq!((failed.len(), failed[0].step), (1, step), "{failed:#?}");
        assert!(failed[0].advice.as_deref().unwrap_or_default().contains(advice), "{failed:#?}");
        assert_only_theirs_is_left(&fake);
    }
}

#[tokio::test]
async fn what_cannot_be_deleted_is_named() {
    let (fake, config) = in_use(|_| ()).await;
    fake.fault(always(Method::DELETE, "/plain", status(403)));
    let findings = examine(&config).await;
    assert_only_failure(&findings, Step::Delete, "apus/probes/check-");
    fake.clear_faults();
}

/// Wherever it is broken off, what was written until then is cleared away.
#[tokio::test]
async fn an_interruption_leaves_nothing() {
    for last in [Step::Container, Step::Write, Step::List, Step::LargeObject, Step::TemporaryUrl] {
        let (fake, config) = in_use(|_| ()).await;
        let mut doctor = Doctor::new(&config).unwrap();
        let (reached, interrupt) = tokio::sync::oneshot::channel();
        let mut reached = Some(reached);
        tokio::select! {
            () = doctor.examine(|finding| {
                if finding.step == last && let Some(reached) = reached.take() {
                    let _ = reached.send(());
                }
            }) => {}
            _ = interrupt => {}
        }
        let finding = doctor.clear_away().await;
        assert!(matches!(finding.verdict, Verdict::Works | Verdict::Skipped), "{finding:#?}");
        assert_only_theirs_is_left(&fake);
    }
}

/// In the middle of a request too.
#[tokio::test]
async fn an_interruption_in_a_request_leaves_nothing() {
    for path in ["/plain", "/segment-1", "/segment-2", "multipart-manifest"] {
        let (fake, config) = in_use(|_| ()).await;
        fake.fault(Fault {
            times: 1,
            ..always(Method::PUT, path, Action::DelayAnswer(Duration::from_mins(10)))
        });
        let mut doctor = Doctor::new(&config).unwrap();
        tokio::select! {
            () = doctor.examine(drop) => panic!("{path} was not delayed"),
            () = struck(&fake) => {}
        }
        let finding = doctor.clear_away().await;
        assert_eq!(finding.verdict, Verdict::Works, "{path}: {finding:#?}");
        assert_only_theirs_is_left(&fake);
    }
}

async fn struck(fake: &FakeSwift) {
    let begun = std::time::Instant::now();
    while fake.faults_left() > 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "no request was delayed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
