//! Bundles that a ledger makes: verifiers accept them, and they hold what belongs to the lot and nothing else.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

mod story;

use ed25519_dalek::{Signer, SigningKey};
use ledger::view::ViewFollower;
use ledger::{AsOf, BundleRequest, BundleSources, Ledger, LedgerOptions, LogSigner, MakeError, Origin};
use provenance::body::Role;
use provenance::evidence::ProvenLine;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::seal::Opening;
use provenance::verification::{Outcome, Overall, Policy, Verdict, verify};
use std::sync::Arc;
use std::time::Instant;
use story::Story;
use tempfile::TempDir;

struct Signs {
    origin: String,
    key: SigningKey,
}

impl LogSigner for Signs {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn key(&self) -> PublicKey {
        PublicKey::from_bytes(self.key.verifying_key().to_bytes())
    }

    fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.key.sign(text).to_bytes()
    }
}

/// A node that anchors nothing and keeps no openings.
struct Nothing;

impl BundleSources for Nothing {
    fn anchors(&self, _: &[u64], _: &[[u8; 32]], _: u64) -> Vec<ProvenLine> {
        Vec::new()
    }

    fn openings(&self, _: &EventId) -> Result<Vec<(Vec<u8>, Opening)>, MakeError> {
        Ok(Vec::new())
    }
}

fn log_key() -> SigningKey {
    SigningKey::from_bytes(&[200; 32])
}

/// The story's events in a ledger whose map is cut for all of them.
async fn told(story: &Story) -> (Ledger, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let public = PublicKey::from_bytes(log_key().verifying_key().to_bytes());
    let signs = Signs { origin: format!("furrow/{}/{public}", story.network.id()), key: log_key() };
    let options = LedgerOptions {
        log_signer: Some(Arc::new(signs)),
        followers: vec![Arc::new(ViewFollower::new(story.network.clone()))],
        ..LedgerOptions::default()
    };
    let ledger = Ledger::open(folder.path(), story.network.clone(), options).unwrap();
    let outcomes = ledger.submit(story.bytes(), Origin::Client).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.index().is_some()), "{outcomes:?}");
    assert!(ledger.followed(ledger.size() - 1).await);
    ledger.cut().await.unwrap();
    (ledger, folder)
}

fn request(lot: SubjectId) -> BundleRequest {
    BundleRequest { lot, as_of: AsOf::Best, shallow: false }
}

/// Without an anchor nothing but that is missing.
fn verdict(ledger: &Ledger, request: &BundleRequest) -> Verdict {
    let verdict = verify(&ledger.bundle(request, &Nothing).unwrap().to_vec(), &Policy::default());
    assert_eq!(verdict.verdict, Overall::Incomplete, "{:?}", verdict.checks);
    let open: Vec<_> = verdict.checks.iter().filter(|check| check.result != Outcome::Passed).collect();
    assert!(open.iter().all(|check| check.reason.unwrap().code() == "not_anchored"), "{open:?}");
    verdict
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_and_a_part_of_it_are_proved_whole() {
    let mut story = Story::new();
    story.enrol_node(&log_key());
    let farmer = story.enrol(0, &[Role::Farmer], &[]);
    let trader = story.enrol(0, &[Role::Trader], &[]);
    let place = story.place(farmer, "Hill farm");
    let lot = story.lot(farmer, place, "100");
    let elsewhere = story.lot(farmer, place, "7");
    let offer = story.offer(farmer, lot, "40", true, trader);
    let part = offer.subject(1).unwrap();
    story.accept(trader, offer.id(), part, "35", Some("5"));
    story.grade(farmer, lot, "B");
    story.grade(farmer, elsewhere, "C");
    let (ledger, _folder) = told(&story).await;

    let of_part = verdict(&ledger, &request(part));
    assert_eq!(of_part.lot.as_ref().unwrap().balance.to_string(), "35 KGM");
    // Everything but what happened to the other lot alone.
    assert_eq!(of_part.events.len(), story.events.len() - 2);
    let shallow = verdict(&ledger, &BundleRequest { shallow: true, ..request(part) });
    assert_eq!(shallow.findings.len(), 1, "the lot from which it was taken is named");
    assert_eq!(shallow.events.len(), of_part.events.len() - 1, "the lot's later grading is left out");
    assert_eq!(verdict(&ledger, &request(elsewhere)).events.len(), 5);

    let unknown = SubjectId::from_bytes([9; 32]);
    assert!(matches!(ledger.bundle(&request(unknown), &Nothing), Err(MakeError::UnknownLot(_))));
    let farmer = story.id(farmer);
    assert!(ledger.bundle(&request(farmer), &Nothing).is_err(), "an actor is no lot");
    for (as_of, kept) in [(AsOf::Cosigned, false), (AsOf::Anchored, false), (AsOf::Size(1 << 40), false)] {
        let made = ledger.bundle(&BundleRequest { as_of, ..request(part) }, &Nothing);
        assert_eq!(made.is_ok(), kept, "{as_of:?}");
    }
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_nobody_enrolled_says_so() {
    let mut story = Story::new();
    let farmer = story.enrol(0, &[Role::Farmer], &[]);
    let place = story.place(farmer, "Hill farm");
    let lot = story.lot(farmer, place, "100");
    let (ledger, _folder) = told(&story).await;
    assert!(matches!(ledger.bundle(&request(lot), &Nothing), Err(MakeError::NotEnrolled)));
    ledger.close().await;
}

/// `cargo test -p ledger --test bundle -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; prints how long making and verifying a bundle of 50 events take"]
async fn speed() {
    let mut story = Story::new();
    story.enrol_node(&log_key());
    let farmer = story.enrol(0, &[Role::Farmer], &[]);
    let place = story.place(farmer, "Hill farm");
    let lot = story.lot(farmer, place, "100");
    for round in 0..46 {
        story.grade(farmer, lot, ["A", "B"][round % 2]);
    }
    let (ledger, _folder) = told(&story).await;
    let mut times = [Vec::new(), Vec::new()];
    let mut length = (0, 0);
    for _ in 0..200 {
        let started = Instant::now();
        let bundle = ledger.bundle(&request(lot), &Nothing).unwrap();
        let bytes = bundle.to_vec();
        times[0].push(started.elapsed());
        let started = Instant::now();
        verify(&bytes, &Policy::default());
        times[1].push(started.elapsed());
        length = (bundle.entries.len(), bytes.len());
    }
    for (what, times) in ["making", "verifying"].into_iter().zip(&mut times) {
        times.sort();
        println!("{what} {} events, {} bytes: p50 {:?}, p95 {:?}", length.0, length.1, times[100], times[190]);
    }
    ledger.close().await;
}
