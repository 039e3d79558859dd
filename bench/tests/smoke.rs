//! The quick form produces every figure. How fast it was is no matter here.

#![allow(clippy::unwrap_used)] // A test stops where something is not as it should be.

use serde_json::Value;
use std::process::Command;

/// Figures that readers of `bench.json` rely on.
const FIGURES: [&str; 50] = [
    "admit_bulk",
    "admit_bulk_cpu",
    "follower_lag",
    "admit_bulk@1000",
    "admit_bulk@10000",
    "rss",
    "rss@10000",
    "bytes_per_event",
    "bytes_per_event/entries",
    "cpu/decode",
    "cpu/verify",
    "cpu/write",
    "cpu/counting",
    "cpu/views",
    "cpu/lineage",
    "cpu/forks",
    "cpu/state_map",
    "state_map_cut",
    "admit_http",
    "admit_http_cpu",
    "admit_http_client_cpu",
    "catch_up",
    "catch_up_cpu",
    "catch_up_sources_cpu",
    "propagate_p50/500",
    "propagate_p95/500",
    "propagate_p50/5000",
    "propagate_p95/5000",
    "read_lot",
    "read_lot@10000",
    "read_lot_p50",
    "read_lot_p95",
    "read_lot_alone_p95",
    "read_lot_alone_p95@10000",
    "read_bundle",
    "read_bundle_p50",
    "read_bundle_p95",
    "ack_http_p50",
    "ack_http_p95",
    "ack_http_p99",
    "verify_bundle_p50",
    "verify_bundle_p95",
    "verify_bundle_http",
    "verify_bundle_http_p50",
    "verify_bundle_http_p95",
    "restart",
    "restart@10000",
    "rss_node",
    "rss_node@10000",
    "anchor_gas",
];

/// Runs the quick form; the figures that it wrote.
fn figures(more: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("target/bench.json");
    let done = Command::new(env!("CARGO_BIN_EXE_bench"))
        .arg("--quick")
        .args(more)
        .arg("--cache")
        .arg(folder.path().join("cache"))
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("ratio"));
    serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap()
}

#[test]
fn every_figure_is_produced() {
    let written = figures(&[]);
    for name in FIGURES {
        let figure = written.iter().find(|figure| figure["name"] == name);
        let figure = figure.unwrap_or_else(|| panic!("there is no figure {name}"));
        assert!(figure["value"].as_f64().is_some_and(f64::is_finite), "{figure}");
        assert!(figure["unit"].is_string(), "{figure}");
        for bound in ["ceiling", "ceiling_name", "ratio"] {
            assert!(figure.get(bound).is_some(), "{figure}");
        }
    }
}

#[test]
fn single_figures_can_be_taken() {
    let written = figures(&["--only", "anchor_gas,bytes_per_event/log"]);
    let names: Vec<&str> = written.iter().filter_map(|figure| figure["name"].as_str()).collect();
    assert_eq!(names, ["bytes_per_event/log", "anchor_gas", "anchor_gas_first"]);
}
