//! What has brought other registries down or laid them open, each as a named test. The letter and number of a test are those
//! of the table of threats:
//!
//! | threat | what happened elsewhere | file |
//! |---|---|---|
//! | A13 | a manifest without bound fills the memory (CVE-2017-11468) | `bodies` |
//! | A14 | indexes that name each other many times over make a walk without end | `graphs` |
//! | A15 | a flood of referrers makes an answer without bound | `graphs` |
//! | A16 | names and identifiers that lead out of the storage | `names` |
//! | A17 | digests of unknown algorithms and odd forms | `digests` |
//! | A20 | layers that do harm to who unpacks them | `bodies` |
//! | A28 | writes to one tag and one upload at the same time | `races` |

mod bodies;
mod digests;
mod graphs;
mod names;
mod races;
