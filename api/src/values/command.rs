//! What every command may say beside its own fields: who signs, for whom, when it happened, which papers.

use super::{refused, text, timestamp};
use crate::extract::{from_value, json_body};
use crate::problem::{Code, Problem, sentence};
use axum::extract::{FromRequest, Request};
use ledger::author::Context;
use provenance::cbor::Any;
use provenance::id::SubjectId;
use provenance::payload::{Payload, Reference};
use provenance::value::{Occurred, TextMap};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A command with its envelope, in one JSON object.
///
/// Deserialization is derived only because the schema takes its `flatten` from there; requests are read by
/// [`Command::from_json`], which also refuses fields that are unknown to both.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Command<T> {
    #[serde(flatten)]
    pub(crate) fields: T,
    #[serde(flatten)]
    pub(crate) envelope: Envelope,
}

/// For commands that have no fields of their own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NothingInput {}

/// Fields that every command takes.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Envelope {
    /// Which of the actors whose keys this node keeps signs; without it the node's cooperative.
    #[schema(value_type = Option<String>)]
    actor: Option<SubjectId>,
    /// The member for whom it is recorded.
    #[schema(value_type = Option<String>)]
    on_behalf_of: Option<SubjectId>,
    /// Who typed it.
    #[schema(value_type = Option<String>)]
    captured_by: Option<SubjectId>,
    /// When it took place, if at another time than now.
    occurred: Option<OccurredInput>,
    /// Business documents.
    refs: Option<Vec<ReferenceInput>>,
    /// URI → any JSON without fractions; kept and shown, read by no rule.
    #[schema(value_type = Option<Object>)]
    extensions: Option<Map<String, Value>>,
}

/// When something took place.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OccurredInput {
    /// RFC 3339.
    #[schema(example = "2026-09-28T06:30:00+02:00")]
    start: String,
    /// RFC 3339, if it lasted.
    end: Option<String>,
    /// Minutes east of UTC where it took place.
    #[schema(example = 120)]
    utc_offset_minutes: i16,
}

/// A business document.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReferenceInput {
    /// What it is.
    #[schema(example = "purchase order")]
    document_type: String,
    /// Its number.
    number: String,
}

/// Names of the fields of [`Envelope`].
const ENVELOPE: [&str; 6] = ["actor", "on_behalf_of", "captured_by", "occurred", "refs", "extensions"];

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Self::from_json(json_body(request, state).await?)
    }
}

impl<T: DeserializeOwned> Command<T> {
    /// Tells the envelope's fields from the command's, so that an unknown one of either is refused.
    fn from_json(body: Value) -> Result<Self, Problem> {
        let Value::Object(mut fields) = body else {
            return Err(Problem::new(
                Code::MalformedJson,
                "A command is a JSON object. Put its fields between braces.",
            ));
        };
        let mut envelope = Map::new();
        for name in ENVELOPE {
            if let Some(value) = fields.shift_remove(name) {
                envelope.insert(name.to_owned(), value);
            }
        }
        Ok(Self { fields: from_value(Value::Object(fields))?, envelope: from_value(Value::Object(envelope))? })
    }
}

impl Envelope {
    /// The context of the command, or what is wrong with it.
    pub(crate) fn read(&self) -> Result<Context, Problem> {
        Ok(Context {
            actor: self.actor,
            on_behalf_of: self.on_behalf_of,
            captured_by: self.captured_by,
            occurred: self.occurred()?,
            refs: self.refs()?,
            extensions: self.extensions()?,
            expected_tips: None,
        })
    }

    /// When it took place.
    fn occurred(&self) -> Result<Option<Occurred>, Problem> {
        let Some(given) = &self.occurred else { return Ok(None) };
        let start = timestamp(&given.start, "occurred.start")?;
        let end = given.end.as_deref().map(|end| timestamp(end, "occurred.end")).transpose()?;
        Occurred::new(start, end, given.utc_offset_minutes).map(Some).map_err(|error| refused("occurred", &error))
    }

