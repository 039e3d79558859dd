//! What verifying a bundle takes: by the verifier in Rust, and by the one in TypeScript.

use crate::report::Report;
use crate::times::Times;
use anyhow::Context;
use provenance::bundle::Bundle;
use provenance::event::SignedEvent;
use provenance::signature::Verifier;
use provenance::verification::{Overall, Policy, verify};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How often each bundle is verified; the first time the verifier in TypeScript is not compiled yet.
const ROUNDS: u32 = 10;

/// Verifies the bundles, one after the other on one thread.
pub fn measure(bundles: &[Vec<u8>], folder: &Path, report: &mut Report) -> anyhow::Result<()> {
    let mut events = Vec::new();
    for bundle in bundles {
        let decoded = Bundle::decode(bundle)?;
        let signed = decoded.entries.into_iter().map(|entry| SignedEvent::decode(entry.event));
        events.push(signed.collect::<Result<Vec<_>, _>>()?);
    }
    #[allow(clippy::cast_precision_loss)] // Nothing here comes near 2^52.
    let each = |sum: usize| sum as f64 / bundles.len() as f64;
    report.add("bundle_events", each(events.iter().map(Vec::len).sum()), "events");
    report.add("bundle_bytes", each(bundles.iter().map(Vec::len).sum()), "bytes");
    let signatures = times(&events, |events: &Vec<SignedEvent>| {
        // A key that was seen before would be quicker, which a stranger's verifier has not.
        Verifier::new().verify_all(events.clone()).iter().all(Result::is_ok)
    })?;
    let verified = times(bundles, |bundle: &Vec<u8>| verify(bundle, &Policy::default()).verdict != Overall::Invalid)?;
    tell("verify_bundle", &verified, &signatures, report);
    if let Some(verified) = by_typescript(bundles, folder)? {
        tell("verify_bundle_typescript", &verified, &signatures, report);
    }
    Ok(())
}

fn times<T>(all: &[T], check: impl Fn(&T) -> bool) -> anyhow::Result<Times> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        for one in all {
            let began = Instant::now();
            let valid = check(one);
            times.push(began.elapsed());
            anyhow::ensure!(valid, "a bundle of the node is invalid");
        }
    }
    Ok(times.into_iter().collect())
}

fn tell(name: &str, times: &Times, signatures: &Times, report: &mut Report) {
    for percent in [50, 95] {
        let (value, ceiling) = (times.percentile_ms(percent), signatures.percentile_ms(percent));
        report.add_cost(format!("{name}_p{percent}"), value, "ms", ceiling, "its signatures alone, in Rust");
    }
}

/// By `web/verifier`; nothing where it was not built, or Node.js is missing.
fn by_typescript(bundles: &[Vec<u8>], folder: &Path) -> anyhow::Result<Option<Times>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let verifier = here.join("../web/verifier/dist/index.js");
    if !verifier.is_file() || Command::new("node").arg("--version").output().is_err() {
        return Ok(None);
    }
    let folder = tempfile::tempdir_in(folder)?;
    let mut command = Command::new("node");
    command.arg(here.join("verify_bundles.mjs")).arg(verifier).arg(ROUNDS.to_string());
    for (number, bundle) in bundles.iter().enumerate() {
        let file = folder.path().join(number.to_string());
        std::fs::write(&file, bundle)?;
        command.arg(file);
    }
    let output = command.output().context("starting Node.js")?;
    let told = || String::from_utf8_lossy(&output.stderr).into_owned();
    anyhow::ensure!(output.status.success(), "the verifier in TypeScript failed: {}", told());
    let times_ms: Vec<f64> = serde_json::from_slice(&output.stdout)?;
    Ok(Some(times_ms.into_iter().map(|time_ms| Duration::from_secs_f64(time_ms / 1e3)).collect()))
}
