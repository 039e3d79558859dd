//! How fast a node catches up: two nodes that hold everything, and one that holds nothing, over real sockets.
//!
//! ```text
//! EVENTS=1000000 cargo nextest run --workspace --run-ignored only --no-capture -E 'test(a_node_catches_up)'
//! ```

use super::tests::{Side, open, place_of, side_of};
use ed25519_dalek::SigningKey;
use ledger::Origin;
use provenance::event::SignedEvent;
use provenance::id::PublicKey;
use provenance::network::Network;
use provenance::signature::{BATCH, Verifier};
use provenance::value::Text;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use store::StoreOptions;
use tempfile::TempDir;

/// Founders sign in parallel: a journal is a chain, so one alone would keep one core busy only.
const FOUNDERS: u8 = 8;

/// No measure of speed, only an end.
const PATIENCE: Duration = Duration::from_hours(1);

fn founder(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number + 1; 32])
}

fn network() -> Network {
    let keys = (0..FOUNDERS).map(|number| PublicKey::from_bytes(founder(number).verifying_key().to_bytes()));
    Network::new(Text::new("Test").unwrap(), [0; 16], keys.collect()).unwrap()
}

/// So many events, shared among the founders, interleaved as nodes would have received them.
fn corpus(network: &Network, count: u32) -> Vec<Vec<u8>> {
    let each = count / u32::from(FOUNDERS);
    let journals: Vec<Vec<Vec<u8>>> = std::thread::scope(|scope| {
        let sign = |number| {
            let founder = founder(number);
            let mut last = network.id().as_event();
            let next = |count| {
                let event = place_of(network, &founder, last, count, None);
                last = event.id();
                event.bytes().to_vec()
            };
            (0..each).map(next).collect()
        };
        let threads: Vec<_> = (0..FOUNDERS).map(|number| scope.spawn(move || sign(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    (0..each as usize).flat_map(|at| journals.iter().map(move |journal| journal[at].clone())).collect()
}

/// What must be done in any case: decode and verify, in batches on all cores.
fn verify(events: &[Vec<u8>]) -> Duration {
    let started = Instant::now();
    let cores = std::thread::available_parallelism().unwrap().get();
    std::thread::scope(|scope| {
        for share in events.chunks(events.len().div_ceil(cores)) {
            scope.spawn(move || {
                let mut verifier = Verifier::new();
                for batch in share.chunks(BATCH) {
                    let decoded = batch.iter().map(|bytes| SignedEvent::decode(bytes.clone()).unwrap()).collect();
                    assert!(verifier.verify_all(decoded).iter().all(Result::is_ok));
                }
            });
        }
    });
    started.elapsed()
}

/// A number of `/proc/self/status`, in megabytes; 0 where there is none.
fn memory_mb(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(to.join(entry.file_name())).unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

async fn node(folder: TempDir, network: &Network, seed: u8, bootstrap: &[&Side]) -> Side {
    let ledger = open(folder.path(), network, seed, StoreOptions::default());
    side_of(folder, ledger, seed, bootstrap).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes"]
async fn a_node_catches_up() {
    let count = std::env::var("EVENTS").map_or(100_000, |events| events.parse().unwrap());
    let network = network();
    let events = corpus(&network, count);
    let count = events.len() as u64;
    let bytes: usize = events.iter().map(Vec::len).sum();
    println!("{count} events of {} bytes on average", bytes / events.len());
    let verified = verify(&events);
    println!("decoding and verifying them takes {:.1} s", verified.as_secs_f64());

    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let ledger = open(folders[0].path(), &network, 1, StoreOptions::default());
    let started = Instant::now();
    for some in events.chunks(65_536) {
        let outcomes = ledger.submit(some.to_vec(), Origin::Client).await.unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.index().is_some()));
    }
    let written = started.elapsed();
    println!("submitting them to a ledger takes {:.1} s", written.as_secs_f64());
    assert!(ledger.followed(count).await);
    ledger.cut().await.unwrap();
    ledger.close().await;
    drop((ledger, events));
    copy(folders[0].path(), folders[1].path());

    let [first, second, third] = folders;
    let first = node(first, &network, 1, &[]).await;
    let second = node(second, &network, 2, &[]).await;
    // Linux starts to measure the peak anew.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let before_mb = memory_mb("VmRSS");
    let started = Instant::now();
    let side = node(third, &network, 3, &[&first, &second]).await;
    let mut shown = started;
    while side.ledger.size() <= count {
        assert!(started.elapsed() < PATIENCE, "waited in vain");
        if shown.elapsed() > Duration::from_secs(5) {
            shown = Instant::now();
            for (_, progress) in side.sync.peers() {
                println!("  {progress:?}");
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = started.elapsed();
    println!(
        "catching up takes {:.1} s: {:.0} events a second, {:.1} times verifying alone, {:.1} times submitting alone",
        took.as_secs_f64(),
        f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64(),
        took.as_secs_f64() / verified.as_secs_f64(),
        took.as_secs_f64() / written.as_secs_f64(),
    );
    println!("all three nodes had {before_mb} MB before, and {} MB at most meanwhile", memory_mb("VmHWM"));
    let (log, state) = (side.ledger.head().unwrap().0, side.ledger.cut().await.unwrap().state_root);
    assert_eq!((log, state), (first.ledger.size(), first.ledger.cut().await.unwrap().state_root));
    for side in [side, first, second] {
        side.end().await;
    }
}
