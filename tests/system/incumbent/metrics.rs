//! What registry:2 measures: Apus measures it under the same names, with the same labels, of the same kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};

use super::registry2::Registry2;
use crate::metrics::{MEASURED, traffic};
use crate::support::{Apus, Backend, Client};

/// A page of metrics.
struct Page {
    /// By name.
    kinds: BTreeMap<String, String>,
    /// Without values; `le` left out.
    series: BTreeSet<String>,
}

impl Page {
    async fn of(debug: Client) -> Self {
        let page = debug.get("/metrics").await.expect(200);
        let text = String::from_utf8(page.body.to_vec()).unwrap();
        let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let kinds = kinds.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
        let series = text.lines().filter(|line| !line.starts_with('#') && !line.contains("le=\""));
        let series = series.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect();
        Self { kinds, series }
    }

    /// The series of a metric, and the names of their labels.
    fn labels(&self, name: &str) -> BTreeSet<Vec<&str>> {
        let of_it = self.series.iter().filter_map(|series| {
            let rest = series.strip_prefix(name)?;
            let rest = ["_count", "_sum"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
            let labels = rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))?;
            Some(labels.split(',').map(|label| label.split('=').next().unwrap()).collect())
        });
        of_it.collect()
    }
}

/// Names in whose place Apus has others, or none: docs/operate.md says which.
fn is_go(name: &str) -> bool {
    name.starts_with("go_") || name.starts_with("promhttp_")
}

/// Of all that registry:2 shows after the same requests, nothing is missing but what tells of Go.
#[tokio::test(flavor = "multi_thread")]
async fn names_kinds_and_labels_are_those_of_registry_2() {
    // It does not say which port it took, so it is given one, at an address that nobody else uses.
    let host: [u8; 2] = rand::random();
    let debug = SocketAddr::from(([127, 91, host[0], host[1].clamp(1, 254)], 0));
    let debug = TcpListener::bind(debug).unwrap().local_addr().unwrap();
    let more = format!("  debug: {{addr: '{debug}', prometheus: {{enabled: true}}}}");
    let storage = "  inmemory: {}\n  cache: {blobdescriptor: inmemory}\n  delete: {enabled: true}";
    let registry2 = Registry2::start(storage, &more);
    let apus = Apus::start_with(Backend::memory().storage(), MEASURED);
    traffic(registry2.client()).await;
    traffic(apus.client()).await;

    let (theirs, ours) = (Page::of(Client::new(debug)).await, Page::of(apus.debug()).await);
    assert!(theirs.kinds.len() > 20, "{:?}", theirs.kinds);
    for (name, kind) in theirs.kinds.iter().filter(|(name, _)| !is_go(name)) {
        assert_eq!(ours.kinds.get(name), Some(kind), "{name}");
        assert_eq!(ours.labels(name), theirs.labels(name), "{name}");
    }
    // The same requests count as the same; how storage is used for them is another matter.
    let of_requests = |page: &Page| -> BTreeSet<String> {
        let requests = page.series.iter().filter(|series| series.starts_with("registry_http_requests_total"));
        requests.cloned().collect()
    };
    let (theirs, ours) = (of_requests(&theirs), of_requests(&ours));
    assert!(theirs.len() > 10, "{theirs:?}");
    let missing: Vec<_> = theirs.difference(&ours).collect();
    assert!(missing.is_empty(), "{missing:?} are not among {ours:?}");
}
