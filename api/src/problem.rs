//! What a caller is told when a request fails: problem details (RFC 9457) of a closed set of types.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use provenance::admission::Rule;
use provenance::id::EventId;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// Media type of problem details.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// How long a caller should wait after a refusal for lack of capacity: longer than the slowest request may take
/// would keep it waiting for nothing, shorter would not lighten the load.
const RETRY_AFTER_S: &str = "2";

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident $status:ident $code:literal $title:literal;)*) => {
        /// The types of problems. A code never changes its meaning; new ones may be added.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Code {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name for programs, the last part of the problem's `type`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// A short summary, the same for all problems of the type.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What the type means, for the API's documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+),)* }
            }
        }
    };
}

codes! {
    /// The body is not the JSON that the endpoint reads; `field` says where it stops making sense.
    MalformedJson BAD_REQUEST "malformed-json" "The JSON cannot be read";
    /// A query parameter is unknown or has the wrong form; `field` names it.
    MalformedQuery BAD_REQUEST "malformed-query" "The query cannot be read";
    /// An id, number or path in the URL has the wrong form.
    MalformedPath BAD_REQUEST "malformed-path" "The URL cannot be read";
    /// The bytes are not an event in its one deterministic form. Nothing was stored.
    MalformedEvent BAD_REQUEST "malformed-event" "The bytes are not an event";
    /// The bytes were changed, or another key signed. Nothing was stored.
    InvalidSignature UNPROCESSABLE_ENTITY "invalid-signature" "The signature does not hold";
    /// The event belongs to another network. Nothing was stored.
    WrongNetwork UNPROCESSABLE_ENTITY "wrong-network" "The event is of another network";
    /// Events on which this one rests are not known here; `missing` names them. Send them first, or with it.
    MissingAncestors UNPROCESSABLE_ENTITY "missing-ancestors" "The event rests on unknown events";
    /// The event is of a version or kind that this program cannot judge yet; an upgrade of the node will.
    NotYetSupported UNPROCESSABLE_ENTITY "not-yet-supported" "The event cannot be judged yet";
    /// The event or command is against a rule of the network; `rule` and `field` name it. Nothing was stored.
    RuleBroken UNPROCESSABLE_ENTITY "rule-broken" "A rule does not allow this";
    /// A value is outside what its field allows; `field` and `rule` name it.
    InvalidValue UNPROCESSABLE_ENTITY "invalid-value" "A value is not valid";
    /// The history went on meanwhile; `present` names what to build on. Read again, then repeat.
    Stale CONFLICT "stale" "The history has gone on";
    /// The present state of the resource does not allow this: it is offered, closed, answered or disputed.
    Conflict CONFLICT "conflict" "The present state does not allow this";
    /// The command must be signed by an actor whose key this node does not keep.
    KeyNotKept FORBIDDEN "key-not-kept" "This node does not keep the signer's key";
    /// Writing needs the node's token in `Authorization: Bearer …`.
    Unauthorized UNAUTHORIZED "unauthorized" "The token is missing or wrong";
    /// There is nothing with this id or under this URL.
    NotFound NOT_FOUND "not-found" "There is nothing here";
    /// The URL exists, but not for this method; `Allow` names those that it has.
    MethodNotAllowed METHOD_NOT_ALLOWED "method-not-allowed" "The URL does not take this method";
    /// The endpoint cannot answer in a media type that `Accept` names.
    NotAcceptable NOT_ACCEPTABLE "not-acceptable" "The media type is not offered";
    /// The body is longer than the endpoint takes. Nothing was stored.
    TooLarge PAYLOAD_TOO_LARGE "too-large" "The body is too large";
    /// The body's media type is not one that the endpoint reads.
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The media type cannot be read";
    /// The request took longer than the node allows. Reads can be repeated as they are; before repeating a write,
    /// read what became of it.
    Timeout GATEWAY_TIMEOUT "timeout" "The request took too long";
    /// The node has as many requests as it can serve, or is stopping; `Retry-After` says when to try again.
    Overloaded SERVICE_UNAVAILABLE "overloaded" "The node is busy";
    /// The node was restored from a backup and has its log from its peers first; it takes no writes until then.
    Recovering SERVICE_UNAVAILABLE "recovering" "The node recovers its log";
    /// The node cannot read or write its storage, for instance because the disk is full. What was acknowledged is safe.
    Storage SERVICE_UNAVAILABLE "storage" "The node's storage fails";
    /// A fault of the node itself; its log has the details.
    Internal INTERNAL_SERVER_ERROR "internal" "The node failed";
}

/// Problem details (RFC 9457). Boxed, so that results which can fail stay small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Details>);

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Details::schema()
    }
}

impl ToSchema for Problem {}

/// Problem details (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Details {
    /// `urn:furrow:problem:` and the stable code of the type.
    #[serde(rename = "type")]
    #[schema(example = "urn:furrow:problem:invalid-value")]
    kind: String,
    /// A short summary of the type.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What was wrong this time, and what to do.
    detail: String,
    /// The field, query parameter or part of the event at fault, such as `quantity.value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The stable name of the rule that it breaks, such as `latitude` or `not_holder`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// The URL of the request that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Events that have to be known first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    missing: Vec<EventId>,
    /// Events to build on instead of those that the request named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    present: Vec<EventId>,
    #[serde(skip)]
    code: Code,
}

