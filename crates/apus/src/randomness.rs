//! The system's random bytes. Identifiers, keys and pauses are made of them, and what draws them later cannot go on without:
//! so they are asked for once, before anything else, where the answer can still be an error.

use rand::TryRng;
use rand::rngs::SysRng;

/// There is nothing to make identifiers and keys of.
#[derive(Debug, thiserror::Error)]
#[error(
    "the system gives no random bytes: let this process call getrandom(2), which a seccomp profile may refuse, \
     or give it /dev/random and /dev/urandom"
)]
pub(crate) struct NoRandomness(#[source] rand::rngs::SysError);

/// Asks the system for random bytes, in the way in which all are asked for later. Waits, as getrandom(2) does, where a machine has
/// just started and has none yet.
pub(crate) fn check() -> Result<(), NoRandomness> {
    SysRng.try_fill_bytes(&mut [0; 16]).map_err(NoRandomness)
}
