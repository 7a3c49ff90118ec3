use apus_http_client::Proxies;

use super::*;
use crate::UpstreamOptions;
use crate::testing::upstream_options;

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

fn routes(upstreams: &[(&str, &str, &str)]) -> Routes {
    let upstream = |(index, (prefix, ns, namespace)): (usize, &(&str, &str, &str))| {
        let options = UpstreamOptions {
            prefix: (!prefix.is_empty()).then(|| name(prefix)),
            ns: vec![(*ns).to_owned()],
            remote_namespace: (!namespace.is_empty()).then(|| (*namespace).to_owned()),
            ..upstream_options(&format!("https://r{index}.example"))
        };
        Arc::new(Upstream::new(options, Proxies::default()).unwrap())
    };
    Routes::new(upstreams.iter().enumerate().map(upstream).collect())
}

fn all() -> Routes {
    routes(&[("", "docker.io", ""), ("quay.io", "quay.io", ""), ("quay.io/deep", "deep.example", "team/a")])
}

#[test]
fn the_longest_prefix_of_whole_components_decides() {
    for (local, index, remote) in [
        ("library/alpine", 0, "library/alpine"),
        ("quay.io", 0, "quay.io"),
        ("quay.iox/a", 0, "quay.iox/a"),
        ("quay.io/a/b", 1, "a/b"),
        ("quay.io/deeper/b", 1, "deeper/b"),
        ("quay.io/deep/b", 2, "team/a/b"),
    ] {
        let target = all().target(&name(local)).unwrap();
        assert_eq!((target.index, &*target.remote), (index, remote), "{local}");
    }
    assert!(routes(&[("quay.io", "quay.io", "")]).target(&name("library/alpine")).is_none());
}

/// A11: by no trick of names do two upstreams meet in one repository.
#[test]
fn a11_no_name_leads_into_another_upstreams_repository() {
    let local = |asked: &str, ns: &str| all().local_name(&name(asked), ns);
    assert_eq!(local("a/b", "quay.io").unwrap(), name("quay.io/a/b"));
    assert_eq!(local("a/b", "QUAY.IO").unwrap(), name("quay.io/a/b"));
    assert_eq!(local("quay.io/a", "quay.io").unwrap(), name("quay.io/quay.io/a"));
    assert_eq!(local("a", "docker.io").unwrap(), name("a"));
    for (asked, ns) in [("quay.io/a", "docker.io"), ("deep/a", "quay.io")] {
        let error = local(asked, ns).unwrap_err();
        let Error::Registry(error) = error else { panic!("{error:?}") };
        assert!(matches!(&*error, RegistryError::RepositoryUnknown { .. }), "{asked} {ns}");
    }
    for ns in ["evil.example", "", "quay.io.", "quay.io/a", "https://quay.io"] {
        assert!(matches!(local("a", ns), Err(Error::NotServed { .. })), "{ns}");
    }
}

/// A11: what is kept knows its upstream by the canonical URL and the namespace there.
#[test]
fn a11_an_upstream_is_known_by_its_canonical_url() {
    let identity = |url: &str, namespace: Option<&str>| {
        let options =
            UpstreamOptions { remote_namespace: namespace.map(str::to_owned), ..upstream_options(url) };
        Upstream::new(options, Proxies::default()).unwrap().identity()
    };
    let one = identity("https://r.example", None);
    assert_eq!(one, identity("https://R.example:443/", None));
    for other in [
        identity("http://r.example", None),
        identity("https://r.example:444", None),
        identity("https://r.example/x", None),
        identity("https://r.example", Some("x")),
    ] {
        assert_ne!(one, other);
    }
}
