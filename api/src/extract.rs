//! Reading requests: bodies, queries and ids, each failure as a problem that names the field.

use crate::problem::{Code, Problem, sentence, too_large};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::str::FromStr;

/// The JSON of a body, whatever it says.
pub(crate) async fn json_body<S: Send + Sync>(request: Request, state: &S) -> Result<Value, Problem> {
    let media_type = media_type(request.headers());
    if !matches!(media_type.as_deref(), Some("application/json" | "application/hal+json")) {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            "This endpoint reads JSON. Send the header Content-Type: application/json.",
        ));
    }
    let bytes = body(request, state).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(
            Code::MalformedJson,
            format!("The body is not JSON: {error}. Check quotes, commas and brackets there."),
        )
    })
}

/// The bytes of a body, within the limit of its route.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => too_large(),
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Problem::new(Code::MalformedJson, "The body ended before it was complete. Send it again."),
    })
}

/// The media type of a body, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Whether the caller asks for this media type by name and not for `*/*`.
pub(crate) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|range| range.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type)))
}

/// Reads JSON; a failure names the field.
pub(crate) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let field = field_of(&error.path().to_string(), &error.inner().to_string());
        let problem = Problem::new(Code::MalformedJson, sentence(&error.into_inner().to_string()));
        if field.is_empty() { problem } else { problem.field(field) }
    })
}

/// A query whose parameters are all known.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        from_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// Reads a query whose parameters are all known; a failure names the parameter.
pub(crate) fn from_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let field = field_of(&error.path().to_string(), &error.inner().to_string());
        let problem = Problem::new(Code::MalformedQuery, sentence(&error.into_inner().to_string()));
        if field.is_empty() { problem } else { problem.field(field) }
    })
}

/// The one parameter of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathId<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr<Err: std::fmt::Display>> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = path(parts, state).await?;
        Ok(Self(parameter(&mut parameters.iter())?))
    }
}

/// The two parameters of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathIds<T, U>(pub(crate) T, pub(crate) U);

impl<S, T, U> FromRequestParts<S> for PathIds<T, U>
where
    S: Send + Sync,
    T: FromStr<Err: std::fmt::Display>,
    U: FromStr<Err: std::fmt::Display>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = path(parts, state).await?;
        let mut parameters = parameters.iter();
        Ok(Self(parameter(&mut parameters)?, parameter(&mut parameters)?))
    }
}

async fn path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, Problem> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Problem::new(Code::MalformedPath, "The path is not UTF-8. Write ids in a to z and 2 to 7."))
}

/// The next parameter of a path.
fn parameter<'a, T: FromStr<Err: std::fmt::Display>>(
    parameters: &mut impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<T, Problem> {
    let (name, text) = parameters.next().expect("the route has a parameter");
    text.parse()
        .map_err(|error: T::Err| Problem::new(Code::MalformedPath, sentence(&error.to_string())).field(name.to_owned()))
}

/// Where deserialization failed. For a field that is missing or unknown serde knows only the object around it, and
/// names the field in its message.
fn field_of(path: &str, message: &str) -> String {
    let parent = if path == "." || path == "?" { "" } else { path };
    let named = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.split('`').next());
    match named {
        None => parent.to_owned(),
        Some(name) if parent.is_empty() || parent == name => name.to_owned(),
        Some(name) if parent.ends_with(&format!(".{name}")) => parent.to_owned(),
        Some(name) => format!("{parent}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::{json, to_value};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)] // Only whether it can be read matters.
    struct Outer {
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)] // Only whether it can be read matters.
    struct Inner {
        number: u32,
    }

    #[test]
    fn failures_name_the_field() {
        let field = |value| to_value(from_value::<Outer>(value).unwrap_err()).unwrap()["field"].clone();
        assert_eq!(field(json!({})), json!("inner"));
        assert_eq!(field(json!({"inner": [], "x": 1})), json!("x"));
        assert_eq!(field(json!({"inner": [{"number": 1}, {}]})), json!("inner[1].number"));
        assert_eq!(field(json!({"inner": [{"number": "1"}]})), json!("inner[0].number"));
        assert_eq!(field(json!({"inner": [{"number": 1, "y": 2}]})), json!("inner[0].y"));
        assert_eq!(field(json!([])), Value::Null);
    }

    #[test]
    fn only_named_media_types_are_wanted() {
        let headers = |accept: &str| HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
        assert!(accepts(&headers("text/html, application/cose;q=0.9"), "application/cose"));
        assert!(!accepts(&headers("*/*"), "application/cose"));
    }
}
