//! Every URL of this interface, built in one place.

use provenance::id::{EventId, SubjectId};
use std::fmt::Display;

/// Where the API begins.
pub(crate) const ROOT: &str = "/api/v1";

/// Media type of HAL (draft-kelly-json-hal).
pub(crate) const HAL_JSON: &str = "application/hal+json";

/// The origin under which people reach a node: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

/// Why a text is not the base of URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a base URL; write scheme, host and where needed port, such as https://furrow.example")]
pub struct BaseUrlError(String);

impl BaseUrl {
    /// Reads `https://host[:port]`, with or without a slash at its end.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let wrong = || BaseUrlError(text.chars().take(100).collect());
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        let uri: axum::http::Uri = trimmed.parse().map_err(|_| wrong())?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
        match (scheme, uri.authority(), uri.path_and_query().map_or("", |path| path.as_str())) {
            (Some(scheme), Some(authority), "" | "/") if !authority.as_str().contains('@') => {
                Ok(Self(format!("{scheme}://{authority}")))
            }
            _ => Err(wrong()),
        }
    }

    /// The absolute URL of a path of this interface.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The entry point.
pub(crate) fn entry() -> String {
    ROOT.to_owned()
}

/// The `OpenAPI` document.
pub(crate) fn openapi() -> String {
    format!("{ROOT}/openapi.json")
}

/// All lots.
pub(crate) fn produces() -> String {
    format!("{ROOT}/produces")
}

/// A lot.
pub(crate) fn produce(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}")
}

/// A lot's events.
pub(crate) fn history(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/history")
}

/// A lot's prices.
pub(crate) fn prices(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/prices")
}

/// A lot's handovers.
pub(crate) fn produce_transfers(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/transfers")
}

/// Where a lot leaves the chain.
pub(crate) fn retirement(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/retirement")
}

/// Everything that verifies a lot's history.
pub(crate) fn bundle(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/bundle")
}

/// The proof that events of a lot exclude each other.
pub(crate) fn conflict(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/conflict")
}

/// What a lot is made of, or what became of it.
pub(crate) fn trace(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/trace")
}

/// Everything that a lot has reached, and who has it.
pub(crate) fn recall_report(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/recall-report")
}

/// Everything that the lots of a place have reached, and who has it.
pub(crate) fn place_recall_report(id: &SubjectId) -> String {
    format!("{ROOT}/places/{id}/recall-report")
}

/// Where bundles are verified.
pub(crate) fn verifications() -> String {
    format!("{ROOT}/verifications")
}

/// A lot's QR code as SVG.
pub(crate) fn qr_svg(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/qr.svg")
}

/// A lot's QR code as PNG.
pub(crate) fn qr_png(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/qr.png")
}

/// Where is told what was done with a lot.
pub(crate) fn handlings(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/handlings")
}

/// Where a lot gets codes.
pub(crate) fn codes(id: &SubjectId) -> String {
    format!("{ROOT}/produces/{id}/codes")
}

/// Where deliveries become a lot.
pub(crate) fn collections() -> String {
    format!("{ROOT}/collections")
}

/// Where lots are made of others.
pub(crate) fn transformations() -> String {
    format!("{ROOT}/transformations")
}

/// A transformation.
pub(crate) fn transformation(id: &EventId) -> String {
    format!("{ROOT}/transformations/{id}")
}

/// All logistic units.
pub(crate) fn units() -> String {
    format!("{ROOT}/units")
}

/// A logistic unit.
pub(crate) fn unit(id: &SubjectId) -> String {
    format!("{ROOT}/units/{id}")
}

/// What lies in a unit, and where more is put in.
pub(crate) fn contents(id: &SubjectId) -> String {
    format!("{ROOT}/units/{id}/contents")
}

/// Where a unit is unpacked.
pub(crate) fn unpackings(id: &SubjectId) -> String {
    format!("{ROOT}/units/{id}/unpackings")
}

