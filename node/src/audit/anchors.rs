//! What the node anchored, compared with the log that was re-hashed and with what the chain keeps.

use super::{Audit, Report, Stopped};
use crate::checks::Word;
use crate::failure::{Exit, Failure, OrExit};
use crate::rpc::Endpoint;
use anchoring::{Address, Commitment, Content};
use data_encoding::HEXLOWER;
use ledger::Ledger;
use provenance::body::AnchoringDetails;
use provenance::checkpoint::Checkpoint;
use provenance::merkle::{Hash, verify_consistency};
use serde_json::Value;
use std::time::Duration;

/// Years of anchors every ten minutes.
const MAX_ANCHORS: usize = 200_000;

/// How often the node is asked again for an anchor that the chain has and the node does not list yet.
const TRIES: usize = 10;

/// The node looks at the chain every few seconds.
const AGAIN: Duration = Duration::from_secs(3);

/// One anchor that is in a block, as the node tells it.
struct Anchor {
    sequence: u64,
    line: AnchoringDetails,
    content: Content,
    /// What the contract stored for it, computed here from block and content.
    commitment: Commitment,
}

/// Compares every anchor with the log, and every line of anchors with the chain where an endpoint was named.
pub(super) async fn compare(
    audit: &Audit<'_>,
    own: &Ledger,
    checkpoint: &Checkpoint,
    lines: &[AnchoringDetails],
    report: &mut Report,
) -> Result<(), Stopped> {
    let anchors = read(audit).await?;
    for anchor in &anchors {
        of_this_log(audit, own, checkpoint, anchor).await?;
    }
    let found = match anchors.last() {
        None => "the node lists none".to_owned(),
        Some(newest) => format!(
            "{} anchors, each with the root that the log had at its size; the newest covers {} entries",
            anchors.len(),
            newest.content.size
        ),
    };
    report.passed("anchors", Word::Node, found);
    if let Some(rpc) = audit.rpc {
        on_chain(audit, own, checkpoint, lines, rpc, report).await?;
    }
    Ok(())
}

/// An anchor's root must be that of the log at its size; of one that is newer than the checkpoint, the node must
/// prove that it continues this log.
async fn of_this_log(audit: &Audit<'_>, own: &Ledger, checkpoint: &Checkpoint, anchor: &Anchor) -> Result<(), Stopped> {
    let Content { size, log_root, .. } = anchor.content;
    let refuted = |what: &str| {
        let reason = format!("anchor {} covers {size} entries, {what}", anchor.sequence);
        Stopped::refuted("anchors", reason)
    };
    if size <= checkpoint.size {
        let root = own.root_at(size).map_err(|_| refuted("and no log has that size"))?;
        return if root == log_root {
            Ok(())
        } else {
            Err(refuted("whose root is another than the log's at that size"))
        };
    }
    let path = format!("/log/consistency?old={}&new={size}", checkpoint.size);
    let proof = audit.node.find(&path).await?.as_ref().and_then(|told| hashes(told.get("proof")?));
    let proof = proof.ok_or_else(|| refuted("which are more than the node proves to have"))?;
    verify_consistency(checkpoint.size, size, &checkpoint.root, &log_root, &proof)
        .map_err(|error| refuted(&format!("which do not continue this log: {error}")))
}

/// Each line of the node on the endpoint's chain must be an unbroken chain of commitments from the first to the one
/// that the contract stores now.
async fn on_chain(
    audit: &Audit<'_>,
    own: &Ledger,
    checkpoint: &Checkpoint,
    lines: &[AnchoringDetails],
    rpc: &str,
    report: &mut Report,
) -> Result<(), Stopped> {
    let endpoint = Endpoint::new(rpc).or_exit(Exit::BadInput)?;
    let chain_id = endpoint.chain_id().await.or_exit(Exit::Unreachable)?;
    let lines: Vec<_> = lines.iter().filter(|line| line.chain_id == chain_id).collect();
    if lines.is_empty() {
        let reason = format!(
            "the node's enrolment names no line of anchors on chain {chain_id}; name an endpoint of the chain on which it anchors, or none"
        );
        return Err(Stopped::refuted("chain", reason));
    }
    for line in lines {
        let found = one_line(audit, own, checkpoint, line, rpc).await?;
        report.passed("chain", Word::Endpoint(rpc.to_owned()), found);
    }
    Ok(())
}

