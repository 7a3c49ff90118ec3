use super::*;

#[test]
fn a_scope_says_everything_once_and_together() {
    let asked = [
        Access::repository("a/b", Action::Pull),
        Access::repository("c", Action::Pull),
        Access::repository("a/b", Action::Push),
        Access::repository("a/b", Action::Pull),
        Access::catalog(),
    ];
    assert_eq!(Scope(&asked).to_string(), "repository:a/b:pull,push repository:c:pull registry:catalog:*");
    assert_eq!(Scope(&[]).to_string(), "");
}

#[test]
fn a_repository_named_catalog_is_not_the_catalog() {
    assert_ne!(Access::repository("catalog", Action::All), Access::catalog());
}

#[test]
fn an_empty_name_is_nobody() {
    assert!(Identity::user("", vec![]).is_anonymous());
    assert_eq!(Identity::user("alice", vec![]).name(), Some("alice"));
}
