//! Conflict proofs on the command line: saved, and told in plain words.

use crate::cli::Global;
use crate::client::Client;
use crate::durable::{self, Readable};
use crate::failure::{Exit, Failure, OrExit};
use crate::output::printable;
use provenance::conflict::{CONTENT_TYPE, ConflictKind, Verdict, verify};
use provenance::id::NetworkId;
use provenance::payload::Lane;
use provenance::value::Timestamp;
use provenance::verification::Overall;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;

/// Fetches a proof, verifies it, and keeps it in a file.
pub(crate) async fn save(global: &Global, client: &Client, path: &str, out: &Path) -> Result<(), Failure> {
    let bytes = client.bytes(path, CONTENT_TYPE).await?;
    let verdict = verify(&bytes, None);
    if verdict.verdict != Overall::Valid {
        return Err(Failure::new(Exit::Failed, format!("the node sent no proof of a conflict: {}", why(&verdict))));
    }
    durable::replace(out, &bytes, Readable::ByAll)
        .or_exit_with(Exit::Failed, || format!("cannot write {}", out.display()))?;
    let value = json!({ "file": out, "bytes": bytes.len(), "conflict": verdict.conflict, "events": verdict.events });
    global.output().print(&value, || {
        format!("{} events that cannot all stand in {} ({} bytes)", verdict.events.len(), out.display(), bytes.len())
    })?;
    Ok(())
}

/// Verifies a proof and prints the verdict.
pub(crate) fn tell(global: &Global, bytes: &[u8], network: Option<NetworkId>) -> Result<(), Failure> {
    let verdict = verify(bytes, network);
    let value = serde_json::to_value(&verdict).expect("a verdict is plain data");
    global.output().print(&value, || text(&verdict))?;
    match verdict.verdict {
        Overall::Valid => Ok(()),
        _ => Err(Failure::new(Exit::Unverified, "the file proves no conflict; see the reason")),
    }
}

fn why(verdict: &Verdict) -> String {
    verdict.failed.as_ref().map_or_else(String::new, |failed| printable(&failed.detail))
}

fn text(verdict: &Verdict) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_verdict(&mut out, verdict);
    out
}

fn write_verdict(out: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let Some(conflict) = verdict.conflict else {
        writeln!(out, "INVALID: the file does not prove that anything contradicts anything else.")?;
        return writeln!(out, "reason   {}", why(verdict));
    };
    let told = match (conflict, verdict.actor) {
        (ConflictKind::JournalFork, _) => {
            "one key signed two different events on one link of its journal. No honest program does that: the key is copied, or \
             tells different people different things."
        }
        (ConflictKind::LaneConflict, Some(_)) => {
            "one actor gave away what it had given away before. Each of these events keeps the rules, and together they cannot stand."
        }
        (ConflictKind::LaneConflict, None) => {
            "these events cannot all stand, though each keeps the rules. Several actors signed them, so they may have crossed without \
             anybody's fault."
        }
    };
    writeln!(out, "VALID: it is proven that {told}")?;
    if let Some(network) = &verdict.network {
        writeln!(out, "network  {} ({})", network.id, printable(&network.name))?;
    }
    if let Some(lot) = &verdict.subject {
        let lane = if verdict.lane == Some(Lane::Title) { ", whose title it is" } else { "" };
        writeln!(out, "lot      {lot}{lane}")?;
    }
    if let Some(link) = &verdict.link {
        writeln!(out, "link     {link}")?;
    }
    if let Some(actor) = &verdict.actor {
        writeln!(out, "by       {actor}")?;
    }
    writeln!(out, "\nevents that cannot all stand")?;
    for event in &verdict.events {
        let signed = Timestamp::new(event.time_ms).map(|time| time.to_string()).unwrap_or_default();
        writeln!(out, "  {} {:<24} says {signed}", event.id, event.kind)?;
        writeln!(out, "      signed for {} with key {}", event.signer, event.key)?;
    }
    writeln!(out, "\nThis rests on nobody's word but the signatures, and on the network being the one that you mean.")?;
    writeln!(out, "It does not say which of the events is right, nor whether a decision has settled it since.")
}