impl Problem {
    /// A problem of this type; `detail` says what was wrong and what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind: format!("urn:furrow:problem:{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            detail: detail.into(),
            field: None,
            rule: None,
            instance: None,
            missing: Vec::new(),
            present: Vec::new(),
            code,
        }))
    }

    /// A value that its field does not allow.
    pub fn value(field: impl Into<String>, rule: &str, detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidValue, detail).field(field).rule(rule)
    }

    /// A rule of admission that the event or command breaks.
    pub fn broken(rule: Rule) -> Self {
        let code = match rule {
            Rule::OfferOpen | Rule::NoOpenOffer | Rule::LotClosed | Rule::Packed | Rule::Conflict => Code::Conflict,
            Rule::LaneFork => Code::Stale,
            _ => Code::RuleBroken,
        };
        Self::new(code, sentence(&rule.to_string())).field(rule.field()).rule(rule.code())
    }

    /// There is no such thing.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(
            Code::NotFound,
            format!("This node knows no {what} {id}. Compare the id, or wait until it has arrived from other nodes."),
        )
    }

    /// Names the field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Names the rule that is broken.
    #[must_use]
    pub fn rule(mut self, rule: impl Into<String>) -> Self {
        self.0.rule = Some(rule.into());
        self
    }

    /// Names events that have to be known first.
    #[must_use]
    pub fn missing(mut self, missing: Vec<EventId>) -> Self {
        self.0.missing = missing;
        self
    }

    /// Names events to build on.
    #[must_use]
    pub fn present(mut self, present: Vec<EventId>) -> Self {
        self.0.present = present;
        self
    }

    /// The same as another type.
    #[must_use]
    pub(crate) fn with_code(self, code: Code) -> Self {
        let Details { detail, field, rule, instance, missing, present, .. } = *self.0;
        let Self(fresh) = Self::new(code, detail);
        Self(Box::new(Details { field, rule, instance, missing, present, ..*fresh }))
    }

    /// Puts the field at fault into the one around it.
    #[must_use]
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.0.field = Some(match self.0.field {
            Some(inner) => format!("{outer}.{inner}"),
            None => outer.to_owned(),
        });
        self
    }

    /// Says what had been done before, if anything was.
    #[must_use]
    pub(crate) fn after(mut self, something: bool, done: &str) -> Self {
        if something {
            self.0.detail = format!("{} Before this failed, {done}; that stands.", self.0.detail);
        }
        self
    }

    /// Its type.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What was wrong.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.0.code.status(), Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.0.code {
            Code::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"furrow\""));
            }
            Code::Overloaded | Code::Storage => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
            }
            _ => {}
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Adds the URL of the request to each problem, and turns refusals of the layers below into problems.
pub(crate) async fn complete(request: Request, next: Next) -> Response {
    let instance = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let mut problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if has_own_words(&response) => return response,
        None => of_layer(response.status()),
    };
    problem.0.instance = Some(instance);
    let mut completed = problem.into_response();
    // `Allow` and the like, which the layer below knew.
    for (name, value) in response.headers() {
        if *name != header::CONTENT_LENGTH && !completed.headers().contains_key(name) {
            completed.headers_mut().insert(name, value.clone());
        }
    }
    completed
}

/// Pages for people and health reports carry failing statuses with a body of their own.
fn has_own_words(response: &Response) -> bool {
    response.extensions().get::<OwnWords>().is_some()
}

/// Marks a failing response whose body is meant as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnWords;

/// What a layer without words of its own meant.
fn of_layer(status: StatusCode) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => Problem::new(
            Code::Timeout,
            "The request took longer than the node allows. Repeat a read as it is; before repeating a write, read what became of it.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => Problem::new(
            Code::Overloaded,
            "The node serves as many requests as it can. Try again after the time in Retry-After.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            Code::MethodNotAllowed,
            "This URL does not take this method. The header Allow names those that it takes.",
        ),
        StatusCode::NOT_FOUND => {
            Problem::new(Code::NotFound, "There is nothing under this URL. GET /api/v1 links to all that there is.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            Code::UnsupportedMediaType,
            "The body's media type cannot be read here. See the endpoint's documentation.",
        ),
        status if status.is_client_error() => {
            Problem::new(Code::MalformedPath, "The request cannot be read. See the endpoint's documentation.")
        }
        _ => Problem::new(Code::Internal, "The node failed to answer. Its log has the details; tell its operator."),
    }
}

/// The body is longer than the endpoint takes.
pub(crate) fn too_large() -> Problem {
    Problem::new(
        Code::TooLarge,
        "The body is longer than this endpoint takes: 1 MiB of JSON, or 16 MiB of events. Send it in parts.",
    )
}

/// A message as a sentence: capital letter first, full stop last.
pub(crate) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let Some(first) = chars.next() else { return String::new() };
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    first.to_uppercase().chain(chars).collect::<String>() + end
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_type_is_stable_distinct_and_explained() {
        let codes: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error());
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!(code.meaning().trim().ends_with('.'), "{}", code.as_str());
        }
    }

    #[test]
    fn messages_become_sentences() {
        assert_eq!(sentence("the lot is offered; wait"), "The lot is offered; wait.");
        assert_eq!(sentence(""), "");
    }
}
