//! Version 1 over the store that the original wrote: routes, texts and headers, who is let in, and the traps of the original.

mod mirroring;
mod pushing;
mod reading;
mod signing_in;
mod support;
mod traps;
