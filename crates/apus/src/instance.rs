//! Which of several replicas this process is.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;

/// A random UUID (RFC 9562, version 4), made anew at each start: registry:2's `instance.id` in the log.
pub(crate) fn id() -> &'static str {
    static ID: LazyLock<String> = LazyLock::new(|| {
        let mut bytes = rand::random::<[u8; 16]>();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = HEXLOWER.encode(&bytes);
        for at in [20, 16, 12, 8] {
            text.insert(at, '-');
        }
        text
    });
    &ID
}
