//! Two verifiers, written apart from the same page, must give the same verdict on whatever is laid before them.
//!
//! Thousands of bundles, most of them wrong in one place, are verified here and written down; `web/verifier` then
//! verifies them all in one process, and prints every difference.

use crate::bundles::with_blocks;
use crate::chance;
use crate::conflicts;
use crate::foreign_bundles::worlds;
use crate::foreign_rules;
use crate::maker::{Wish, make, note};
use crate::mutants;
use crate::round_trip;
use crate::story::key;
use crate::tales;
use crate::tree::Tree;
use crate::{breakers, story};
use ed25519_dalek::{Signer, SigningKey};
use provenance::bundle::Bundle;
use provenance::checkpoint::Checkpoint;
use provenance::conflict;
use provenance::id::{NetworkId, PublicKey, base32};
use provenance::note::Note;
use provenance::origin::LogOrigin;
use provenance::payload::did_key;
use provenance::verification::{Policy, verify};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many histories are told by chance; each gives some twenty bundles.
const HISTORIES: u64 = 12;

/// What both verifiers are given, and what this one says.
struct Cases {
    folder: PathBuf,
    lines: String,
    count: usize,
    /// Most verdicts are alike, so each is written down once.
    verdicts: Vec<String>,
    places: HashMap<String, usize>,
}

/// A bundle from which others are made.
struct Base<'a> {
    name: &'a str,
    bytes: &'a [u8],
}

impl Cases {
    fn new(folder: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("bases")).unwrap();
        Self { folder, lines: String::new(), count: 0, verdicts: vec![], places: HashMap::new() }
    }

    fn base<'a>(&self, name: &'a str, bytes: &'a [u8]) -> Base<'a> {
        std::fs::write(self.folder.join("bases").join(name), bytes).unwrap();
        Base { name, bytes }
    }

    /// Adds a bundle that differs from its base in one place.
    fn add(&mut self, base: &Base<'_>, name: &str, bytes: &[u8], policy: &Policy) {
        let verdict = self.verdict(bytes, policy);
        self.write(base, name, bytes, &policy_json(policy), verdict, "bundle");
    }

    /// Adds a conflict proof that differs from its base in one place.
    fn add_conflict(&mut self, base: &Base<'_>, name: &str, bytes: &[u8], network: Option<NetworkId>) {
        let mut verdict = serde_json::to_value(conflict::verify(bytes, network)).unwrap();
        if let Some(failed) = verdict["failed"].as_object_mut() {
            failed.remove("detail");
        }
        let verdict = self.place(verdict.to_string());
        let policy = network.map_or(json!({}), |network| json!({ "network": network }));
        self.write(base, name, bytes, &policy, verdict, "conflict");
    }

    fn write(&mut self, base: &Base<'_>, name: &str, bytes: &[u8], policy: &Value, verdict: usize, what: &str) {
        let start = base.bytes.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        let rest = base.bytes.len().min(bytes.len()) - start;
        let ends = base.bytes.iter().rev().zip(bytes.iter().rev());
        let common = ends.take(rest).take_while(|(a, b)| a == b).count();
        let insert = data_encoding::HEXLOWER.encode(&bytes[start..bytes.len() - common]);
        let line = json!({
            "name": name, "base": base.name, "start": start, "end": base.bytes.len() - common, "insert": insert,
            "policy": policy, "verdict": verdict, "what": what,
        });
        writeln!(self.lines, "{line}").unwrap();
        self.count += 1;
    }

    fn verdict(&mut self, bytes: &[u8], policy: &Policy) -> usize {
        let mut verdict = serde_json::to_value(verify(bytes, policy)).unwrap();
        for check in verdict["checks"].as_array_mut().unwrap() {
            for sentence in ["proves", "rests_on", "detail"] {
                check.as_object_mut().unwrap().remove(sentence);
            }
        }
        self.place(verdict.to_string())
    }

    /// Where a verdict is written down.
    fn place(&mut self, text: String) -> usize {
        *self.places.entry(text.clone()).or_insert_with(|| {
            self.verdicts.push(text);
            self.verdicts.len() - 1
        })
    }

    /// Lets the other verifier judge; fails with all that it prints if it differs.
    fn compare(self) {
        std::fs::write(self.folder.join("cases.jsonl"), &self.lines).unwrap();
        std::fs::write(self.folder.join("verdicts.json"), format!("[{}]", self.verdicts.join(","))).unwrap();
        let verifier = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/verifier");
        assert!(
            verifier.join("dist/index.js").exists(),
            "the verifier in TypeScript is not built; run scripts/setup.sh, or npm ci && npm run build in web/verifier"
        );
        let output = Command::new("node").arg(verifier.join("differential.mjs")).arg(&self.folder).output();
        let output = output.expect("node cannot be started; run scripts/setup.sh, which installs Node.js");
        let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        println!("{said}");
        assert!(output.status.success(), "the verifiers differ, or one of them broke:\n{said}{complained}");
        assert!(said.contains(&format!("{} cases", self.count)), "not all cases were judged:\n{said}");
    }
}

