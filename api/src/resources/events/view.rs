//! The representation of an event: who says what, on what it rests, and how well it is proven.

use crate::hal::{Links, Resource};
use crate::links;
use crate::names::{Names, Party};
use crate::problem::Problem;
use crate::proof_state::{ProofState, Proofs};
use ledger::Stored;
use provenance::admission::Standing;
use provenance::body::Body;
use provenance::event::SignedEvent;
use provenance::id::{EventId, PublicKey, SubjectId};
use provenance::kind::Kind;
use provenance::payload::{Lane, Reference};
use provenance::value::{Occurred, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A signed event.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// SHA-256 of its signed bytes.
    #[schema(value_type = String)]
    pub(crate) id: EventId,
    /// What it tells.
    #[schema(example = "produce.registered")]
    kind: String,
    /// When it was signed, by the signer's clock.
    #[schema(value_type = String)]
    pub(crate) time: Timestamp,
    /// When that of which it tells took place, if at another time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    occurred: Option<Occurred>,
    /// The actor whose key signed.
    pub(crate) signer: Party,
    /// The key that signed.
    #[schema(value_type = String)]
    key: PublicKey,
    /// The actor for whom it is told, if it is not the signer.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<Party>,
    /// Who typed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    captured_by: Option<Party>,
    /// The key's previous event.
    #[schema(value_type = String)]
    journal: EventId,
    /// What it extends, subject by subject.
    touches: Vec<TouchView>,
    /// Subjects that it creates.
    #[schema(value_type = Vec<String>)]
    created: Vec<SubjectId>,
    /// Other events on which the signer's right rests.
    #[schema(value_type = Vec<String>)]
    basis: Vec<EventId>,
    /// What it says, by kind.
    #[schema(value_type = Object)]
    body: Value,
    /// What it says after the corrections that were made to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    corrected: Option<Value>,
    /// The values of sealed fields, by name, as far as this node was given them. Shown only with the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) opened: Option<Value>,
    /// Business documents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>, required = false)]
    refs: Vec<Reference>,
    /// A final anchor that the signer had seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// URI → anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    extensions: Option<Value>,
    /// Where it stands in this node's log; none for a void event.
    log_index: Option<u64>,
    /// How well it is proven; none for a void event.
    proof: Option<ProofState>,
    /// The rule that it breaks, if it is void: kept only as a link of its signer's journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    void: Option<&'static str>,
}

/// What an event is to one subject.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct TouchView {
    /// The subject.
    #[schema(value_type = String)]
    subject: SubjectId,
    /// `main`, `title`, or the id of the actor that attests.
    lane: String,
    /// The events of that lane that it extends.
    #[schema(value_type = Vec<String>)]
    prev: Vec<EventId>,
}

/// Represents an event; `corrected` is what it says after corrections, where there were any.
pub(crate) fn view(
    stored: &Stored,
    corrected: Option<&Body>,
    names: &Names,
    proofs: &Proofs<'_>,
) -> Result<EventView, Problem> {
    let (event, judgement) = (&stored.judged.event, &stored.judged.judgement);
    let payload = event.payload();
    let party = |actor: &Option<SubjectId>| actor.as_ref().map(|actor| names.actor(actor)).transpose();
    Ok(EventView {
        id: event.id(),
        kind: kind_name(&payload.body),
        time: payload.time,
        occurred: payload.occurred,
        signer: names.actor(&judgement.actor)?,
        key: event.key(),
        on_behalf_of: party(&payload.on_behalf_of)?,
        captured_by: party(&payload.captured_by)?,
        journal: payload.journal,
        touches: touches(event),
        created: payload.created().map(|index| event.id().subject(index)).collect(),
        basis: payload.basis.clone(),
        body: json_of(&payload.body),
        corrected: corrected.map(json_of),
        opened: None,
        refs: payload.refs.clone().unwrap_or_default(),
        after: payload.after.map(|after| {
            json!({"chain_id": after.chain_id, "commitment": format!("0x{}", data_encoding::HEXLOWER.encode(&after.commitment))})
        }),
        extensions: payload.extensions.as_ref().map(json_of),
        log_index: stored.index,
        proof: stored.index.map(|index| proofs.at(index)),
        void: match judgement.standing {
            Standing::Admitted => None,
            Standing::Void(rule) => Some(rule.code()),
        },
    })
}

