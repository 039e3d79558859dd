//! `POST /api/v1/events`: events that clients signed with keys of their own.

use super::receipt::STATEMENT;
use crate::auth::Writer;
use crate::extract::{body, media_type};
use crate::hal::{Links, Resource};
use crate::limits::INTAKE;
use crate::links;
use crate::problem::{Code, Problem};
use crate::refusal::{of_outcome, storage};
use crate::state::ApiState;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::{Origin, Outcome};
use minicbor::Decoder;
use provenance::id::EventId;
use provenance::transparent::strip_unprotected;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// Events of one request: of the usual size, more than its body can hold.
const MAX_EVENTS: usize = 65_536;

/// What became of the events, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Submission {
    /// Events that are in the log now.
    admitted: usize,
    /// Events that were here already.
    known: usize,
    /// Events that were not taken.
    refused: usize,
    results: Vec<Submitted>,
}

/// What became of one event.
#[derive(Debug, Serialize, ToSchema)]
struct Submitted {
    /// SHA-256 of the bytes that were sent, with an empty unprotected header.
    #[schema(value_type = String)]
    id: EventId,
    /// What became of it; `held` and `void` ones are not stored.
    outcome: OutcomeName,
    /// Where it stands in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_index: Option<u64>,
    /// Why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OutcomeName {
    Admitted,
    Known,
    Held,
    Void,
    Rejected,
}

/// Submit signed events.
///
/// One event as `application/cose` or `application/scitt-statement+cose`, or many as a CBOR sequence (RFC 8742), `application/cbor-seq`. They are judged in
/// their order, so each may rest on those before it. Answers when all that were taken are durable. A single event that
/// is not taken is answered with its problem; among several, each has its own. What stands in an unprotected header,
/// such as receipts of other logs, is not signed: it is taken off before anything is hashed, and not kept.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "events", operation_id = "submit_events",
    request_body(content(
        (Vec<u8> = "application/cose"),
        (Vec<u8> = "application/scitt-statement+cose"),
        (Vec<u8> = "application/cbor-seq"),
    )),
    responses(
        (status = 200, description = "All events are in the log", body = Resource<Submission>, content_type = "application/hal+json"),
        (status = 207, description = "Some events were not taken", body = Resource<Submission>, content_type = "application/hal+json"),
        (status = 400, description = "Not events", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The history has gone on, or the state does not allow it", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too much", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Against a rule", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "More events wait than the node takes within seconds, or the storage fails; nothing was taken", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn submit(_: Writer, State(state): State<ApiState>, request: Request) -> Result<Response, Problem> {
    let sequence = match media_type(request.headers()).as_deref() {
        Some("application/cose" | STATEMENT) => false,
        Some("application/cbor-seq") => true,
        _ => {
            let detail = "Events are read as application/cose (one) or application/cbor-seq (many). Set the header Content-Type.";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
    };
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let _place = INTAKE.body(length)?;
    let bytes = body(request, &state).await?;
    let events = if sequence { split(&bytes)? } else { vec![signed(&bytes)] };
    let _waiting = INTAKE.events(events.len())?;
    let outcomes = state.ledger.submit(events.clone(), Origin::Client).await?;
    let mut submission = Submission { admitted: 0, known: 0, refused: 0, results: Vec::with_capacity(events.len()) };
    for (bytes, outcome) in events.iter().zip(&outcomes) {
        // Nothing of the batch is on the disk then.
        if let Outcome::Unavailable(error) = outcome {
            return Err(storage(error));
        }
        let problem = of_outcome(outcome, bytes, state.ledger.reader());
        if let (Some(problem), [_]) = (&problem, outcomes.as_slice()) {
            return Err(problem.clone());
        }
        submission.count(outcome, problem.is_some());
        submission.results.push(Submitted {
            id: EventId::of(bytes),
            outcome: name(outcome),
            log_index: outcome.index(),
            problem,
        });
    }
    let status = if submission.refused == 0 { StatusCode::OK } else { StatusCode::MULTI_STATUS };
    let feed = submission.results.iter().filter_map(|result| result.log_index).min();
    let links = Links::to_self(links::events()).and_maybe("feed", feed.map(|from| links::feed(from, None)));
    let mut response = Resource::new(submission, links).into_response();
    *response.status_mut() = status;
    Ok(response)
}

impl Submission {
    fn count(&mut self, outcome: &Outcome, refused: bool) {
        if refused {
            self.refused += 1;
        } else if matches!(outcome, Outcome::Admitted { .. }) {
            self.admitted += 1;
        } else {
            self.known += 1;
        }
    }
}

fn name(outcome: &Outcome) -> OutcomeName {
    match outcome {
        Outcome::Admitted { .. } => OutcomeName::Admitted,
        Outcome::Known { .. } => OutcomeName::Known,
        Outcome::Held { .. } => OutcomeName::Held,
        Outcome::Void { .. } => OutcomeName::Void,
        Outcome::Rejected(_) | Outcome::Unavailable(_) => OutcomeName::Rejected,
    }
}

/// The items of a CBOR sequence (RFC 8742).
fn split(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Problem> {
    let malformed = |position: usize, what: &str| {
        let detail = format!(
            "The sequence is not CBOR at byte {position}: {what}. Concatenate whole events and nothing between them."
        );
        Problem::new(Code::MalformedEvent, detail).field("body").rule("cbor_sequence")
    };
    if bytes.is_empty() {
        return Err(malformed(0, "it is empty"));
    }
    let mut decoder = Decoder::new(bytes);
    let mut items = Vec::new();
    while decoder.position() < bytes.len() {
        if items.len() == MAX_EVENTS {
            let detail = format!("A request takes at most {MAX_EVENTS} events. Send the rest with another one.");
            return Err(Problem::new(Code::TooLarge, detail));
        }
        let start = decoder.position();
        decoder.skip().map_err(|error| malformed(start, &error.to_string()))?;
        items.push(signed(&bytes[start..decoder.position()]));
    }
    Ok(items)
}

/// The statement without what its signer did not sign. What is no statement is left as it is, for the ledger to say so.
fn signed(statement: &[u8]) -> Vec<u8> {
    strip_unprotected(statement).map_or_else(|_| statement.to_vec(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_split_at_its_items() {
        assert_eq!(
            split(&[0x01, 0x82, 0x02, 0x03, 0x41, 0xff]).unwrap(),
            [vec![0x01], vec![0x82, 0x02, 0x03], vec![0x41, 0xff]]
        );
        for wrong in [&[][..], &[0x82, 0x01], &[0x01, 0x42, 0x00], &[0x1c]] {
            assert_eq!(split(wrong).unwrap_err().code(), Code::MalformedEvent);
        }
        assert_eq!(split(&vec![0x00; MAX_EVENTS + 1]).unwrap_err().code(), Code::TooLarge);
    }
}
