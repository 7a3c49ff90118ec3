use apus_legacy::Repository;
use http::Method;

use super::{Token, TokenKey, unsigned};
use crate::Right;

#[test]
fn as_clients_send_them() {
    let base = Repository::parse("acme/web").unwrap();
    for header in [
        r#"Token signature=A,repository="acme/web",access=read"#,
        r#"Token Token signature=A,repository="acme/web",access=read"#,
        "token  TOKEN signature=A, repository=acme/web, access=read",
        r#"Token repository="acme%2Fweb",access=read,more=1"#,
    ] {
        let token = Token::parse(header).unwrap_or_else(|| panic!("{header}"));
        assert!(token.names(&base) && token.is_for(&Method::GET) && token.is_for(&Method::HEAD), "{header}");
        assert!(!token.is_for(&Method::PUT) && !token.is_for(&Method::DELETE), "{header}");
    }
    let any = Token::parse("Token repository=acme/web").unwrap();
    assert!([Method::GET, Method::PUT, Method::DELETE].iter().all(|method| any.is_for(method)));
    for header in
        ["", "Token", "Token ", "Token signature=A", "Basic Og==", "Bearer x", "Tokenß", "Token repository="]
    {
        assert_eq!(Token::parse(header), None, "{header}");
    }
}

#[test]
fn names_stand_in_headers_whatever_they_are() {
    let (key, other) = (TokenKey::new(b"secret"), TokenKey::new(b"other"));
    for name in ["a/b", "ß/日本", "a/b c", "a/\"x\",y%\\"] {
        let repository = Repository::parse(name).unwrap();
        for text in [unsigned(&repository, Right::Write), key.token(&repository, Right::Write).unwrap()] {
            assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
            assert!(Token::parse(&text).unwrap().names(&repository), "{text}");
        }
        let token = Token::parse(&key.token(&repository, Right::Write).unwrap()).unwrap();
        assert!(key.proves(&token) && !other.proves(&token));
        assert!(!key.proves(&Token { expires: Some(1), ..token }));
        assert!(!key.proves(&Token::parse(&unsigned(&repository, Right::Read)).unwrap()));
    }
}
