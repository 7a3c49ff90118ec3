//! Connections without end.

use std::process::Command;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::support::apus::without_settings;
use crate::support::{Apus, Backend};

/// How many descriptors it may have; it needs some itself.
const DESCRIPTORS: usize = 64;

/// More connections than the process may have descriptors: it says so, waits without burning its processor, and goes on when
/// there are fewer.
#[tokio::test(flavor = "multi_thread")]
async fn a19_without_descriptors_accepting_waits_and_recovers() {
    let backend = Backend::memory();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {DESCRIPTORS}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_apus")]);
    let apus = Apus::run(without_settings(shell), "info", backend.storage(), "");
    let mut open = Vec::new();
    for _ in 0..2 * DESCRIPTORS {
        open.push(TcpStream::connect(apus.address()).await.unwrap());
    }
    apus.until_it_logs("cannot accept connections").await;
    // It tries again and again, and not as fast as it can.
    let (told, ticks) = (lines(&apus), ticks(&apus));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let told = lines(&apus) - told;
    assert!((1..=40).contains(&told), "{told} attempts in two seconds");
    let spent = self::ticks(&apus) - ticks;
    assert!(spent < 100, "{spent} hundredths of a second of the processor");
    drop(open);
    apus.client().get("/v2/").await.expect(200);
}

fn lines(apus: &Apus) -> usize {
    apus.log().iter().filter(|line| line.contains("cannot accept connections")).count()
}

/// The time that the process has had of the processor, in hundredths of a second (proc(5), utime and stime).
fn ticks(apus: &Apus) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", apus.pid())).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
