//! What each operation costs: requests to Swift, held to the plan's budgets. A small request costs a Swift some milliseconds,
//! so their number decides how fast a registry is.
//!
//! Each operation is counted twice: at the fake Swift, which keeps every request and shows those that were too many, and in
//! the access log of the real one's proxy.
//!
//! Signing in and `/info` are not counted, nor what an Apus does once when it starts (its container, the secret of its
//! upload URLs), nor the proof, once a minute at most, that clients can be sent to Swift. "Cold" is an Apus that has just started,
//! "warm" one that was asked the same before.
//!
//! | file | what it holds |
//! |---|---|
//! | `counted` | an Apus over either Swift, and the table of what its operations have cost |
//! | `meter` | the two ways to count |
//! | `access_log` | the log of a real proxy |
//! | `blobs`, `manifests`, `lists`, `images` | the operations |

mod access_log;
mod blobs;
mod counted;
mod images;
mod lists;
mod manifests;
mod meter;

use counted::Counted;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Makes each of these a test at the fake Swift and at the real one: `fake::<name>`, `real::<name>`.
macro_rules! counted_twice {
    ($($operations:ident),+ $(,)?) => {
        mod fake {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $operations() {
                    super::$operations(crate::budgets::Counted::at_fake_swift().await).await;
                }
            )+
        }
        mod real {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $operations() {
                    super::$operations(crate::budgets::Counted::at_real_swift().await).await;
                }
            )+
        }
    };
}
use counted_twice;
