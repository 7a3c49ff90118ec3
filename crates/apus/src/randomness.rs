//! The system's random bytes. Identifiers, keys and pauses are made of them, and what draws them later cannot go on without:
//! so they are asked for once, before anything else, where the answer can still be an error.

use std::error::Error;

use rand::TryRng;
use rand::rngs::SysRng;
use rustix::io::{Errno, retry_on_intr};
use rustix::rand::{GetRandomFlags, getrandom};

/// There is nothing to make identifiers and keys of.
#[derive(Debug, thiserror::Error)]
#[error(
    "the system gives no random bytes: let this process call getrandom(2), which a seccomp profile may refuse, \
     and give it /dev/random and /dev/urandom where there is no such call"
)]
pub(crate) struct NoRandomness(#[source] Box<dyn Error + Send + Sync>);

/// Asks the system for random bytes, in both ways in which they are asked for later. Waits, as getrandom(2) does, where a machine
/// has just started and has none yet.
pub(crate) fn check() -> Result<(), NoRandomness> {
    // aws-lc ends the process where this is refused, whatever else there is.
    match retry_on_intr(|| getrandom(&mut [0; 16], GetRandomFlags::empty())) {
        Ok(_) | Err(Errno::NOSYS) => {}
        Err(error) => return Err(NoRandomness(error.into())),
    }
    // A static binary may not find the call, and needs the devices (scripts/package).
    SysRng.try_fill_bytes(&mut [0; 16]).map_err(|error| NoRandomness(error.into()))
}
