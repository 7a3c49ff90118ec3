use proptest::prelude::*;

use super::*;
use crate::Action;

#[test]
fn challenges_are_those_of_registry_2() {
    assert_eq!(
        Challenge::Basic { realm: "Registry Realm".into() }.to_string(),
        "Basic realm=\"Registry Realm\""
    );
    let mut challenge = Challenge::Bearer {
        realm: "https://auth.example/token".into(),
        service: "registry.example".into(),
        scope: vec![],
        error: None,
    };
    let base = "Bearer realm=\"https://auth.example/token\",service=\"registry.example\"";
    assert_eq!(challenge.to_string(), base);
    if let Challenge::Bearer { scope, error, .. } = &mut challenge {
        *scope = vec![Access::repository("a/b", Action::Pull), Access::repository("a/b", Action::Push)];
        *error = Some(BearerError::InsufficientScope);
    }
    assert_eq!(
        challenge.to_string(),
        format!("{base},scope=\"repository:a/b:pull,push\",error=\"insufficient_scope\"")
    );
}

proptest! {
    #[test]
    fn a18_no_text_leaves_its_quotes(realm in any::<String>()) {
        let header = Challenge::Basic { realm }.to_string();
        prop_assert!(header.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        let inside = header.strip_prefix("Basic realm=\"").and_then(|rest| rest.strip_suffix('"')).unwrap();
        let mut escaped = false;
        for character in inside.chars() {
            prop_assert!(escaped || character != '"');
            escaped = !escaped && character == '\\';
        }
        prop_assert!(!escaped);
    }
}
