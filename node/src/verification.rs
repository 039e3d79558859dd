//! The checks that prove an event: each with its outcome and on whose word it rests.
//!
//! What the node says is evidence here, never an authority: every hash, signature and proof is
//! computed again, and the anchor is read from the chain.

use crate::checks::{Checks, Stop, Word};
use crate::client::{COSE, Client};
use crate::failure::{Failure, with_sources};
use crate::names::id_of;
use anchoring::{Address, AnchorClaim, Commitment, Content, Stored, TxHash};
use data_encoding::HEXLOWER;
use provenance::body::{ActorEnrolled, Body, NodeDetails};
use provenance::event::{SignedEvent, VerifiedEvent};
use provenance::id::{EventId, NetworkId, PublicKey};
use provenance::merkle::{leaf_hash, verify_inclusion};
use provenance::network::Network;
use provenance::payload::did_key;
use provenance::signature::Verifier;
use serde_json::Value;

/// Enrolments between a signer and a founder; deeper trees serve nobody.
const MAX_ENROLMENTS: usize = 16;

/// The longest proof in a log that a disk can hold.
const MAX_PROOF_HASHES: usize = 64;

/// What verification may ask.
pub(crate) struct Sources<'a> {
    /// The node.
    pub(crate) node: &'a Client,
    /// The network's definition from the folder; without it the node's own.
    pub(crate) network: Option<Network>,
    /// The Ethereum endpoint.
    pub(crate) rpc: Option<String>,
}

/// Runs all checks on an event's bytes. Errors are failures to ask; what does not hold is a check.
pub(crate) async fn verify(sources: &Sources<'_>, bytes: Vec<u8>, asked: Option<EventId>) -> Result<Checks, Failure> {
    let mut checks = Checks::default();
    // A check that fails has been written down.
    let _ = run(sources, bytes, asked, &mut checks).await?;
    Ok(checks)
}

async fn run(
    sources: &Sources<'_>,
    bytes: Vec<u8>,
    asked: Option<EventId>,
    checks: &mut Checks,
) -> Result<Result<(), Stop>, Failure> {
    let id = EventId::of(&bytes);
    let same = match asked {
        Some(asked) if asked != id => Err(format!("the bytes have the id {id}, not {asked}: they were exchanged")),
        _ => Ok(format!("SHA-256 of the {} bytes is {id}", bytes.len())),
    };
    if checks.add("bytes", Word::Own, same).is_err() {
        return Ok(Err(Stop));
    }
    let verified = verified(bytes);
    let said = verified.as_ref().map(|event| format!("{} signed it", did_key(&event.key()))).map_err(Clone::clone);
    if checks.add("signature", Word::Own, said).is_err() {
        return Ok(Err(Stop));
    }
    let event = verified.expect("a failed check ends the way");

    let (network, word) = known_network(sources).await?;
    let belongs = match &network {
        KnownNetwork::Definition(network) => event.payload().network == network.id(),
        KnownNetwork::Named { id, .. } => event.payload().network == *id,
    };
    let result = if belongs {
        Ok(format!("network {}", event.payload().network))
    } else {
        Err(format!("it belongs to another network, {}", event.payload().network))
    };
    if checks.add("network", word.clone(), result).is_err() {
        return Ok(Err(Stop));
    }
    let result = founder_above(sources.node, &network, &event).await?;
    if checks.add("signer", word, result).is_err() {
        return Ok(Err(Stop));
    }
    log_and_anchor(sources, &network, &event, checks).await
}

/// Inclusion in the log, and the log's anchor.
async fn log_and_anchor(
    sources: &Sources<'_>,
    network: &KnownNetwork,
    event: &VerifiedEvent,
    checks: &mut Checks,
) -> Result<Result<(), Stop>, Failure> {
    let id = event.id();
    let told = sources.node.find(&format!("/events/{id}")).await?;
    let Some(told) = told else {
        return Ok(checks.add("log", Word::Node, Err("the node does not hold this event; submit it first".to_owned())));
    };
    let Some(sequence) = told.pointer("/proof/anchor").and_then(Value::as_u64) else {
        let waits = "the event is in the node's log, but not anchored yet; try again after the next anchor".to_owned();
        return Ok(checks.add("log", Word::Node, Err(waits)));
    };
    let anchor = sources.node.get(&format!("/anchors/{sequence}")).await?;
    let Some(claim) = Claim::read(&anchor) else {
        return Ok(checks.add("log", Word::Node, Err(format!("the node's anchor {sequence} is malformed"))));
    };
    let path = format!("/log/inclusion?event={id}&size={}", claim.anchor.content.size);
    let proof = sources.node.get(&path).await?;
    if checks.add("log", Word::Own, included(&id, &proof, &claim.anchor.content)).is_err() {
        return Ok(Err(Stop));
    }
    let result = enrolled_line(sources.node, network, &claim).await?;
    if checks.add("anchoring line", Word::Own, result).is_err() {
        return Ok(Err(Stop));
    }
    let Some(rpc) = &sources.rpc else {
        let missing = "no Ethereum endpoint was named; name one of your own choice with --rpc".to_owned();
        return Ok(checks.add("anchor", Word::Own, Err(missing)));
    };
    let read = anchoring::verify_anchor(rpc, claim.contract, claim.sender, &claim.anchor).await;
    let result = read.map_err(|error| with_sources(&error)).map(|found| {
        let stored = match found.stored {
            Stored::AtItsBlock => "as stored in the contract at that block",
            Stored::Now => "as stored in the contract now",
            Stored::NotReadable => "as told by the contract's event; a later anchor is stored by now",
        };
        format!(
            "commitment {} {stored}; block {} of {}, {} deep",
            found.commitment,
            found.block_number,
            rfc3339(found.timestamp_s),
            found.depth_blocks
        )
    });
    Ok(checks.add("anchor", Word::Endpoint(rpc.clone()), result))
}

