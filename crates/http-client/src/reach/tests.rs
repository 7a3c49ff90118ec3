use super::*;

fn no_private() -> Reach {
    Reach::only(|host, address| match address {
        IpAddr::V4(address) => host == "home.example" || !address.is_private(),
        IpAddr::V6(_) => true,
    })
}

#[test]
fn a_name_is_judged_by_each_of_its_addresses() {
    let addresses = |texts: &[&str]| {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 443)).collect::<Vec<_>>().into_iter()
    };
    let judge = |host: &str, texts: &[&str]| judged(&no_private(), host, addresses(texts));
    let mixed = judge("any.example", &["10.0.0.1", "192.0.2.1", "::ffff:10.0.0.2"]).unwrap();
    assert_eq!(mixed, addresses(&["192.0.2.1"]).collect::<Vec<_>>());
    assert!(judge("any.example", &["10.0.0.1"]).is_err());
    assert!(judge("any.example", &["::ffff:10.0.0.1"]).is_err());
    assert_eq!(judge("home.example", &["10.0.0.1"]).unwrap().len(), 1);
    assert!(judge("any.example", &[]).unwrap().is_empty());
}

#[test]
fn a_host_that_is_an_address_is_judged_as_it_stands() {
    let judge = |url: &'static str| no_private().judge_literal(&Uri::from_static(url)).is_ok();
    assert!(judge("http://192.0.2.1/") && judge("http://any.example/") && judge("http://[2001:db8::1]/"));
    assert!(!judge("http://10.0.0.1:80/") && !judge("http://[::ffff:10.0.0.1]/"));
    assert!(Reach::default().judge_literal(&Uri::from_static("http://10.0.0.1/")).is_ok());
}
