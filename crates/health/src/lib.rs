//! Whether a registry can do its work. Things are looked at again and again; what was found can be asked at any time, at once.
//! Nobody is refused here, and nothing is decided: a request that can be answered is answered, whatever a check says.
//!
//! | room | what lives there |
//! |---|---|
//! | [`Probe`], [`Trouble`] | one look at a file, a service or a storage |
//! | [`Check`], [`Pace`] | a probe, its name, how often it looks and how often it must fail to count |
//! | [`Health`] | all checks: what fails now, and whether this replica should be sent requests |
//!
//! What is checked is the configuration's matter, and how it is shown that of who shows it.

mod health;
mod probe;

pub use health::{Check, Health, NotReady, Pace};
pub use probe::{Probe, Trouble};