fn policy_json(policy: &Policy) -> Value {
    let mut json = json!({
        "cosigners": policy.cosigners,
        "blockHashes": policy.block_hashes.iter().map(|hash| format!("0x{}", data_encoding::HEXLOWER.encode(hash))).collect::<Vec<_>>(),
    });
    if let Some(network) = policy.network {
        json["network"] = json!(network);
    }
    if let Some(trusted) = &policy.trusted_cosigners {
        json["cosignerIds"] = json!(trusted);
    }
    json
}

#[test]
fn both_verifiers_say_the_same() {
    let mut cases = Cases::new("differential");
    let honest: Vec<(&str, Bundle)> = tales::all().iter().map(|tale| (tale.name, tale.bundle())).collect();
    for (name, bundle) in &honest {
        let bytes = bundle.to_vec();
        let base = cases.base(name, &bytes);
        under_policies(&mut cases, &base);
        // What is alike in all of them is changed in every way in one of them, and here and there in the others.
        let step = if *name == "rich" { 1 } else { 7 };
        parts_exchanged(&mut cases, &base, step);
        bytes_changed(&mut cases, &base);
    }
    for tale in [tales::ties(), tales::carrier_corrected()] {
        let bytes = tale.bundle().to_vec();
        let base = cases.base(tale.name, &bytes);
        under_policies(&mut cases, &base);
    }
    for (reason, event, bytes) in breakers::bundles() {
        let name = format!("{}-{}", reason.code(), event.id());
        let base = cases.base(&name, &bytes);
        cases.add(&base, "logged against the rules", &bytes, &Policy::default());
    }
    notes_signed_anew(&mut cases);
    for seed in 0..HISTORIES {
        for (at, bytes) in chance::bundles(seed).iter().enumerate() {
            let name = format!("chance-{seed}-{at}");
            let base = cases.base(&name, bytes);
            cases.add(&base, "as it is", bytes, &Policy::default());
        }
    }
    for (name, bundle) in honest.iter().filter(|(name, _)| ["rich", "closed"].contains(name)) {
        events_signed_anew(&mut cases, name, bundle);
    }
    for (name, bytes, _) in worlds() {
        let name = format!("world-{name}");
        let base = cases.base(&name, &bytes);
        cases.add(&base, "as it is", &bytes, &Policy::default());
        parts_exchanged(&mut cases, &base, 29);
        survivals_exchanged(&mut cases, &base);
    }
    for (at, (code, bytes)) in foreign_rules::bundles().iter().enumerate() {
        let name = format!("tried-{at}-{code}");
        let base = cases.base(&name, bytes);
        cases.add(&base, "as it is", bytes, &Policy::default());
    }
    kinds_signed_anew(&mut cases);
    cases.compare();
}

