use apus_auth::{Access, Action, Identity};
use apus_config::Config;

use super::*;

fn read(access: &str) -> Result<Option<Policy>, ConfigError> {
    let text = format!("version: 0.1\nstorage: inmemory\nauth: none\naccess:\n{access}");
    policy(&Config::parse(&text, "config.yml").unwrap_or_else(|error| panic!("{error}\n{text}")))
}

#[test]
fn a_policy_means_what_its_writer_wrote() {
    let policy = read(
        "  groups: {dev: [alice]}
  rules:
    - {who: [anonymous], may: [pull], repositories: [\"public/**\"]}
    - {who: [\"group:dev\"], may: [pull, push, overwrite], repositories: [\"team/*\"]}
    - {who: [\"user:rita\"], may: [delete], repositories: [\"**\"]}
    - {who: [signedin], may: [catalog]}
    - {who: [everyone], may: [pull], repositories: [both]}
  protectedtags:
    - {repositories: [\"**\"], tags: [\"v*\"]}
",
    )
    .unwrap()
    .unwrap();
    let (nobody, alice, rita) =
        (Identity::anonymous(), Identity::user("alice", vec![]), Identity::user("rita", vec![]));
    for (who, access, allowed) in [
        (&nobody, Access::repository("public/a", Action::Pull), true),
        (&alice, Access::repository("public/a", Action::Pull), false),
        (&alice, Access::repository("team/a", Action::Push), true),
        (&alice, Access::repository("team/a/b", Action::Push), false),
        (&alice, Access::repository("team/a", Action::Delete), false),
        (&rita, Access::repository("team/a", Action::Delete), true),
        (&nobody, Access::catalog(), false),
        (&alice, Access::catalog(), true),
        (&nobody, Access::repository("both", Action::Pull), true),
        (&alice, Access::repository("both", Action::Pull), true),
    ] {
        assert_eq!(policy.allows_access(who, &access), allowed, "{who:?} {access:?}");
    }
    assert!(policy.allows(&alice, Permission::Overwrite, "team/a"));
    assert!(policy.protects("team/a", "v1") && !policy.protects("team/a", "latest"));
}

#[test]
fn protected_tags_alone_take_nothing_else_away() {
    let policy = read("  protectedtags: [{repositories: [\"**\"], tags: [\"v*\"]}]\n").unwrap().unwrap();
    assert!(policy.allows_access(&Identity::anonymous(), &Access::repository("a", Action::All)));
    assert!(policy.protects("a", "v1"));
    assert!(read("  {}\n").unwrap().is_none(), "a section that says nothing");
}

#[test]
fn what_is_no_pattern_is_told_with_its_place() {
    let error =
        read("  rules:\n    - who: [everyone]\n      may: [pull]\n      repositories: [a, \"team/[ab]\"]\n");
    assert_eq!(
        error.unwrap_err().to_string(),
        "config.yml:8:25: access.rules[0].repositories[1]: \"team/[ab]\" is no pattern of a name: of special characters \
         there is only the star"
    );
}
