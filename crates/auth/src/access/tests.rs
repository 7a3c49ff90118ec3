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

#[test]
fn a_scope_is_read_as_it_is_written() {
    for scope in ["repository:a/b:pull,push", "registry:catalog:*", "repository:host:5000/a:delete"] {
        assert_eq!(Scope(&Access::of_scope(scope).collect::<Vec<_>>()).to_string(), scope);
    }
    let plugin: Vec<_> = Access::of_scope("repository(plugin):a:pull,eat,push").collect();
    assert_eq!(Scope(&plugin).to_string(), "repository:a:pull,push", "what is not known is left out");
    for nothing in ["", ":", "repository", "repository:a", "repository:a:", "artifact:a:pull"] {
        assert_eq!(Access::of_scope(nothing).count(), 0, "{nothing}");
    }
}
