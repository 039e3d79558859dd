//! The second verifier's bundles: this one comes to the same verdict, check by check.

use data_encoding::HEXLOWER;
use provenance::verification::{Policy, verify};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Written by `web/verifier/test/verify.test.ts`.
const BUNDLE: &str = include_str!("golden/foreign_bundle.hex");
const VERDICT: &str = include_str!("golden/foreign_bundle.json");
const MUTANTS: &str = include_str!("golden/foreign_mutants.txt");

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.trim().as_bytes()).unwrap()
}

/// Network, number of cosigners, whose cosignatures count, hashes of blocks; a dash where nothing is given.
fn policy(words: &[&str]) -> Policy {
    let [network, cosigners, ids, hashes] = words else { panic!("a policy has four words") };
    let list = |text: &str| text.split(',').filter(|part| *part != "-").map(str::to_owned).collect::<Vec<_>>();
    let hash = |text: &String| bytes(&text[2..]).try_into().unwrap();
    Policy {
        network: list(network).first().map(|id| id.parse().unwrap()),
        cosigners: cosigners.parse().unwrap(),
        trusted_cosigners: (*ids != "-").then(|| list(ids).iter().map(|id| id.parse().unwrap()).collect()),
        block_hashes: list(hashes).iter().map(hash).collect(),
    }
}

/// The verdict without the sentences, which may differ.
fn verdict(bundle: &[u8], policy: &Policy) -> Value {
    let mut verdict = serde_json::to_value(verify(bundle, policy)).unwrap();
    for check in verdict["checks"].as_array_mut().unwrap() {
        let check = check.as_object_mut().unwrap();
        for sentence in ["proves", "rests_on", "detail"] {
            check.remove(sentence);
        }
    }
    verdict
}

#[test]
fn both_verifiers_come_to_the_same_verdict() {
    let story = MUTANTS.lines().next().unwrap().strip_prefix("story ").unwrap();
    let policy = policy(&story.split(' ').collect::<Vec<_>>());
    let expected: Value = serde_json::from_str(VERDICT).unwrap();
    assert_eq!(verdict(&bytes(BUNDLE), &policy), expected);
}

#[test]
fn both_verifiers_see_the_same_change() {
    let whole = bytes(BUNDLE);
    for line in MUTANTS.lines().skip(1) {
        let words: Vec<_> = line.split(' ').collect();
        let [check, reason, event, subject, _, _, _, _, front, back, between] = words[..] else { panic!("{line}") };
        let (front, back): (usize, usize) = (front.parse().unwrap(), back.parse().unwrap());
        let between = if between == "-" { Vec::new() } else { bytes(between) };
        let changed = [&whole[..front], &between, &whole[whole.len() - back..]].concat();
        let found = verdict(&changed, &policy(&words[4..8]));
        let failed = found["checks"].as_array().unwrap().iter().find(|check| check["result"] == "failed");
        let failed = failed.unwrap_or_else(|| panic!("{check} {reason}: the bundle is {}", found["verdict"]));
        let told = ["check", "reason", "event", "subject"].map(|field| failed[field].as_str().unwrap_or("-"));
        assert_eq!(told, [check, reason, event, subject]);
    }
}

/// Bundles of histories by chance, with cut keys, decisions and amendments, that `web/verifier/test/counting.test.ts`
/// wrote with its verdicts.
pub fn worlds() -> Vec<(String, Vec<u8>, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/provenance/golden/worlds");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "bundle"));
    names.sort();
    let read = |path: PathBuf| {
        let verdict = std::fs::read(path.with_extension("verdict.json")).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(&path).unwrap(), serde_json::from_slice(&verdict).unwrap())
    };
    names.into_iter().map(read).collect()
}

#[test]
fn both_verifiers_count_alike() {
    let worlds = worlds();
    let differ: Vec<_> = worlds
        .iter()
        .filter_map(|(name, bundle, expected)| {
            let found = verdict(bundle, &Policy::default());
            (found != *expected).then(|| format!("{name}: {found:#}\n instead of {expected:#}"))
        })
        .collect();
    assert!(differ.is_empty(), "{} of {} differ, the first: {}", differ.len(), worlds.len(), differ[0]);
}
