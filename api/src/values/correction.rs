//! Replacement values of a correction: JSON as the command for such an event takes it, by the kind of its target.

use super::place::DocumentInput;
use super::produce::{CodesInput, CommodityInput, DatesInput};
use super::transfer::TemperatureInput;
use super::{CoordinatesInput, GradeInput, LangTextInput, PriceInput, QuantityInput, gln, text, timestamp, too_many};
use crate::extract::from_value;
use crate::problem::{Code, Problem};
use ledger::author::{any, correctable_field};
use provenance::body::Body;
use provenance::cbor::Any;
use provenance::id::SubjectId;
use provenance::kind::Kind;
use provenance::value::{Coordinates, Text};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Most places or claims of a lot.
const MAX_LIST: usize = 16;

/// Number and value of a field that corrects an event with the body `target`.
pub(crate) fn replacement(target: &Body, name: &str, value: Value) -> Result<(u8, Any), Problem> {
    let field = format!("replacement.{name}");
    let number = target.kind().and_then(|kind| correctable_field(kind, name)).ok_or_else(|| {
        let kind = target.kind().map_or("this kind", Kind::name);
        let detail =
            format!("A field '{name}' of {kind} cannot be corrected. Only what describes can be, not who holds what.");
        Problem::new(Code::RuleBroken, detail).field(field.clone()).rule("correction")
    })?;
    Ok((number, read_field(name, value, &field)?))
}

/// Fields of one name are of one type in all kinds.
fn read_field(name: &str, value: Value, field: &str) -> Result<Any, Problem> {
    Ok(match name {
        "name" => any(&of::<LangTextInput>(value, field)?.read(field)?),
        "commodity" => any(&of::<CommodityInput>(value, field)?.read(field)?),
        "variety" | "harvester" => any(&text::<128>(&of::<String>(value, field)?, field)?),
        "quantity" => any(&of::<QuantityInput>(value, field)?.read(field)?),
        "reason" | "remark" => any(&text::<512>(&of::<String>(value, field)?, field)?),
        "place_type" | "step" => any(&text::<64>(&of::<String>(value, field)?, field)?),
        "country" => any(&text::<2>(&of::<String>(value, field)?, field)?),
        "places" => {
            let mut places = of::<Vec<SubjectId>>(value, field)?;
            too_many(field, places.len(), MAX_LIST)?;
            places.sort_unstable();
            any(&places)
        }
        "claims" => {
            let claims = of::<Vec<String>>(value, field)?;
            too_many(field, claims.len(), MAX_LIST)?;
            let mut claims = claims.iter().map(|claim| text(claim, field)).collect::<Result<Vec<Text<128>>, _>>()?;
            claims.sort_unstable();
            any(&claims)
        }
        "harvested" => any(&of::<DatesInput>(value, field)?.read(field)?),
        "grade" => any(&of::<GradeInput>(value, field)?.read(field)?),
        "codes" => any(&of::<CodesInput>(value, field)?.read(field)?),
        "price" => any(&of::<PriceInput>(value, field)?.read(field)?),
        "gln" => any(&gln(&of::<String>(value, field)?, field)?),
        "point" => any(&Coordinates::to_open(of::<CoordinatesInput>(value, field)?.read(field)?)),
        "exact_point" => any(&of::<CoordinatesInput>(value, field)?.read(field)?),
        "outline" => any(&of::<DocumentInput>(value, field)?.read(field)?),
        "area_m2" => any(&of::<u64>(value, field)?),
        "place" | "carrier" | "from_place" | "to_place" | "parent" => any(&of::<SubjectId>(value, field)?),
        "temperature" => any(&of::<TemperatureInput>(value, field)?.read(field)?),
        "expires" => any(&timestamp(&of::<String>(value, field)?, field)?),
        _ => {
            let detail = format!(
                "The field '{name}' cannot be written as JSON here. Sign the correction with a client of your own."
            );
            return Err(Problem::new(Code::NotYetSupported, detail).field(field));
        }
    })
}

/// JSON of one field; a failure names the path within it.
fn of<T: DeserializeOwned>(value: Value, field: &str) -> Result<T, Problem> {
    from_value(value).map_err(|problem| problem.within(field))
}
