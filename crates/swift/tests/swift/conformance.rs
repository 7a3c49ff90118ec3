//! The suite that every backend passes: on the fake in each of its dialects and under every fault that is not to be seen,
//! and on a real Swift.

use apus_fake_swift::{Action, FakeSwift, Fault, Options};
use apus_storage::conformance::Testbed;
use apus_swift::SwiftConfig;
use http::{HeaderMap, Method, StatusCode};

use crate::support;

/// Storage on a fake as it was started, and a second handle.
fn testbed(fake: FakeSwift, change: impl Fn(&mut SwiftConfig)) -> Testbed {
    let mut config = support::fake_config(&fake);
    change(&mut config);
    Testbed::new(support::storage(&config)).second_handle(support::storage(&config)).keeping(fake)
}

/// One request of so many fails in a way that passes.
fn trouble(fake: &FakeSwift, one_of: usize) {
    let statuses = [408, 429, 498, 499, 500, 502, 503, 504, 507];
    let statuses = statuses.map(|code| StatusCode::from_u16(code).unwrap());
    let actions = statuses.map(|status| Action::Status(status, HeaderMap::new())).into_iter();
    let actions = actions.chain([Action::Reset, Action::ExpireTokens]);
    // A fault counts the requests that others did not take.
    for (number, action) in actions.cycle().take(600).enumerate() {
        let path_contains = "/v1/".to_owned();
        fake.fault(Fault { path_contains, skip: (number + 1) * one_of, ..Fault::once(action) });
    }
    // And a few contents break off, here and there.
    for (number, at) in (0..100_000).step_by(499).enumerate() {
        let (method, skip) = (Some(Method::GET), (number + 1) * one_of);
        fake.fault(Fault { method, skip, ..Fault::once(Action::TruncateBody(at)) });
    }
}

async fn fake(change: impl FnOnce(&mut Options)) -> Testbed {
    testbed(support::fake(change).await, |_| ())
}

/// On the fake.
mod plain {
    apus_storage::conformance_suite! { super::fake(|_| ()) }
}

/// On one that hides what it can, can little, gives short pages, and puts all entity tags into quotes.
mod bare {
    use apus_fake_swift::Feature;

    apus_storage::conformance_suite! {
        super::fake(|options| {
            options.info = false;
            options.without = vec![Feature::BulkDelete, Feature::TemporaryUrls];
            options.quoted_etags = true;
            options.container_listing_limit = 20;
        })
    }
}

/// On one that is Ceph's object gateway.
mod ceph {
    use apus_fake_swift::Dialect;

    apus_storage::conformance_suite! {
        super::fake(|options| options.dialect = Dialect::Ceph { account_in_url: true })
    }
}

/// On a gateway of its oddest kind, in which requests fail and tokens end: no account in the URL, nothing said of itself,
/// short pages, listings that lag, tags in quotes.
mod odd_ceph {
    use std::time::Duration;

    use apus_fake_swift::Dialect;

    const LAG: Duration = Duration::from_millis(100);

    apus_storage::conformance_suite! {
        async {
            let fake = crate::support::fake(|options| {
                options.dialect = Dialect::Ceph { account_in_url: false };
                options.info = false;
                options.quoted_etags = true;
                options.container_listing_limit = 20;
                options.listing_lag = LAG;
            })
            .await;
            super::trouble(&fake, 20);
            // A listing that is asked for again and again takes longer than it is behind.
            super::testbed(fake, |_| ()).listing_lag(LAG * 50)
        }
    }
}

/// On one with listings that lag.
mod lagging {
    use std::time::Duration;

    const LAG: Duration = Duration::from_millis(300);

    apus_storage::conformance_suite! {
        async { super::fake(|options| options.listing_lag = LAG).await.listing_lag(LAG) }
    }
}

/// Where every other answer about an object comes from a replica that has heard of nothing.
mod stale {
    use apus_fake_swift::Replica;

    apus_storage::conformance_suite! {
        async {
            let fake = crate::support::fake(|_| ()).await;
            fake.split_reads(&[Replica::Stale, Replica::Fresh]);
            super::testbed(fake, |_| ())
        }
    }
}

/// Where objects of more than 1 MiB are large ones of few segments, and nothing is checked by MD5.
mod narrow {
    apus_storage::conformance_suite! {
        async {
            let fake = crate::support::fake(|options| options.max_file_size = 1 << 20).await;
            super::testbed(fake, |config| config.verify_checksums = Some(false))
        }
    }
}

/// Where every few requests fail in a way that passes.
mod faulty {
    apus_storage::conformance_suite! {
        async {
            let fake = crate::support::fake(|_| ()).await;
            super::trouble(&fake, 6);
            super::testbed(fake, |_| ())
        }
    }
}

/// On a real Swift, signed in by version 1.
mod real_v1 {
    use apus_storage::conformance::Testbed;

    use crate::support;

    apus_storage::conformance_suite! {
        async {
            let config = support::real_v1("apus-conformance");
            Testbed::new(support::storage(&config)).second_handle(support::storage(&config))
        }
    }
}

/// On a real Swift, signed in by version 3.
mod real_v3 {
    use apus_storage::conformance::Testbed;

    use crate::support;

    apus_storage::conformance_suite! {
        async {
            let config = support::real_v3("apus-conformance");
            Testbed::new(support::storage(&config)).second_handle(support::storage(&config))
        }
    }
}

/// Where names are docker-registry 0.x's, on the fake; the container holds nothing else, and its root is theirs.
mod docker_registry {
    use apus_swift::Naming;

    apus_storage::conformance_suite! {
        async {
            let fake = crate::support::fake(|_| ()).await;
            super::testbed(fake, |config| {
                config.naming = Naming::DockerRegistry;
                config.prefix = "/".to_owned();
            })
        }
    }
}

/// The same on a real Swift, under the root that docker-registry 0.x had by itself.
mod real_docker_registry {
    use apus_storage::conformance::Testbed;
    use apus_swift::Naming;

    use crate::support;

    apus_storage::conformance_suite! {
        async {
            let mut config = support::real_v3("apus-conformance-docker-registry");
            config.naming = Naming::DockerRegistry;
            config.prefix = "/registry".to_owned();
            Testbed::new(support::storage(&config)).second_handle(support::storage(&config))
        }
    }
}
