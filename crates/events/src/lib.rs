//! Telling others what happens in a registry, in the words of registry:2: events of pushes, pulls, mounts and deletions, sent to
//! any number of endpoints. What happens is not known here: the server says it.
//!
//! An event walks through these rooms in order:
//!
//! | room | what happens there |
//! |---|---|
//! | [`Event`], [`Target`] | what happened, as registry:2 writes it; [`descriptors`] finds what a manifest names |
//! | [`Events`] | it goes to the endpoints that want it |
//! | `queue` | it waits there, in bounded memory, or in files that outlive the process; `loss` tells of what cannot wait |
//! | `deliveries` | which endpoints are delivered to, as the configuration has it now |
//! | `delivery` | one after the other is sent, again and again until it is taken, with pauses that grow |
//! | `receiver` | one POST, and what becomes of it |
//!
//! A slow endpoint makes nobody wait but its own events. Nothing of an endpoint's URL beyond its host, and no header, ever
//! reaches the log.

mod deliveries;
mod delivery;
mod event;
mod events;
mod loss;
mod options;
mod queue;
mod receiver;
#[cfg(test)]
mod testing;

pub use event::{Action, Actor, Descriptor, Event, Source, Target, TriggeringRequest, descriptors};
pub use events::{Events, EventsError, Told};
pub use options::{EndpointOptions, EventsOptions, QueueOptions};