/// All handovers.
pub(crate) fn transfers() -> String {
    format!("{ROOT}/transfers")
}

/// A handover.
pub(crate) fn transfer(id: &EventId) -> String {
    format!("{ROOT}/transfers/{id}")
}

/// Where an offer is accepted.
pub(crate) fn acceptance(id: &EventId) -> String {
    format!("{ROOT}/transfers/{id}/acceptance")
}

/// Where an offer is refused.
pub(crate) fn refusal(id: &EventId) -> String {
    format!("{ROOT}/transfers/{id}/refusal")
}

/// Where an offer is taken back.
pub(crate) fn cancellation(id: &EventId) -> String {
    format!("{ROOT}/transfers/{id}/cancellation")
}

/// The feed, and where events are submitted.
pub(crate) fn events() -> String {
    format!("{ROOT}/events")
}

/// An event.
pub(crate) fn event(id: &EventId) -> String {
    format!("{ROOT}/events/{id}")
}

/// An event's exact bytes.
pub(crate) fn event_bytes(id: &EventId) -> String {
    format!("{ROOT}/events/{id}/cose")
}

/// What is known of an event's sealed fields.
pub(crate) fn openings(id: &EventId) -> String {
    format!("{ROOT}/events/{id}/openings")
}

/// The log's receipt of an event.
pub(crate) fn receipt(id: &EventId) -> String {
    format!("{ROOT}/events/{id}/receipt")
}

/// An event with its receipt in its header.
pub(crate) fn statement(id: &EventId) -> String {
    format!("{ROOT}/events/{id}/statement")
}

/// Where an event is corrected.
pub(crate) fn corrections(id: &EventId) -> String {
    format!("{ROOT}/events/{id}/corrections")
}

/// All actors.
pub(crate) fn actors() -> String {
    format!("{ROOT}/actors")
}

/// An actor.
pub(crate) fn actor(id: &SubjectId) -> String {
    format!("{ROOT}/actors/{id}")
}

/// What an actor signed.
pub(crate) fn actor_events(id: &SubjectId) -> String {
    format!("{ROOT}/actors/{id}/events")
}

/// Where an actor's journals forked.
pub(crate) fn actor_forks(id: &SubjectId) -> String {
    format!("{ROOT}/actors/{id}/forks")
}

/// The proof that a journal of an actor forked on a link.
pub(crate) fn fork(id: &SubjectId, link: &EventId) -> String {
    format!("{ROOT}/actors/{id}/forks/{link}")
}

/// All places.
pub(crate) fn places() -> String {
    format!("{ROOT}/places")
}

/// A place.
pub(crate) fn place(id: &SubjectId) -> String {
    format!("{ROOT}/places/{id}")
}

/// All anchors.
pub(crate) fn anchors() -> String {
    format!("{ROOT}/anchors")
}

/// An anchor.
pub(crate) fn anchor(sequence: u64) -> String {
    format!("{ROOT}/anchors/{sequence}")
}

/// The proof that an event stands in the log.
pub(crate) fn inclusion(id: &EventId) -> String {
    format!("{ROOT}/log/inclusion?event={id}")
}

/// The proof that an entry stands in the log of a size.
pub(crate) fn inclusion_at(index: u64, size: u64) -> String {
    format!("{ROOT}/log/inclusion?index={index}&size={size}")
}

/// The proof that the log only grew.
pub(crate) fn consistency(old: u64, new: u64) -> String {
    format!("{ROOT}/log/consistency?old={old}&new={new}")
}

/// The log's receipt that it only grew.
pub(crate) fn consistency_receipt(from: u64, to: u64) -> String {
    format!("{ROOT}/log/consistency-receipt?from={from}&to={to}")
}

/// What a subject's history ends with, proved.
pub(crate) fn map_at(subject: &SubjectId, size: u64) -> String {
    format!("{ROOT}/log/map/{subject}?size={size}")
}

