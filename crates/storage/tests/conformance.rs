//! The backends of this crate keep the contract.

use std::sync::Arc;

use apus_storage::conformance::Testbed;
use apus_storage::{FilesystemStorage, MeasuredStorage, MemoryStorage};

mod memory {
    use super::*;

    apus_storage::conformance_suite! { async { MemoryStorage::new() } }
}

mod measured {
    use super::*;

    apus_storage::conformance_suite! { async { MeasuredStorage::new(Arc::new(MemoryStorage::new())) } }
}

mod filesystem {
    use super::*;

    apus_storage::conformance_suite! { async {
        let root = tempfile::tempdir().unwrap();
        let open = || FilesystemStorage::open(root.path().to_owned()).unwrap();
        Testbed::new(open()).second_handle(open()).keeping(root)
    } }
}
