//! Values as JSON writes them, and their reading into values that are valid: a failure names field and rule.

mod actor;
mod attestation;
mod command;
mod correction;
mod goods;
mod key;
mod network;
mod place;
mod produce;
mod scalars;
mod transfer;

pub(crate) use actor::{ActorChangeInput, EnrolmentInput};
pub(crate) use attestation::{
    AttachmentInput, CertificateInput, CertificateStatusInput, ConditionInput, ConfirmationInput, DetachmentInput,
    DisputeInput, InspectionInput, RecallChangeInput, RecallEndInput, RecallInput,
};
pub(crate) use command::{Command, NothingInput};
pub(crate) use correction::replacement;
pub(crate) use goods::{
    CollectionInput, ContentsInput, HandlingInput, PackingInput, TransformationInput, UnpackingInput,
};
pub(crate) use key::{KeyAdditionInput, ReplacementInput, RevocationInput, RotationInput};
pub(crate) use network::{AmendmentInput, DecisionInput};
pub(crate) use place::{PlaceChangeInput, PlaceInput};
pub(crate) use produce::{CodesInput, ProduceChangeInput, ProduceInput, RetirementInput};
pub(crate) use scalars::{
    CoordinatesInput, GradeInput, LangTextInput, PriceInput, QuantityInput, gln, gs1_prefixes, hex, text, timestamp,
};
pub(crate) use transfer::{AcceptanceInput, AnswerInput, OfferInput, OfferLinesInput};

use crate::problem::{Problem, sentence};
use provenance::value::ValueError;

/// A value that breaks a rule of its field.
pub(crate) fn refused(field: &str, error: &ValueError) -> Problem {
    Problem::value(field, rule(error), sentence(&error.to_string()))
}

/// A list that is longer than an event can hold.
pub(crate) fn too_many(field: &str, found: usize, max: usize) -> Result<(), Problem> {
    if found <= max {
        return Ok(());
    }
    Err(Problem::value(
        field,
        "count",
        format!("The list has {found} entries; at most {max} are allowed. Leave the others out."),
    ))
}

/// Stable names of the rules of values.
fn rule(error: &ValueError) -> &'static str {
    match error {
        ValueError::Latitude(_) => "latitude",
        ValueError::Longitude(_) => "longitude",
        ValueError::NegativeAmount(_) => "negative_amount",
        ValueError::AmountRange => "amount_range",
        ValueError::Currency(_) => "currency",
        ValueError::Unit(_) => "unit_code",
        ValueError::Scale(_) => "decimal_places",
        ValueError::UnitMismatch(..) => "unit",
        ValueError::QuantityRange => "quantity_range",
        ValueError::Number(_) | ValueError::SignedNumber(_) => "decimal",
        ValueError::Grade(_) => "grade",
        ValueError::Gs1Digits { .. } => "gs1_digits",
        ValueError::Gs1CheckDigit { .. } => "gs1_check_digit",
        ValueError::Text { .. } => "text",
        ValueError::LanguageTag(_) => "language_tag",
        ValueError::Entries(_) => "entries",
        ValueError::Date(_) => "date",
        ValueError::EndBeforeStart => "end_before_start",
        ValueError::Timestamp(_) => "timestamp",
        ValueError::UtcOffset(_) => "utc_offset",
    }
}