#[test]
fn both_verifiers_say_the_same_of_conflict_proofs() {
    let mut cases = Cases::new("differential-conflicts");
    for (name, bytes) in conflicts::all() {
        let base = cases.base(name, &bytes);
        let other = NetworkId::from_bytes([1; 32]);
        for network in [None, Some(story::network().id()), Some(other)] {
            cases.add_conflict(&base, "as it is", &bytes, network);
        }
        for at in (0..bytes.len()).step_by(7) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            cases.add_conflict(&base, "a bit", &flipped, None);
        }
        for at in (0..bytes.len()).step_by(31) {
            cases.add_conflict(&base, "cut", &bytes[..at], None);
        }
        cases.add_conflict(&base, "a byte more", &[bytes.as_slice(), &[0]].concat(), None);
        for (change, mutant) in mutants::of(&Tree::parse(&bytes)) {
            cases.add_conflict(&base, &change, &mutant.to_vec(), None);
        }
    }
    for (at, (code, _, proof)) in conflicts::wrong().into_iter().enumerate() {
        let bytes = proof.to_vec();
        let name = format!("{at}-{code}");
        let base = cases.base(&name, &bytes);
        cases.add_conflict(&base, "proves nothing", &bytes, None);
    }
    cases.compare();
}

fn under_policies(cases: &mut Cases, base: &Base<'_>) {
    let with = with_blocks(base.bytes);
    let cosigners: Vec<_> = verify(base.bytes, &with).as_of.map(|as_of| as_of.cosigned_by).unwrap_or_default();
    let nodes = cosigners.iter().map(|cosigner| cosigner.node);
    let mut policies = vec![Policy::default(), with.clone()];
    policies.push(Policy { network: Some(story::network().id()), ..with.clone() });
    policies.push(Policy { network: Some(NetworkId::from_bytes([1; 32])), ..with.clone() });
    for count in 0..4 {
        policies.push(Policy { cosigners: count, ..with.clone() });
        policies.push(Policy { cosigners: count, trusted_cosigners: Some([].into()), ..with.clone() });
        policies.push(Policy {
            cosigners: count,
            trusted_cosigners: Some(nodes.clone().take(1).collect()),
            ..with.clone()
        });
    }
    for hash in &with.block_hashes {
        let mut fewer = with.clone();
        fewer.block_hashes.remove(hash);
        policies.push(fewer);
    }
    for policy in policies {
        cases.add(base, "as it is", base.bytes, &policy);
    }
}

/// Every part of each shape, changed in every way.
fn parts_exchanged(cases: &mut Cases, base: &Base<'_>, step: usize) {
    let policy = with_blocks(base.bytes);
    let tree = Tree::parse(base.bytes);
    for (name, mutant) in mutants::of(&tree).into_iter().step_by(step) {
        cases.add(base, &name, &mutant.to_vec(), &policy);
    }
}

/// What shows that events lie before the end of their keys: each left out, and each part changed in every way.
fn survivals_exchanged(cases: &mut Cases, base: &Base<'_>) {
    /// The field of a bundle that holds them.
    const SURVIVALS: Tree = Tree::Unsigned(10);
    let tree = Tree::parse(base.bytes);
    let Some(at) = tree.children().iter().position(|part| *part == SURVIVALS) else { return };
    let survivals = tree.children()[at + 1].clone();
    let with = |other| {
        let mut mutant = tree.clone();
        *mutant.at_mut(&[at + 1]) = other;
        mutant.to_vec()
    };
    for left_out in 0..survivals.children().len().min(12) {
        let mut fewer = survivals.children().to_vec();
        fewer.remove(left_out);
        cases.add(base, "a survival less", &with(Tree::Array(fewer)), &Policy::default());
    }
    for (change, mutant) in mutants::of(&survivals) {
        cases.add(base, &format!("survivals, {change}"), &with(mutant), &Policy::default());
    }
}

/// Events of every kind, each part of them changed in every way, at the beginning of a bundle.
fn kinds_signed_anew(cases: &mut Cases) {
    let mut bundle = tales::all().swap_remove(0).bundle();
    bundle.entries.truncate(1);
    for (name, event) in round_trip::every_kind() {
        let Some((_, payload)) = envelope(event.bytes()) else { unreachable!("it is an event") };
        let signer = (0..=255).map(key).find(|key| event.key() == story::public(key));
        let signer = signer.expect("every key of a story has a seed");
        bundle.entries[0].event = event.bytes().to_vec();
        let bytes = bundle.to_vec();
        let name = format!("kind-{name}");
        let base = cases.base(&name, &bytes);
        cases.add(&base, "as it is", &bytes, &Policy::default());
        // What is around the body is the same in all kinds.
        let Some(at) = payload.children().iter().position(|part| *part == Tree::Unsigned(9)) else { continue };
        for (change, body) in mutants::of(&payload.children()[at + 1]) {
            let mut mutant = payload.clone();
            *mutant.at_mut(&[at + 1]) = body;
            bundle.entries[0].event = signed(&mutant, &signer);
            if (1..=16_384).contains(&bundle.entries[0].event.len()) {
                cases.add(&base, &change, &bundle.to_vec(), &Policy::default());
            }
        }
    }
}

