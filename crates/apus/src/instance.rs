//! Which of several replicas this process is.

use std::sync::LazyLock;

use uuid::Uuid;

/// A random UUID, made anew at each start: registry:2's `instance.id` in the log, and `instanceID` in events.
pub(crate) fn id() -> &'static str {
    static ID: LazyLock<String> = LazyLock::new(|| Uuid::new_v4().to_string());
    &ID
}
