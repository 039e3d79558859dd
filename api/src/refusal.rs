//! Why the ledger did not take an event, as problems that name field and rule.

use crate::problem::{Code, Problem, sentence};
use ledger::author::AuthorError;
use ledger::{LogError, Outcome, Reader, ReceiptError, Refusal, WriteError};
use provenance::admission::{Ancestry, Hold, Reject, Rule};
use provenance::cbor::CborError;
use provenance::event::{DecodeError, SignedEvent};
use provenance::id::EventId;
use provenance::payload::StructureError;
use provenance::signature::SignatureError;

/// The problem behind an outcome; none where the event is in the log. `bytes` are those that were sent.
pub(crate) fn of_outcome(outcome: &Outcome, bytes: &[u8], reader: &Reader) -> Option<Problem> {
    match outcome {
        Outcome::Admitted { .. } | Outcome::Known { index: Some(_), .. } => None,
        Outcome::Known { index: None, .. } => {
            let detail = "The event is known and against the rules; it is kept only as a link of its signer's journal. Sign a right one.";
            Some(Problem::new(Code::RuleBroken, detail).rule("void"))
        }
        Outcome::Held { hold, .. } => Some(held(hold, bytes)),
        Outcome::Void { rule, .. } => Some(void(*rule, bytes, reader)),
        Outcome::Rejected(refusal) => Some(rejected(refusal)),
        Outcome::Unavailable(error) => Some(storage(error)),
    }
}

/// The storage fails. The caller learns what to do, the log the rest.
pub(crate) fn storage(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "the storage failed while a request was served");
    let detail = format!(
        "The node's storage fails: {error}. Nothing of this request was stored. Try again later, and tell the node's operator."
    );
    Problem::new(Code::Storage, detail)
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        let code = match error {
            WriteError::Closed => Code::Overloaded,
            WriteError::Recovering => Code::Recovering,
        };
        Self::new(code, sentence(&error.to_string()))
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Range { .. } => Self::new(Code::NotFound, sentence(&error.to_string())).rule("range"),
            LogError::MapBehind { .. } => Self::new(Code::Overloaded, sentence(&error.to_string())).rule("map_behind"),
            LogError::NoKey => Self::new(Code::NotFound, sentence(&error.to_string())),
            LogError::Store(error) => storage(error),
        }
    }
}

impl From<ReceiptError> for Problem {
    fn from(error: ReceiptError) -> Self {
        let detail = sentence(&error.to_string());
        match error {
            ReceiptError::Log(error) => error.into(),
            ReceiptError::NoEntry(_) => Self::new(Code::NotFound, detail).rule("entry"),
            ReceiptError::NotCovered { .. } => Self::new(Code::NotFound, detail).rule("not_covered"),
            ReceiptError::Receipt(_) => {
                let detail = format!("{detail} Ask for the receipt between two different sizes.");
                Self::new(Code::MalformedQuery, detail).rule("proof")
            }
        }
    }
}