/// The event with its links.
pub(crate) fn resource(view: EventView, stored: &Stored) -> Resource<EventView> {
    let links = event_links(stored, &view);
    Resource::new(view, links)
}

pub(crate) fn event_links(stored: &Stored, view: &EventView) -> Links {
    let id = view.id;
    let mut links = Links::to_self(links::event(&id))
        .typed("cose", links::event_bytes(&id), "application/cose")
        .titled("signer", links::actor(&view.signer.id), view.signer.name.clone());
    if stored.index.is_some() {
        links = links
            .and("inclusion", links::inclusion(&id))
            .typed("receipt", links::receipt(&id), "application/cose")
            .typed("statement", links::statement(&id), "application/scitt-statement+cose")
            .and("corrections", links::corrections(&id));
    }
    if view.opened.is_some() {
        links = links.and("openings", links::openings(&id));
    }
    if let Some(anchor) = view.proof.and_then(|proof| proof.anchor) {
        links = links.and("anchor", links::anchor(anchor));
    }
    let body = &stored.judged.event.payload().body;
    let subjects = || view.touches.iter().map(|touch| touch.subject);
    match body.kind() {
        Some(
            Kind::ActorEnrolled
            | Kind::ActorUpdated
            | Kind::ActorKeyAdded
            | Kind::ActorKeyRotated
            | Kind::ActorKeyReplaced
            | Kind::ActorRevoked
            | Kind::DeviceAttached
            | Kind::DeviceDetached,
        ) => links.many("actor", subjects().map(|id| (links::actor(&id), None))),
        Some(Kind::NetworkAmended | Kind::NetworkApproved) => links.and("network", links::network()),
        Some(Kind::CertificateIssued | Kind::CertificateStatus) => {
            links.many("certificate", subjects().map(|id| (links::certificate(&id), None)))
        }
        Some(Kind::PlaceRegistered) => links.many("place", subjects().map(|id| (links::place(&id), None))),
        Some(Kind::EventCorrected | Kind::EventConfirmed | Kind::EventDisputed) => match body {
            Body::EventCorrected(correction) => links.and("corrects", links::event(&correction.target)),
            Body::EventConfirmed(statement) => links.and("confirms", links::event(&statement.target)),
            Body::EventDisputed(statement) => links.and("disputes", links::event(&statement.target)),
            _ => links,
        },
        Some(_) => {
            let transfer = match body {
                Body::TransferOffered(_) => Some(id),
                Body::TransferAccepted(answer) => Some(answer.offer),
                Body::TransferDeclined(answer) | Body::TransferCancelled(answer) => Some(answer.offer),
                _ => None,
            };
            let recall = match body {
                Body::RecallIssued(_) => Some(id),
                Body::RecallUpdated(told) => Some(told.recall),
                Body::RecallEnded(told) => Some(told.recall),
                _ => None,
            };
            links
                .many("produce", subjects().map(|id| (links::produce(&id), None)))
                .and_maybe("recall", recall.map(|id| links::recall(&id)))
                .and_maybe("transfer", transfer.map(|id| links::transfer(&id)))
        }
        None => links,
    }
}

/// The kind's name; its number, where this program does not know it.
pub(crate) fn kind_name(body: &Body) -> String {
    body.kind().map_or_else(|| format!("kind {}", body.kind_number()), |kind| kind.name().to_owned())
}

/// A lane as text.
pub(crate) fn lane_name(lane: Lane) -> String {
    match lane {
        Lane::Main => "main".to_owned(),
        Lane::Title => "title".to_owned(),
        Lane::Attester(actor) => actor.to_string(),
    }
}

/// As JSON, without the fields that are not there.
pub(crate) fn json_of(value: &impl Serialize) -> Value {
    let mut json = serde_json::to_value(value).expect("values of events have text keys and no floats that JSON lacks");
    drop_nulls(&mut json);
    json
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.retain(|_, value| !value.is_null());
            entries.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn touches(event: &SignedEvent) -> Vec<TouchView> {
    let touch = |(index, touch): (usize, &provenance::payload::Touch)| TouchView {
        subject: event.subject(index).expect("the touch exists"),
        lane: lane_name(touch.lane),
        prev: touch.prev.clone(),
    };
    event.payload().touches.iter().enumerate().map(touch).collect()
}
