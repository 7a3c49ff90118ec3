//! The suite that every backend passes, three times.

/// On the fake.
mod fake {
    use apus_storage::conformance::Testbed;

    use crate::support;

    apus_storage::conformance_suite! {
        async {
            let fake = support::fake(|_| ()).await;
            let config = support::fake_config(&fake);
            Testbed::new(support::storage(&config)).second_handle(support::storage(&config)).keeping(fake)
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
