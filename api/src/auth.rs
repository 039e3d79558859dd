//! Who may write: callers that show the node's token.

use crate::problem::{Code, Problem};
use crate::state::ApiState;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use provenance::id::sha256;
use subtle::ConstantTimeEq;

/// Shorter tokens could be guessed.
const MIN_TOKEN_BYTES: usize = 16;

/// Longer ones do not fit a header line of common proxies.
const MAX_TOKEN_BYTES: usize = 512;

/// The secret that callers show to write.
///
/// Only its hash is kept, and hashes are compared in constant time, so neither a core dump nor the time of an answer
/// tells anything about it.
#[derive(Clone)]
pub struct Token([u8; 32]);

/// Why a text cannot be the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token must have 16 to 512 visible ASCII characters; make one with `openssl rand -hex 32`")]
pub struct TokenError;

impl Token {
    /// A token of enough visible ASCII characters.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let long_enough = (MIN_TOKEN_BYTES..=MAX_TOKEN_BYTES).contains(&text.len());
        if long_enough && text.bytes().all(|b| b.is_ascii_graphic()) { Ok(Self(digest(text))) } else { Err(TokenError) }
    }

    fn is(&self, shown: &str) -> bool {
        self.0.ct_eq(&digest(shown)).into()
    }

    /// Whether these headers show the token.
    fn is_shown(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown =
            value.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        shown.is_some_and(|(_, token)| self.is(token.trim()))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

fn digest(text: &str) -> [u8; 32] {
    sha256(&[b"furrow/api-token/1", text.as_bytes()])
}

/// Proof that the caller showed the token. Handlers that write take it first, before they read the body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer(());

impl FromRequestParts<ApiState> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        if state.token.is_shown(&parts.headers) {
            return Ok(Self(()));
        }
        Err(Problem::new(
            Code::Unauthorized,
            "Writing needs the node's token. Send the header Authorization: Bearer followed by the token that the node's \
             operator gave you.",
        ))
    }
}

/// Whether the caller could write. Readers without a token are welcome, and are shown no actions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MayWrite(pub(crate) bool);

impl FromRequestParts<ApiState> for MayWrite {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Self::Rejection> {
        Ok(Self(state.token.is_shown(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn only_the_whole_token_opens() {
        let token = Token::new("0123456789abcdef0123").unwrap();
        assert!(token.is_shown(&headers("Bearer 0123456789abcdef0123")));
        assert!(token.is_shown(&headers("bearer  0123456789abcdef0123")));
        for wrong in [
            "Bearer 0123456789abcdef012",
            "Bearer 0123456789abcdef01234",
            "Basic 0123456789abcdef0123",
            "0123456789abcdef0123",
            "Bearer",
        ] {
            assert!(!token.is_shown(&headers(wrong)), "{wrong}");
        }
        assert!(!token.is_shown(&HeaderMap::new()));
    }

    #[test]
    fn short_and_invisible_tokens_are_refused() {
        assert!(Token::new("short").is_err());
        assert!(Token::new("0123456789abcdef 0123").is_err());
        assert_eq!(format!("{:?}", Token::new("0123456789abcdef").unwrap()), "Token(…)");
    }
}