async fn one_line(
    audit: &Audit<'_>,
    own: &Ledger,
    checkpoint: &Checkpoint,
    line: &AnchoringDetails,
    rpc: &str,
) -> Result<String, Stopped> {
    let (contract, sender) = (Address::from_bytes(line.contract), Address::from_bytes(line.sender));
    let mut tries = 0;
    let listed = loop {
        // The chain first: what it stores then, the node must come to list.
        let stored = anchoring::read_commitment(rpc, contract, sender).await.or_exit(Exit::Unreachable)?;
        let listed: Vec<_> = read(audit).await?.into_iter().filter(|anchor| anchor.line == *line).collect();
        if listed.last().map_or(Commitment::ZERO, |newest| newest.commitment) == stored {
            break listed;
        }
        // An anchor may have been mined between the two questions.
        tries += 1;
        if tries == TRIES {
            let is_listed = stored == Commitment::ZERO || listed.iter().any(|anchor| anchor.commitment == stored);
            let reason = if is_listed {
                format!("the newest anchors that the node lists for {sender} are not on the chain")
            } else {
                format!(
                    "the contract stores {stored} for {sender}, an anchor that the node does not list: it is hidden"
                )
            };
            return Err(Stopped::refuted("chain", reason));
        }
        tokio::time::sleep(AGAIN).await;
    };
    let mut before = Commitment::ZERO;
    for anchor in &listed {
        if anchor.content.previous != before {
            let reason = format!(
                "anchor {} follows the commitment {}, which the node does not list: an anchor before it is hidden",
                anchor.sequence, anchor.content.previous
            );
            return Err(Stopped::refuted("chain", reason));
        }
        before = anchor.commitment;
        of_this_log(audit, own, checkpoint, anchor).await?;
    }
    Ok(format!(
        "{} anchors of {sender} in an unbroken chain of commitments up to the one that the contract stores",
        listed.len()
    ))
}

/// All anchors that are in a block, oldest first.
async fn read(audit: &Audit<'_>) -> Result<Vec<Anchor>, Stopped> {
    let mut anchors = Vec::new();
    for told in audit.node.all("/anchors?limit=200", MAX_ANCHORS).await?.iter().rev() {
        let stands = matches!(told.get("state").and_then(Value::as_str), Some("mined" | "confirmed" | "final"));
        if stands && told.get("block").is_some_and(Value::is_object) {
            let anchor = Anchor::parse(told).ok_or_else(|| {
                Stopped::Unable(Failure::new(Exit::Failed, "an anchor of the node is malformed; is it a Furrow node?"))
            })?;
            anchors.push(anchor);
        }
    }
    Ok(anchors)
}

impl Anchor {
    fn parse(told: &Value) -> Option<Self> {
        let text = |pointer: &str| told.pointer(pointer).and_then(Value::as_str);
        let number = |pointer: &str| told.pointer(pointer).and_then(Value::as_u64);
        let address = |pointer: &str| text(pointer)?.parse::<Address>().ok();
        let content = Content {
            previous: text("/previous")?.parse().ok()?,
            size: number("/size")?,
            log_root: hash(text("/log_root")?)?,
            state_root: hash(text("/state_root")?)?,
        };
        Some(Self {
            sequence: number("/sequence")?,
            line: AnchoringDetails {
                chain_id: number("/chain_id")?,
                contract: *address("/contract")?.as_bytes(),
                sender: *address("/sender")?.as_bytes(),
            },
            commitment: content.commitment(number("/block/number")?, number("/block/timestamp_s")?),
            content,
        })
    }
}

fn hashes(list: &Value) -> Option<Vec<Hash>> {
    list.as_array()?.iter().map(|text| hash(text.as_str()?)).collect()
}

fn hash(text: &str) -> Option<Hash> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}
