//! What an operator does to a registry while it runs, and what it does by itself.
//!
//! | file | what it shows |
//! |---|---|
//! | `connections` | more of them than the process may have |
//! | `purging` | uploads that nobody goes on with, ours and those of registry:2, on every backend |
//! | `read_only` | `storage.maintenance.readonly`: nothing is written, by nobody |
//! | `reload` | SIGHUP: what changes, what does not, and what is told |

mod connections;
mod purging;
mod read_only;
mod reload;