/// Logs of other nodes that were rewritten.
pub(crate) fn contradictions() -> String {
    format!("{ROOT}/log/contradictions")
}

/// The network.
pub(crate) fn network() -> String {
    format!("{ROOT}/network")
}

/// The connected nodes.
pub(crate) fn peers() -> String {
    format!("{ROOT}/peers")
}

/// How the node is.
pub(crate) fn status() -> String {
    format!("{ROOT}/status")
}

/// The feed from a log index on.
pub(crate) fn feed(from: u64, limit: Option<usize>) -> String {
    with_query(&events(), &[("from", Some(from.to_string())), ("limit", limit.map(|limit| limit.to_string()))])
}

/// The page for consumers.
pub(crate) fn page(id: &SubjectId) -> String {
    format!("/p/{id}")
}

/// An actor's keys, and what becomes of them: `keys`, `rotation`, `replacement` or `revocation`.
pub(crate) fn actor_keys(id: &SubjectId, what: &str) -> String {
    format!("{ROOT}/actors/{id}/{what}")
}

/// All amendments.
pub(crate) fn amendments() -> String {
    format!("{ROOT}/network/amendments")
}

/// Where an amendment is approved.
pub(crate) fn approval(id: &EventId) -> String {
    format!("{ROOT}/network/amendments/{id}/approval")
}

/// All certificates.
pub(crate) fn certificates() -> String {
    format!("{ROOT}/certificates")
}

/// A certificate.
pub(crate) fn certificate(id: &SubjectId) -> String {
    format!("{ROOT}/certificates/{id}")
}

/// Where it changes how a certificate stands.
pub(crate) fn certificate_status(id: &SubjectId) -> String {
    format!("{ROOT}/certificates/{id}/status")
}

/// All recalls.
pub(crate) fn recalls() -> String {
    format!("{ROOT}/recalls")
}

/// A recall.
pub(crate) fn recall(id: &EventId) -> String {
    format!("{ROOT}/recalls/{id}")
}

/// Where a recall ends.
pub(crate) fn recall_end(id: &EventId) -> String {
    format!("{ROOT}/recalls/{id}/end")
}

/// The newest checkpoint, as C2SP tlog-tiles place it.
pub(crate) const CHECKPOINT: &str = "/log/checkpoint";

/// The tiles, as C2SP tlog-tiles place them (a URI template, RFC 6570).
pub(crate) const TILES: &str = "/log/tile/{level}/{+index}";

/// A path with query parameters; values are percent-encoded.
pub(crate) fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut url = path.to_owned();
    let mut separator = '?';
    for (name, value) in parameters {
        if let Some(value) = value {
            url.push(separator);
            url.push_str(name);
            url.push('=');
            percent_encode(value, &mut url);
            separator = '&';
        }
    }
    url
}

/// Everything but RFC 3986's unreserved characters.
fn percent_encode(text: &str, out: &mut String) {
    use std::fmt::Write;
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_an_origin_and_nothing_more() {
        assert_eq!(BaseUrl::parse("https://furrow.example/").unwrap().join("/p/x"), "https://furrow.example/p/x");
        assert_eq!(BaseUrl::parse("http://127.0.0.1:8080").unwrap().to_string(), "http://127.0.0.1:8080");
        for wrong in [
            "",
            "furrow.example",
            "ftp://furrow.example",
            "https://furrow.example/x",
            "https://u@furrow.example",
            "https://a b",
        ] {
            assert!(BaseUrl::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_begin_at_the_root() {
        let id = SubjectId::from_bytes([0; 32]);
        assert_eq!(history(&id), format!("/api/v1/produces/{id}/history"));
        assert_eq!(entry(), "/api/v1");
        let query =
            with_query("/x", &[("grade", Some("Extra Class/é".into())), ("none", None), ("limit", Some("5".into()))]);
        assert_eq!(query, "/x?grade=Extra%20Class%2F%C3%A9&limit=5");
    }
}