enum KnownNetwork {
    /// Its whole definition.
    Definition(Network),
    /// What the node says of it.
    Named { id: NetworkId, founders: Vec<PublicKey> },
}

impl KnownNetwork {
    fn has_founder(&self, key: &PublicKey) -> bool {
        match self {
            Self::Definition(network) => network.founder(key).is_some(),
            Self::Named { founders, .. } => founders.contains(key),
        }
    }
}

async fn known_network(sources: &Sources<'_>) -> Result<(KnownNetwork, Word), Failure> {
    if let Some(network) = &sources.network {
        return Ok((KnownNetwork::Definition(network.clone()), Word::NetworkFile));
    }
    let told = sources.node.get("/network").await?;
    let id = told.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let founders = told.get("founders").and_then(Value::as_array).into_iter().flatten();
    let key =
        |founder: &Value| founder.get("key").or(Some(founder)).and_then(Value::as_str).and_then(|key| key.parse().ok());
    let founders = founders.filter_map(key).collect();
    Ok((KnownNetwork::Named { id: id.unwrap_or(NetworkId::from_bytes([0; 32])), founders }, Word::Node))
}

fn verified(bytes: Vec<u8>) -> Result<VerifiedEvent, String> {
    let event = SignedEvent::decode(bytes).map_err(|error| with_sources(&error))?;
    Verifier::new().verify(event).map_err(|error| error.to_string())
}

/// Fetches an event whose id is known, and checks that it is that one and well signed.
async fn fetch(node: &Client, id: &EventId) -> Result<Result<VerifiedEvent, String>, Failure> {
    let bytes = node.bytes(&format!("/events/{id}"), COSE).await?;
    if EventId::of(&bytes) != *id {
        return Ok(Err(format!("the node sent other bytes for event {id}")));
    }
    Ok(verified(bytes))
}

/// Follows the enrolments from the signer up to a founder, each by its own signature.
async fn founder_above(
    node: &Client,
    network: &KnownNetwork,
    event: &VerifiedEvent,
) -> Result<Result<String, String>, Failure> {
    let mut names = Vec::new();
    let mut event = event.clone();
    for _ in 0..MAX_ENROLMENTS {
        let key = event.key();
        if network.has_founder(&key) {
            let founder = format!("founder {}", did_key(&key));
            let above: Vec<String> = names.into_iter().chain([founder]).collect();
            return Ok(Ok(above.join(", enrolled by ")));
        }
        let mut found = None;
        for id in event.payload().basis.clone() {
            if id == event.payload().network.as_event() {
                continue;
            }
            let basis = match fetch(node, &id).await? {
                Ok(basis) => basis,
                Err(reason) => return Ok(Err(reason)),
            };
            if let Some(body) = enrolment(&basis).filter(|body| body.key == key) {
                names.push(body.display_name.as_str().to_owned());
                found = Some(basis);
                break;
            }
        }
        match found {
            Some(enrolment) => event = enrolment,
            None => return Ok(Err(format!("nobody enrolled the key {key} on which the event rests"))),
        }
    }
    Ok(Err(format!("more than {MAX_ENROLMENTS} enrolments lie between the signer and a founder")))
}

fn enrolment(event: &SignedEvent) -> Option<&ActorEnrolled> {
    match &event.payload().body {
        Body::ActorEnrolled(body) => Some(body),
        _ => None,
    }
}

/// What an anchor of the node claims.
struct Claim {
    contract: Address,
    sender: Address,
    anchor: AnchorClaim,
}

