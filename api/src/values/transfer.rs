//! Commands of the handover as JSON: offer, accept, refuse, cancel.

use super::produce::maybe;
use super::{PriceInput, QuantityInput, gln, text, timestamp, too_many};
use crate::problem::Problem;
use ledger::author::{AcceptTransfer, OfferLine, OfferTransfer, To};
use provenance::body::{AcceptedLine, Moves, TemperatureLimits};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Payload;
use provenance::value::Text;
use serde::Deserialize;
use utoipa::ToSchema;

/// An offer of one lot, whole or in part.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfferInput {
    /// How much; all of it unless given.
    quantity: Option<QuantityInput>,
    #[serde(rename = "to")]
    to: RecipientInput,
    /// possession, title or both; both unless given.
    #[schema(value_type = Option<String>, example = "both")]
    moves: Option<Moves>,
    price: Option<PriceInput>,
    #[serde(default)]
    seal_price: bool,
    #[schema(value_type = Option<String>)]
    carrier: Option<SubjectId>,
    #[schema(value_type = Option<String>)]
    from_place: Option<SubjectId>,
    #[schema(value_type = Option<String>)]
    to_place: Option<SubjectId>,
    temperature: Option<TemperatureInput>,
    expires: Option<String>,
    #[schema(value_type = Option<String>)]
    returns: Option<EventId>,
}

/// An offer of several lots.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfferLinesInput {
    /// What is offered.
    lines: Vec<OfferLineInput>,
    /// To whom.
    to: RecipientInput,
    /// possession, title or both; both unless given. Possession and title alone move whole lots, to an actor.
    #[schema(value_type = Option<String>, example = "both")]
    moves: Option<Moves>,
    /// For how much.
    price: Option<PriceInput>,
    /// Whether the price is sealed: only a commitment to it is published.
    #[serde(default)]
    seal_price: bool,
    /// Who carries it.
    #[schema(value_type = Option<String>)]
    carrier: Option<SubjectId>,
    /// From where: a place.
    #[schema(value_type = Option<String>)]
    from_place: Option<SubjectId>,
    /// To where: a place.
    #[schema(value_type = Option<String>)]
    to_place: Option<SubjectId>,
    /// How cold or warm on the way.
    temperature: Option<TemperatureInput>,
    /// Until when an answer is wished, RFC 3339.
    expires: Option<String>,
    /// The earlier transfer that this one takes back.
    #[schema(value_type = Option<String>)]
    returns: Option<EventId>,
}

/// A line of an offer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OfferLineInput {
    /// The lot.
    #[schema(value_type = String)]
    lot: SubjectId,
    /// How much; all of it unless given.
    quantity: Option<QuantityInput>,
}

/// To whom: exactly one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecipientInput {
    /// An actor of the network, who must accept.
    #[schema(value_type = Option<String>)]
    actor: Option<SubjectId>,
    /// A party outside the network, by its GLN.
    gln: Option<String>,
    /// A party outside the network, by name; sealed.
    name: Option<String>,
}

/// Between which temperatures, in hundredths of a degree Celsius.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TemperatureInput {
    /// Not colder.
    #[schema(example = 100)]
    min_centicelsius: i16,
    /// Not warmer.
    #[schema(example = 600)]
    max_centicelsius: i16,
}

impl OfferInput {
    /// The command for this lot, or what is wrong with it.
    pub(crate) fn read(self, lot: SubjectId) -> Result<OfferTransfer, Problem> {
        let quantity = self.quantity.as_ref().map(|quantity| quantity.read("quantity")).transpose()?;
        let terms = OfferLinesInput {
            lines: Vec::new(),
            to: self.to,
            moves: self.moves,
            price: self.price,
            seal_price: self.seal_price,
            carrier: self.carrier,
            from_place: self.from_place,
            to_place: self.to_place,
            temperature: self.temperature,
            expires: self.expires,
            returns: self.returns,
        };
        terms.with(vec![OfferLine { lot, quantity }])
    }
}