    /// Business documents.
    fn refs(&self) -> Result<Vec<Reference>, Problem> {
        let given = self.refs.as_deref().unwrap_or_default();
        if given.len() > Payload::MAX_REFS {
            return Err(Problem::value(
                "refs",
                "count",
                format!("An event has at most {} references. Leave the others out.", Payload::MAX_REFS),
            ));
        }
        let read = |(index, reference): (usize, &ReferenceInput)| {
            Ok(Reference {
                document_type: text(&reference.document_type, &format!("refs[{index}].document_type"))?,
                number: text(&reference.number, &format!("refs[{index}].number"))?,
            })
        };
        given.iter().enumerate().map(read).collect()
    }

    /// Extensions, as CBOR.
    fn extensions(&self) -> Result<Option<TextMap<Any>>, Problem> {
        let Some(given) = &self.extensions else { return Ok(None) };
        let mut entries = Vec::with_capacity(given.len());
        for (uri, value) in given {
            let field = format!("extensions.{uri}");
            if !uri.contains(':') {
                return Err(Problem::value(
                    field,
                    "uri",
                    "An extension is named by a URI. Use one of your own, such as https://your.example/field.",
                ));
            }
            entries.push((uri.clone(), any(value, &field)?));
        }
        TextMap::new(entries).map(Some).map_err(|error| refused("extensions", &error))
    }
}

/// JSON as CBOR; what no signed event may hold is refused.
pub(crate) fn any(value: &Value, field: &str) -> Result<Any, Problem> {
    Ok(match value {
        Value::Null => Any::Null,
        Value::Bool(value) => Any::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Any::Integer(i128::from(number)),
            (_, Some(number)) => Any::Integer(i128::from(number)),
            _ => {
                let detail =
                    sentence("signed events hold no fractions; write the number as text, or in a smaller unit");
                return Err(Problem::value(field, "no_floats", detail));
            }
        },
        Value::String(text) => Any::Text(text.clone()),
        Value::Array(items) => {
            let read = |(index, item)| any(item, &format!("{field}[{index}]"));
            Any::Array(items.iter().enumerate().map(read).collect::<Result<_, _>>()?)
        }
        Value::Object(entries) => {
            let read =
                |(key, value): (&String, &Value)| Ok((Any::Text(key.clone()), any(value, &format!("{field}.{key}"))?));
            Any::Map(entries.iter().map(read).collect::<Result<_, Problem>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Move {
        place: u8,
    }

    fn command(value: Value) -> Result<Command<Move>, Problem> {
        Command::from_json(value)
    }

    #[test]
    fn fields_and_envelope_stand_in_one_object() {
        let both =
            command(json!({"place": 1, "occurred": {"start": "2026-09-28T06:30:00+02:00", "utc_offset_minutes": 120}}))
                .unwrap();
        assert_eq!(both.fields.place, 1);
        assert_eq!(both.envelope.occurred().unwrap().unwrap().start().to_string(), "2026-09-28T04:30:00.000Z");
        let unknown = to_value(command(json!({"place": 1, "pace": 2})).unwrap_err()).unwrap();
        assert_eq!(unknown["field"], "pace");
        let inner = to_value(command(json!({"place": 1, "refs": [{"number": "1"}]})).unwrap_err()).unwrap();
        assert_eq!(inner["field"], "refs[0].document_type");
    }

    #[test]
    fn extensions_become_cbor_without_floats() {
        let envelope =
            command(json!({"place": 1, "extensions": {"urn:x:y": {"a": [1, -1, "t", null, true]}}})).unwrap().envelope;
        assert!(envelope.extensions().unwrap().is_some());
        let floats = command(json!({"place": 1, "extensions": {"urn:x:y": {"a": [1.5]}}})).unwrap().envelope;
        assert_eq!(to_value(floats.extensions().unwrap_err()).unwrap()["field"], "extensions.urn:x:y.a[0]");
    }
}
