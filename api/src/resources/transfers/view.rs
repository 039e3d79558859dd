//! The representation of a handover: an offer together with its answer.

use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::names::{Names, Party, PlaceName};
use crate::problem::Problem;
use crate::proof_state::{ProofState, Proofs};
use crate::refusal::storage;
use crate::state::ApiState;
use ledger::view::{TransferLine, TransferRow, TransferState};
use provenance::body::{AcceptedLine, Moves, Recipient, TemperatureLimits};
use provenance::id::{EventId, SubjectId};
use provenance::seal::Sealable;
use provenance::value::{Gln, Price, Quantity, Text, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// A handover. Its id is that of the offer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct TransferView {
    /// The offer's event.
    #[schema(value_type = String)]
    pub(crate) id: EventId,
    /// open, accepted, declined, cancelled, or `one_sided` where it went to a party outside the network.
    #[schema(value_type = String, example = "open")]
    state: TransferState,
    /// Whether it is one of several events that cannot all stand.
    disputed: bool,
    /// Who hands over.
    from: Party,
    /// To whom.
    to: RecipientView,
    /// What passes: possession, title or both.
    #[schema(value_type = String, example = "both")]
    moves: Moves,
    /// What is handed over.
    lines: Vec<LineView>,
    /// For how much, or the commitment to a sealed price.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    price: Option<Sealable<Price>>,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<Party>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_place: Option<PlaceName>,
    /// To where.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_place: Option<PlaceName>,
    /// How cold or warm on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    temperature: Option<TemperatureLimits>,
    /// Until when an answer is wished.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    expires: Option<Timestamp>,
    /// The earlier transfer that it takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    returns: Option<EventId>,
    /// The signatures on it: one of the offer, one of the answer.
    signatures: Vec<SignatureView>,
    /// Events that corrected the offer.
    #[schema(value_type = Vec<String>)]
    corrections: Vec<EventId>,
}

/// To whom a handover goes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecipientView {
    /// An actor of the network.
    Actor(Party),
    /// A party outside, by its GLN.
    #[schema(value_type = String)]
    Gln(Gln),
    /// A party outside, by name or the commitment to it.
    #[schema(value_type = Object)]
    Name(Sealable<Text<128>>),
}

/// One line of a handover.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct LineView {
    /// The lot from which it is taken.
    #[schema(value_type = String)]
    lot: SubjectId,
    /// What passes: the same lot, or the part-lot that was taken from it.
    #[schema(value_type = String)]
    item: SubjectId,
    /// How much is offered.
    #[schema(value_type = Object)]
    quantity: Quantity,
    /// What the addressee received, rejected and missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    answer: Option<AcceptedLine>,
    /// The part-lot that went back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    returned: Option<SubjectId>,
}

/// A signature on a handover.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct SignatureView {
    /// The event that bears it.
    #[schema(value_type = String)]
    event: EventId,
    /// What it tells: transfer.offered, transfer.accepted and so on.
    kind: String,
    /// Who signed.
    signer: Party,
    /// When.
    #[schema(value_type = String)]
    time: Timestamp,
    /// How well it is proven.
    proof: Option<ProofState>,
}

/// The handover with its links, and its actions for a caller who may write.
pub(crate) fn resource(
    state: &ApiState,
    names: &Names,
    proofs: &Proofs<'_>,
    row: TransferRow,
    may_write: bool,
) -> Result<Resource<TransferView>, Problem> {
    let to = match row.recipient {
        Recipient::Actor(actor) => RecipientView::Actor(names.actor(&actor)?),
        Recipient::OutsideGln(gln) => RecipientView::Gln(gln),
        Recipient::OutsideName(name) => RecipientView::Name(name),
    };
    let place = |place: Option<SubjectId>| place.map(|place| names.place(&place)).transpose();
    let mut signatures = Vec::new();
    for event in std::iter::once(&row.id).chain(&row.answers) {
        signatures.extend(signature(state, names, proofs, event)?);
    }
    let view = TransferView {
        id: row.id,
        state: row.state,
        disputed: row.disputed,
        from: names.actor(&row.offerer)?,
        to,
        moves: row.moves,
        lines: row.lines.into_iter().map(line).collect(),
        price: row.price,
        carrier: row.carrier.map(|carrier| names.actor(&carrier)).transpose()?,
        from_place: place(row.from_place)?,
        to_place: place(row.to_place)?,
        temperature: row.temperature,
        expires: row.expires,
        returns: row.returns,
        signatures,
        corrections: row.corrections,
    };
    let links = links_of(&view);
    let offerer_kept = state.keeps(&view.from.id);
    let addressee_kept = matches!(&view.to, RecipientView::Actor(to) if state.keeps(&to.id));
    let (id, open) = (view.id, view.state == TransferState::Open);
    let resource = Resource::new(view, links);
    Ok(if may_write && open { answers(resource, &id, addressee_kept, offerer_kept) } else { resource })
}

/// The answers that an open offer may get from the actors whose keys this node keeps.
pub(crate) fn answers<T>(
    resource: Resource<T>,
    offer: &EventId,
    addressee_kept: bool,
    offerer_kept: bool,
) -> Resource<T> {
    let mut resource = resource;
    if addressee_kept {
        resource = resource
            .offering(
                Action::new("accept", "Accept the handover", "POST", links::acceptance(offer))
                    .takes("lines", "What was received, rejected and lost, line by line; all received unless given"),
            )
            .offering(
                Action::new("decline", "Refuse the handover", "POST", links::refusal(offer)).takes("reason", "Why"),
            );
    }
    if offerer_kept {
        resource = resource.offering(
            Action::new("cancel", "Take the offer back", "POST", links::cancellation(offer)).takes("reason", "Why"),
        );
    }
    resource
}

fn links_of(view: &TransferView) -> Links {
    let links = Links::to_self(links::transfer(&view.id)).and("collection", links::transfers()).titled(
        "from",
        links::actor(&view.from.id),
        view.from.name.clone(),
    );
    let links = match &view.to {
        RecipientView::Actor(to) => links.titled("to", links::actor(&to.id), to.name.clone()),
        RecipientView::Gln(_) | RecipientView::Name(_) => links,
    };
    links
        .many("lot", view.lines.iter().map(|line| (links::produce(&line.lot), None)))
        .many("item", view.lines.iter().map(|line| (links::produce(&line.item), None)))
        .many(
            "event",
            view.signatures.iter().map(|signature| (links::event(&signature.event), Some(signature.kind.clone()))),
        )
        .and_maybe("returns", view.returns.as_ref().map(links::transfer))
}

fn line(line: TransferLine) -> LineView {
    LineView { lot: line.lot, item: line.item, quantity: line.offered, answer: line.answer, returned: line.returned }
}

fn signature(
    state: &ApiState,
    names: &Names,
    proofs: &Proofs<'_>,
    event: &EventId,
) -> Result<Option<SignatureView>, Problem> {
    let Some(stored) = state.ledger.reader().stored(event).map_err(storage)? else { return Ok(None) };
    let payload = stored.judged.event.payload();
    Ok(Some(SignatureView {
        event: *event,
        kind: crate::resources::events::view::kind_name(&payload.body),
        signer: names.actor(&stored.judged.judgement.actor)?,
        time: payload.time,
        proof: stored.index.map(|index| proofs.at(index)),
    }))
}