impl From<AuthorError> for Problem {
    fn from(error: AuthorError) -> Self {
        let detail = sentence(&error.to_string());
        let problem = match &error {
            AuthorError::KeyNotKept { .. } => Self::new(Code::KeyNotKept, detail).rule("key_not_kept"),
            AuthorError::UnknownActor { .. } => Self::new(Code::InvalidValue, detail).rule("unknown_actor"),
            AuthorError::UnknownPlace { .. } => Self::new(Code::InvalidValue, detail).rule("unknown_place"),
            AuthorError::UnknownLot { .. } => Self::new(Code::InvalidValue, detail).rule("unknown_lot"),
            AuthorError::UnknownEvent { .. } => Self::new(Code::InvalidValue, detail).rule("unknown_event"),
            AuthorError::NoSuchOffer { .. } => Self::new(Code::InvalidValue, detail).rule("not_an_offer"),
            AuthorError::Disputed { .. } => Self::new(Code::Conflict, detail).rule("disputed"),
            AuthorError::JournalForked { .. } => Self::new(Code::Conflict, detail).rule("journal_forked"),
            AuthorError::JournalUnconfirmed { .. } => Self::new(Code::Conflict, detail).rule("journal_unconfirmed"),
            AuthorError::Recovering => WriteError::Recovering.into(),
            AuthorError::Stale { present } => {
                Self::new(Code::Stale, detail).rule("expected_tips").present(present.iter().copied().collect())
            }
            AuthorError::ForeignPersonalName => Self::new(Code::InvalidValue, detail).rule("foreign_personal_name"),
            AuthorError::Rule(rule) => Self::broken(*rule).field(of_command(*rule)),
            AuthorError::Correction(_) => Self::new(Code::RuleBroken, detail).rule("correction"),
            AuthorError::Value(_) | AuthorError::Structure(_) => Self::new(Code::InvalidValue, detail),
            AuthorError::Refused(refusal) => rejected(refusal),
            AuthorError::Held(hold) => held(hold, &[]),
            AuthorError::Keystore(_) => {
                tracing::error!(%error, "the keystore failed while a command was carried out");
                Self::new(Code::Internal, detail)
            }
            AuthorError::Store(error) | AuthorError::Unavailable(error) => storage(error),
            AuthorError::Closed => Self::new(Code::Overloaded, detail),
            AuthorError::KeyEnded { .. } => Self::new(Code::KeyNotKept, detail).rule("key_ended"),
            AuthorError::NoLivingKey { .. } => Self::new(Code::Conflict, detail).rule("no_living_key"),
            AuthorError::ForkedEnd { .. } => Self::new(Code::Conflict, detail).rule("forked_end"),
            AuthorError::NotSignedBy { .. } => Self::new(Code::InvalidValue, detail).rule("not_signed_by"),
            AuthorError::UnknownSubject { .. } => Self::new(Code::InvalidValue, detail).rule("unknown_subject"),
            AuthorError::NotResolver { .. } => Self::new(Code::RuleBroken, detail).rule("not_resolver"),
            AuthorError::NoConflict { .. } => Self::new(Code::InvalidValue, detail).rule("no_conflict"),
            AuthorError::NoSuchAmendment { .. } => Self::new(Code::InvalidValue, detail).rule("amendment"),
            AuthorError::NoSuchRecall { .. } => Self::new(Code::InvalidValue, detail).rule("recall"),
            AuthorError::NoSuchCertificate { .. } => Self::new(Code::InvalidValue, detail).rule("certificate"),
            AuthorError::NoFounder { .. } => Self::new(Code::InvalidValue, detail).rule("founder"),
        };
        match (&error, error.field()) {
            (AuthorError::Rule(_), _) | (_, None) => problem,
            (_, Some(field)) => problem.field(field),
        }
    }
}

/// The field of a command that leads to an event which breaks the rule.
fn of_command(rule: Rule) -> &'static str {
    match rule {
        Rule::NotHolder
        | Rule::Role
        | Rule::Signer
        | Rule::Journal
        | Rule::NotAddressee
        | Rule::NotOfferer
        | Rule::NotAbove => "actor",
        Rule::OfferOpen | Rule::LotClosed | Rule::LaneFork | Rule::Conflict | Rule::Touches | Rule::Prev => "lot",
        rule => rule.field().strip_prefix("body.").unwrap_or(rule.field()),
    }
}

/// A rule that a signed event breaks. A journal link that is not the newest is stale; one of a key that never signed
/// here is wrong.
fn void(rule: Rule, bytes: &[u8], reader: &Reader) -> Problem {
    let present = present(rule, bytes, reader);
    let problem = Problem::broken(rule);
    let problem = if rule == Rule::Journal && !present.is_empty() { problem.with_code(Code::Stale) } else { problem };
    problem.present(present)
}