impl Claim {
    fn read(anchor: &Value) -> Option<Self> {
        let text = |pointer: &str| anchor.pointer(pointer).and_then(Value::as_str);
        let content = Content {
            previous: text("/previous")?.parse::<Commitment>().ok()?,
            size: anchor.get("size")?.as_u64()?,
            log_root: hash(text("/log_root")?)?,
            state_root: hash(text("/state_root")?)?,
        };
        let tx_hash = text("/block/transaction")?.parse::<TxHash>().ok()?;
        let claim = AnchorClaim { chain_id: anchor.get("chain_id")?.as_u64()?, tx_hash, content };
        Some(Self { contract: text("/contract")?.parse().ok()?, sender: text("/sender")?.parse().ok()?, anchor: claim })
    }
}

fn included(id: &EventId, proof: &Value, content: &Content) -> Result<String, String> {
    let malformed = || "the node's proof of inclusion is malformed".to_owned();
    let index = proof.get("index").and_then(Value::as_u64).ok_or_else(malformed)?;
    let hashes = proof
        .get("proof")
        .and_then(Value::as_array)
        .filter(|list| list.len() <= MAX_PROOF_HASHES)
        .ok_or_else(malformed)?;
    let hashes: Option<Vec<[u8; 32]>> = hashes.iter().map(|text| hash(text.as_str()?)).collect();
    let hashes = hashes.ok_or_else(malformed)?;
    verify_inclusion(&leaf_hash(id.as_bytes()), index, content.size, &hashes, &content.log_root)
        .map_err(|error| format!("the proof of inclusion does not hold: {error}"))?;
    Ok(format!(
        "entry {index} of {}, by {} hashes to root {}",
        content.size,
        hashes.len(),
        HEXLOWER.encode(&content.log_root)
    ))
}

/// Looks for an enrolled node that names this chain, contract and sender as its own.
async fn enrolled_line(
    node: &Client,
    network: &KnownNetwork,
    claim: &Claim,
) -> Result<Result<String, String>, Failure> {
    let actors = node.all("/actors?limit=200", 100_000).await?;
    for actor in actors.iter().filter(|actor| actor.get("node").is_some_and(Value::is_object)) {
        let id = id_of(actor);
        let events = node.all(&format!("/actors/{id}/events?limit=200"), 10_000).await?;
        let own = events.iter().filter(|event| event.get("kind").and_then(Value::as_str) == Some("actor.updated"));
        let enrolled = actor
            .get("enrolment")
            .and_then(|enrolment| enrolment.as_str().or(enrolment.get("id").and_then(Value::as_str)));
        for event in own.map(id_of).chain(enrolled) {
            let Ok(event) = event.parse::<EventId>() else { continue };
            let Ok(event) = fetch(node, &event).await? else { continue };
            let details = node_details(&event);
            if details.is_some_and(|details| is_line(details, claim))
                && founder_above(node, network, &event).await?.is_ok()
            {
                return Ok(Ok(format!(
                    "{} is the account of an enrolled node, on chain {}",
                    claim.sender, claim.anchor.chain_id
                )));
            }
        }
    }
    Ok(Err(format!(
        "no enrolled node names {} as its account on chain {}; enrol the node with 'furrow actor enrol --this-node'",
        claim.sender, claim.anchor.chain_id
    )))
}

fn node_details(event: &SignedEvent) -> Option<&NodeDetails> {
    match &event.payload().body {
        Body::ActorEnrolled(body) => body.node.as_ref(),
        Body::ActorUpdated(body) => body.node.as_ref(),
        _ => None,
    }
}

fn is_line(details: &NodeDetails, claim: &Claim) -> bool {
    details.anchoring.is_some_and(|line| {
        line.chain_id == claim.anchor.chain_id
            && line.contract == *claim.contract.as_bytes()
            && line.sender == *claim.sender.as_bytes()
    })
}

fn hash(text: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

fn rfc3339(seconds: u64) -> String {
    let second = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    second.map_or_else(|| seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use provenance::merkle::node_hash;
    use serde_json::json;

    fn content(root: [u8; 32]) -> Content {
        Content { previous: Commitment::ZERO, size: 2, log_root: root, state_root: [0; 32] }
    }

    #[test]
    fn inclusion_is_computed_here() {
        let (first, second) = (EventId::from_bytes([1; 32]), EventId::from_bytes([2; 32]));
        let (left, right) = (leaf_hash(first.as_bytes()), leaf_hash(second.as_bytes()));
        let proof = json!({ "index": 1, "size": 2, "proof": [HEXLOWER.encode(&left)] });
        let root = node_hash(&left, &right);
        assert!(included(&second, &proof, &content(root)).is_ok());
        assert!(included(&first, &proof, &content(root)).is_err());
        assert!(included(&second, &proof, &content([9; 32])).is_err());
        assert!(included(&second, &json!({ "index": 1 }), &content(root)).is_err());
    }

    #[test]
    fn garbage_is_no_event() {
        assert!(verified(vec![0xd2, 0x84]).is_err());
    }
}
