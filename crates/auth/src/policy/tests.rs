use super::*;

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn rule(who: &[Who], may: &[Permission], repositories: &[&str]) -> Rule {
    Rule { who: who.to_vec(), may: may.to_vec(), repositories: patterns(repositories) }
}

fn policy() -> Policy {
    use Permission::{Catalog, Delete, Overwrite, Pull, Push};
    Policy {
        groups: HashMap::from([("release".to_owned(), HashSet::from(["rita".to_owned()]))]),
        rules: vec![
            rule(&[Who::Everyone], &[Pull], &["public/**"]),
            rule(&[Who::Anonymous], &[Pull], &["guests/*"]),
            rule(&[Who::SignedIn], &[Pull, Catalog], &["team/**"]),
            rule(&[Who::Group("dev".into())], &[Pull, Push], &["team/**"]),
            rule(
                &[Who::Group("release".into()), Who::User("alice".into())],
                &[Overwrite, Delete],
                &["team/app"],
            ),
        ],
        protected_tags: vec![ProtectedTags {
            repositories: patterns(&["team/**"]),
            tags: patterns(&["v*", "stable"]),
        }],
    }
}

#[test]
fn who_may_do_what() {
    use Permission::{Catalog, Delete, Overwrite, Pull, Push};
    let anonymous = Identity::anonymous();
    let alice = Identity::user("alice", vec!["dev".into()]);
    let bob = Identity::user("bob", vec![]);
    let rita = Identity::user("rita", vec![]);
    let stranger_with_group = Identity::user("", vec!["dev".into()]);
    for (who, permission, repository, allowed) in [
        (&anonymous, Pull, "public/a/b", true),
        (&bob, Pull, "public/a", true),
        (&bob, Push, "public/a", false),
        (&anonymous, Pull, "public", false),
        (&anonymous, Pull, "guests/a", true),
        (&bob, Pull, "guests/a", false),
        (&anonymous, Pull, "team/app", false),
        (&bob, Pull, "team/app", true),
        (&bob, Push, "team/app", false),
        (&alice, Push, "team/app", true),
        (&alice, Push, "team/app/x", true),
        (&alice, Overwrite, "team/app", true),
        (&alice, Overwrite, "team/other", false),
        (&bob, Delete, "team/app", false),
        (&rita, Delete, "team/app", true),
        (&rita, Push, "team/app", false),
        (&stranger_with_group, Push, "team/app", false),
        (&bob, Catalog, "catalog", true),
        (&anonymous, Catalog, "catalog", false),
        (&alice, Pull, "elsewhere", false),
    ] {
        assert_eq!(
            policy().allows(who, permission, repository),
            allowed,
            "{who:?} {permission:?} {repository}"
        );
    }
}

#[test]
fn a_policy_without_rules_allows_nothing() {
    let policy = Policy::default();
    for access in [
        Access::repository("a", Action::Pull),
        Access::repository("a", Action::Push),
        Access::repository("a", Action::Delete),
        Access::repository("a", Action::All),
        Access::catalog(),
    ] {
        assert!(!policy.allows_access(&Identity::user("alice", vec![]), &access), "{access:?}");
    }
}

#[test]
fn accesses_are_judged_by_all_that_they_allow() {
    let rita = Identity::user("rita", vec!["dev".into()]);
    assert!(policy().allows_access(&rita, &Access::repository("team/app", Action::All)));
    assert!(
        !policy().allows_access(&rita, &Access::repository("team/b", Action::All)),
        "may not delete there"
    );
    assert!(policy().allows_access(&rita, &Access::catalog()));
    let catalog = Access::repository("catalog", Action::All);
    assert!(!policy().allows_access(&rita, &catalog), "a repository named catalog is not the catalog");
}

#[test]
fn a5_no_tag_is_special_but_those_that_are_named() {
    let policy = policy();
    for (repository, tag, protected) in [
        ("team/app", "v1.2", true),
        ("team/app", "stable", true),
        ("team/app", "latest", false),
        ("team/app", "unstable", false),
        ("public/app", "v1.2", false),
    ] {
        assert_eq!(policy.protects(repository, tag), protected, "{repository}:{tag}");
    }
}

#[test]
fn a6_groups_are_those_of_this_identity_alone() {
    let policy = policy();
    assert!(policy.allows(&Identity::user("eve", vec!["dev".into()]), Permission::Push, "team/app"));
    assert!(!policy.allows(&Identity::user("eve", vec![]), Permission::Push, "team/app"));
}

#[test]
fn whether_the_anonymous_may_do_anything() {
    let may = |who: Who, may: &[Permission], repositories: &[&str]| {
        let repositories = repositories.iter().map(|pattern| pattern.parse().unwrap()).collect();
        Policy { rules: vec![Rule { who: vec![who], may: may.to_vec(), repositories }], ..Policy::default() }
            .allows_anonymous()
    };
    assert!(may(Who::Everyone, &[Permission::Pull], &["public/**"]));
    assert!(may(Who::Anonymous, &[Permission::Catalog], &[]));
    for who in [Who::SignedIn, Who::User("alice".into()), Who::Group("dev".into())] {
        assert!(!may(who, &[Permission::Pull], &["**"]));
    }
    assert!(!may(Who::Everyone, &[], &["**"]) && !may(Who::Everyone, &[Permission::Pull], &[]));
    assert!(!Policy::default().allows_anonymous());
}