/// What a signer should have built on, where its event did not go on from the present state.
fn present(rule: Rule, bytes: &[u8], reader: &Reader) -> Vec<EventId> {
    let Ok(event) = SignedEvent::decode(bytes.to_vec()) else { return Vec::new() };
    match rule {
        Rule::Journal => {
            let heads = reader.journal_heads(&event.key()).unwrap_or_default();
            heads.into_iter().map(|head| head.event).collect()
        }
        Rule::LaneFork | Rule::Prev | Rule::OfferOpen | Rule::LotClosed => {
            let touches = event.payload().touches.iter().filter_map(|touch| Some((touch.subject?, touch.lane)));
            touches.flat_map(|(subject, lane)| reader.lane_tips(&subject, lane).unwrap_or_default()).collect()
        }
        _ => Vec::new(),
    }
}

fn rejected(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Decode(error) => undecodable(error),
        Refusal::Signature(error) => unsigned(*error),
        Refusal::Network(error @ Reject::Network { .. }) => {
            let detail = sentence(&format!("{error}; send it to a node of its own network"));
            Problem::new(Code::WrongNetwork, detail).field("network").rule("network")
        }
    }
}

fn held(hold: &Hold, bytes: &[u8]) -> Problem {
    match hold {
        Hold::Missing(missing) => {
            let detail = sentence(&format!(
                "{hold}; send those first, or in one sequence with it. If they are the signer's enrolment, the signer is unknown in this network"
            ));
            Problem::new(Code::MissingAncestors, detail)
                .field(naming(missing, bytes))
                .rule("known_ancestors")
                .missing(missing.clone())
        }
        Hold::Unsupported(what) => {
            let detail = format!("This node has no rules for {what} yet. Send it again when the node was upgraded.");
            Problem::new(Code::NotYetSupported, detail).field("kind").rule("supported")
        }
    }
}

/// The field of the event that names one of these ids.
fn naming(missing: &[EventId], bytes: &[u8]) -> &'static str {
    let Ok(event) = SignedEvent::decode(bytes.to_vec()) else { return "event" };
    let payload = event.payload();
    if missing.contains(&payload.journal) {
        "journal"
    } else if payload.basis.iter().any(|id| missing.contains(id)) {
        "basis"
    } else if payload.touches.iter().flat_map(|touch| &touch.prev).any(|id| missing.contains(id)) {
        "touches.prev"
    } else {
        "body"
    }
}

fn undecodable(error: &DecodeError) -> Problem {
    let (code, field, rule) = match error {
        DecodeError::TooLarge(_) => (Code::TooLarge, "event", "event_size"),
        DecodeError::Envelope(_) => (Code::MalformedEvent, "envelope", "cose_sign1"),
        DecodeError::Payload(_) => (Code::MalformedEvent, "payload", "payload_format"),
        DecodeError::Form(CborError::NotDeterministic) => (Code::MalformedEvent, "event", "deterministic_cbor"),
        DecodeError::Form(_) => (Code::MalformedEvent, "event", "cbor"),
        DecodeError::Structure(error) => {
            let (field, rule) = match error {
                StructureError::Count { field, .. } => (*field, "count"),
                StructureError::Order(field) => (*field, "ascending"),
                StructureError::RepeatedLane => ("touches", "repeated_lane"),
                StructureError::CreatedWithPast => ("touches", "created_with_past"),
                StructureError::NoPrev => ("touches.prev", "no_prev"),
            };
            (Code::MalformedEvent, field, rule)
        }
        DecodeError::NewerVersion { .. } => (Code::NotYetSupported, "version", "supported"),
    };
    Problem::new(code, sentence(&error.to_string())).field(field).rule(rule)
}

fn unsigned(error: SignatureError) -> Problem {
    let (field, rule) = match error {
        SignatureError::Key => ("kid", "key"),
        SignatureError::Signature => ("signature", "signature"),
    };
    Problem::new(Code::InvalidSignature, sentence(&error.to_string())).field(field).rule(rule)
}