/// Single bits, cuts, and bytes at the end.
fn bytes_changed(cases: &mut Cases, base: &Base<'_>) {
    let policy = with_blocks(base.bytes);
    let step = base.bytes.len() / 150;
    for at in (0..base.bytes.len()).step_by(step) {
        let mut flipped = base.bytes.to_vec();
        flipped[at] ^= 1 << (at % 8);
        cases.add(base, "a bit", &flipped, &policy);
    }
    for at in (0..base.bytes.len()).step_by(4 * step) {
        cases.add(base, "cut", &base.bytes[..at], &policy);
    }
    cases.add(base, "a byte more", &[base.bytes, &[0]].concat(), &policy);
}

/// Checkpoints with other lines below them, in other orders.
fn notes_signed_anew(cases: &mut Cases) {
    let tale = tales::rich("rich", false);
    let bundle = tale.bundle();
    let bytes = bundle.to_vec();
    let base = cases.base("notes", &bytes);
    let policy = with_blocks(&bytes);
    let cosigners = &tale.wish.cosigners;
    let own = (tale.wish.keeper.clone(), 1_790_000_100);
    let again = |at: usize, time_s| (cosigners[at].0.clone(), time_s);
    let others = [
        vec![own.clone()],
        vec![own.clone(), cosigners[0].clone()],
        vec![cosigners[1].clone(), cosigners[0].clone()],
        vec![cosigners[0].clone(), cosigners[1].clone(), again(0, 5), again(1, 1_800_000_000), own],
        vec![again(0, 1_800_000_000), again(1, 5), cosigners[1].clone(), cosigners[0].clone()],
        vec![again(0, (1 << 53) - 1), again(1, 0)],
        vec![again(0, 1 << 53), again(1, 0)],
        vec![again(1, 1 << 53), again(0, u64::MAX)],
        vec![again(0, u64::MAX), again(1, 1 << 53)],
    ];
    for cosigners in others {
        let wish = Wish { cosigners, ..tale.wish.clone() };
        for count in [0, 2, 3] {
            let policy = Policy { cosigners: count, ..policy.clone() };
            cases.add(&base, "other cosigners", &make(&tale.world, &wish).to_vec(), &policy);
        }
    }
    let checkpoint = Checkpoint::parse(Note::parse(&bundle.checkpoint).unwrap().text()).unwrap();
    let other_network =
        LogOrigin { network: NetworkId::from_bytes([1; 32]), key: story::public(&tale.wish.keeper.log) };
    let others = [
        Checkpoint { size: 0, ..checkpoint.clone() },
        Checkpoint { size: checkpoint.size - 1, ..checkpoint.clone() },
        Checkpoint { size: checkpoint.size + 1, ..checkpoint.clone() },
        Checkpoint { size: (1 << 53) - 1, ..checkpoint.clone() },
        Checkpoint { size: 1 << 53, ..checkpoint.clone() },
        Checkpoint { root: [0; 32], ..checkpoint.clone() },
        Checkpoint { state_root: [0; 32], ..checkpoint.clone() },
        Checkpoint { origin: other_network.to_string(), ..checkpoint.clone() },
        Checkpoint { origin: checkpoint.origin.to_uppercase(), ..checkpoint.clone() },
        Checkpoint { origin: format!("{}/", checkpoint.origin), ..checkpoint },
    ];
    for checkpoint in others {
        let text = note(&tale.world, &checkpoint, &tale.wish.keeper, cosigners);
        let other = Bundle { checkpoint: text, ..bundle.clone() };
        cases.add(&base, "another checkpoint", &other.to_vec(), &policy);
    }
    // What stands open in a correction can be opened by nothing, even where it has 32 bytes.
    for path in [vec![3, 3], vec![3, 4], vec![3, 10], vec![3, 2, 1], vec![3], vec![2, 1], vec![2, 0], vec![1]] {
        for at in 0..bundle.openings.len() {
            let mut other = bundle.clone();
            other.openings[at].path.clone_from(&path);
            other.openings.sort_by_key(|opening| (opening.event, opening.path.clone()));
            cases.add(&base, "another path", &other.to_vec(), &policy);
        }
    }
}

