//! The quick form produces every figure. How fast it was is no matter here.

use serde_json::Value;
use std::process::Command;

/// Figures that readers of `bench.json` rely on.
const FIGURES: [&str; 16] = [
    "admit_bulk",
    "admit_bulk_cpu",
    "follower_lag",
    "admit_bulk@1000",
    "admit_bulk@10000",
    "rss",
    "rss@10000",
    "bytes_per_event",
    "bytes_per_event/events",
    "cpu/decode",
    "cpu/verify",
    "cpu/write",
    "cpu/counting",
    "cpu/views",
    "cpu/lineage",
    "cpu/state_map",
];

#[test]
fn every_figure_is_produced() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("target/bench.json");
    let done = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--quick", "--cache"])
        .arg(folder.path().join("cache"))
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let written: Vec<Value> = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    for name in FIGURES {
        let figure = written.iter().find(|figure| figure["name"] == name);
        let figure = figure.unwrap_or_else(|| panic!("there is no figure {name}"));
        assert!(figure["value"].as_f64().is_some_and(f64::is_finite), "{figure}");
        assert!(figure["unit"].is_string(), "{figure}");
        for bound in ["ceiling", "ceiling_name", "ratio"] {
            assert!(figure.get(bound).is_some(), "{figure}");
        }
    }
    assert!(String::from_utf8_lossy(&done.stdout).contains("admit_bulk"));
}
