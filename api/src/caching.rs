//! What caches may keep, and answers to those who have it already (RFC 9110 §8.8.3, §13; RFC 9111).

use axum::http::header::{self, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use provenance::id::sha256;

/// What never changes under its URL.
pub(crate) const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// What may be kept if it is asked for again each time.
pub(crate) const ASK_AGAIN: &str = "no-cache";

/// Bytes with their media type, and how long they may be kept.
#[derive(Debug)]
pub(crate) struct Cached {
    /// Media type.
    pub(crate) media_type: &'static str,
    /// Value of `Cache-Control`.
    pub(crate) keep: &'static str,
    /// Entity tag, without its quotes.
    pub(crate) tag: String,
    /// The body.
    pub(crate) bytes: Vec<u8>,
}

impl Cached {
    /// Bytes that are told apart by their own hash.
    pub(crate) fn new(media_type: &'static str, keep: &'static str, bytes: Vec<u8>) -> Self {
        // Half a SHA-256 is long enough that no two answers under one URL ever share it.
        let tag = HEXLOWER.encode(&sha256(&[&bytes])[..16]);
        Self { media_type, keep, tag, bytes }
    }

    /// The whole answer, or 304 without a body for a caller that has these bytes.
    pub(crate) fn answer(self, request: &HeaderMap) -> Response {
        let tag = format!("\"{}\"", self.tag);
        let known = has(request, &tag);
        let common = [(header::ETAG, tag), (header::CACHE_CONTROL, self.keep.to_owned())];
        if known {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        (common, [(header::CONTENT_TYPE, self.media_type)], self.bytes).into_response()
    }
}

/// Whether the caller names this tag; it compares weakly, as RFC 9110 §13.1.2 asks.
fn has(request: &HeaderMap, tag: &str) -> bool {
    let known = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut named = known.flat_map(|value| value.split(',')).map(str::trim);
    named.any(|value| value == "*" || value.strip_prefix("W/").unwrap_or(value) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn who_has_it_gets_no_body() {
        let answer = |known: &'static str| {
            let headers: HeaderMap = [(IF_NONE_MATCH, HeaderValue::from_static(known))].into_iter().collect();
            let mut cached = Cached::new("text/plain", ASK_AGAIN, b"x".to_vec());
            cached.tag = "abc".to_owned();
            cached.answer(&headers).status()
        };
        for known in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert_eq!(answer(known), StatusCode::NOT_MODIFIED, "{known}");
        }
        for other in ["", "abc", "\"ab\"", "\"abcd\""] {
            assert_eq!(answer(other), StatusCode::OK, "{other}");
        }
    }
}