/// Payloads with one wrong part, signed by the right key, at the end of a bundle that was cut there.
fn events_signed_anew(cases: &mut Cases, name: &str, bundle: &Bundle) {
    let keys: Vec<SigningKey> = (0..=255).map(key).collect();
    let mut kinds = Vec::new();
    for at in 0..bundle.entries.len() {
        let Some((header, payload)) = envelope(&bundle.entries[at].event) else { unreachable!("it is an event") };
        let kind = payload.field(2).cloned();
        if kinds.contains(&kind) {
            continue;
        }
        kinds.push(kind);
        let signer =
            keys.iter().find(|key| header.field(4) == Some(&Tree::Bytes(key.verifying_key().to_bytes().to_vec())));
        let signer = signer.expect("every key of a story has a seed");
        let mut cut = bundle.clone();
        cut.entries.truncate(at + 1);
        let bytes = cut.to_vec();
        let name = format!("{name}-{at}");
        let base = cases.base(&name, &bytes);
        // The fields around the body are the same in all kinds.
        let step = if at == 0 { 1 } else { 2 };
        for (change, mutant) in mutants::of(&payload).into_iter().step_by(step) {
            cut.entries[at].event = signed(&mutant, signer);
            if (1..=16_384).contains(&cut.entries[at].event.len()) {
                cases.add(&base, &change, &cut.to_vec(), &Policy::default());
            }
        }
        for (change, mutant) in mutants::of(&Tree::parse(&bundle.entries[at].event)).into_iter().step_by(4 * step) {
            cut.entries[at].event = mutant.to_vec();
            if (1..=16_384).contains(&cut.entries[at].event.len()) {
                cases.add(&base, &change, &cut.to_vec(), &Policy::default());
            }
        }
    }
}

/// The protected header and the payload of an event.
fn envelope(event: &[u8]) -> Option<(Tree, Tree)> {
    let Tree::Tag(18, envelope) = Tree::parse(event) else { return None };
    match envelope.children() {
        [Tree::Bytes(header), _, Tree::Bytes(payload), _] => Some((Tree::parse(header), Tree::parse(payload))),
        _ => None,
    }
}

/// A `COSE_Sign1` of any payload, with the header that belongs to it.
fn signed(payload: &Tree, signer: &SigningKey) -> Vec<u8> {
    let public = PublicKey::from_bytes(signer.verifying_key().to_bytes());
    let first =
        payload.field(7).and_then(|touches| touches.children().first()).and_then(|touch| touch.children().first());
    let subject = match first {
        Some(Tree::Bytes(subject)) => base32(subject),
        _ => "new".to_owned(),
    };
    let text = |text: String| Tree::Text(text.into_bytes());
    let claims = [Tree::Unsigned(1), text(did_key(&public)), Tree::Unsigned(2), text(format!("urn:furrow:{subject}"))];
    let header = Tree::Map(vec![
        Tree::Unsigned(1),
        Tree::Negative(7),
        Tree::Unsigned(3),
        text(provenance::event::CONTENT_TYPE.to_owned()),
        Tree::Unsigned(4),
        Tree::Bytes(public.as_bytes().to_vec()),
        Tree::Unsigned(15),
        Tree::Map(claims.into()),
    ]);
    let (header, payload) = (Tree::Bytes(header.to_vec()), Tree::Bytes(payload.to_vec()));
    let structure = [text("Signature1".into()), header.clone(), Tree::Bytes(vec![]), payload.clone()];
    let signature = signer.sign(&Tree::Array(structure.into()).to_vec()).to_bytes();
    let parts = [header, Tree::Map(vec![]), payload, Tree::Bytes(signature.to_vec())];
    Tree::Tag(18, Box::new(Tree::Array(parts.into()))).to_vec()
}