impl OfferLinesInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<OfferTransfer, Problem> {
        too_many("lines", self.lines.len(), Payload::MAX_TOUCHES)?;
        if self.lines.is_empty() {
            return Err(Problem::value("lines", "count", "An offer has at least one line. Name a lot."));
        }
        let line = |(index, line): (usize, &OfferLineInput)| {
            let quantity = line
                .quantity
                .as_ref()
                .map(|quantity| quantity.read(&format!("lines[{index}].quantity")))
                .transpose()?;
            Ok::<_, Problem>(OfferLine { lot: line.lot, quantity })
        };
        let lines = self.lines.iter().enumerate().map(line).collect::<Result<_, _>>()?;
        self.with(lines)
    }

    fn with(self, lines: Vec<OfferLine>) -> Result<OfferTransfer, Problem> {
        Ok(OfferTransfer {
            lines,
            to: self.to.read()?,
            carrier: self.carrier,
            from_place: self.from_place,
            to_place: self.to_place,
            temperature: self.temperature.as_ref().map(|limits| limits.read("temperature")).transpose()?,
            price: self.price.as_ref().map(|price| price.read("price")).transpose()?,
            seal_price: self.seal_price,
            expires: self.expires.as_deref().map(|expires| timestamp(expires, "expires")).transpose()?,
            returns: self.returns,
            moves: self.moves.unwrap_or(Moves::Both),
        })
    }
}

impl RecipientInput {
    fn read(&self) -> Result<To, Problem> {
        match (self.actor, self.gln.as_deref(), self.name.as_deref()) {
            (Some(actor), None, None) => Ok(To::Actor(actor)),
            (None, Some(value), None) => gln(value, "to.gln").map(To::OutsideGln),
            (None, None, Some(name)) => text(name, "to.name").map(To::OutsideName),
            _ => Err(Problem::value("to", "one_of", "Name the recipient in one way: actor, gln or name.")),
        }
    }
}

impl TemperatureInput {
    /// The limits, or what is wrong with them.
    pub(super) fn read(&self, field: &str) -> Result<TemperatureLimits, Problem> {
        let (min_centicelsius, max_centicelsius) = (self.min_centicelsius, self.max_centicelsius);
        if min_centicelsius > max_centicelsius {
            return Err(Problem::value(
                field,
                "end_before_start",
                "The lower limit is above the upper one. Exchange them.",
            ));
        }
        Ok(TemperatureLimits { min_centicelsius, max_centicelsius })
    }
}

/// The acceptance of an offer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptanceInput {
    /// One answer for each line of the offer, in its order; all received unless given.
    lines: Option<Vec<AcceptedLineInput>>,
}

/// The answer to one line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptedLineInput {
    /// Taken over.
    received: QuantityInput,
    /// Given back.
    rejected: Option<QuantityInput>,
    /// Not there any more.
    lost: Option<QuantityInput>,
    /// Why not all was received.
    reason: Option<String>,
}

impl AcceptanceInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(&self, offer: EventId) -> Result<AcceptTransfer, Problem> {
        let Some(lines) = &self.lines else { return Ok(AcceptTransfer { offer, lines: None }) };
        too_many("lines", lines.len(), Payload::MAX_TOUCHES)?;
        let line = |(index, line): (usize, &AcceptedLineInput)| {
            let quantity = |given: &Option<QuantityInput>, name| {
                given.as_ref().map(|quantity| quantity.read(&format!("lines[{index}].{name}"))).transpose()
            };
            Ok::<_, Problem>(AcceptedLine {
                received: line.received.read(&format!("lines[{index}].received"))?,
                rejected: quantity(&line.rejected, "rejected")?,
                lost: quantity(&line.lost, "lost")?,
                reason: maybe(line.reason.as_deref(), &format!("lines[{index}].reason"))?,
            })
        };
        Ok(AcceptTransfer { offer, lines: Some(lines.iter().enumerate().map(line).collect::<Result<_, _>>()?) })
    }
}

/// A refusal or cancellation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerInput {
    /// Why.
    reason: Option<String>,
}

impl AnswerInput {
    /// Why.
    pub(crate) fn reason(&self) -> Result<Option<Text<512>>, Problem> {
        maybe(self.reason.as_deref(), "reason")
    }
}
