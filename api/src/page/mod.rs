//! `/p/{id}`: the page that a consumer sees behind the QR code. It needs no script, and shows what is not certain too.

mod attested;
mod language;
mod markup;
mod sketch;
mod steps;
mod story;
mod tell;
mod words;

use crate::problem::{Code, OwnWords};
use crate::qr;
use crate::resources::produces::qr::page_url;
use crate::state::ApiState;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use language::Languages;
use maud::Markup;
use provenance::id::{SubjectId, sha256};
use std::sync::LazyLock;

/// Nothing may be loaded or run but the one style sheet and the icon, which stands in the page.
static SECURITY_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = BASE64.encode(&sha256(&[markup::STYLE.as_bytes()]));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 and ASCII are header characters")
});

/// The page of a lot.
///
/// Names that were given in several languages are shown in the one that `Accept-Language` prefers.
#[utoipa::path(
    get, path = "/p/{id}", tag = "consumers", operation_id = "read_page",
    params(("id" = String, Path, description = "The lot's id")),
    responses(
        (status = 200, description = "Where the lot comes from", body = String, content_type = "text/html"),
        (status = 404, description = "A page that says so", body = String, content_type = "text/html"),
    ),
)]
pub(crate) async fn page(State(state): State<ApiState>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Ok(lot) = id.parse::<SubjectId>() else {
        let markup = markup::not_found(
            "This is not a lot's address",
            "The address in your browser is incomplete or was mistyped: the part after /p/ has 52 letters and digits.",
        );
        return html(StatusCode::NOT_FOUND, markup);
    };
    let story = match tell::tell(&state, &lot, &Languages::of(&headers)) {
        Ok(story) => story,
        Err(problem) if problem.code() == Code::NotFound => {
            let text = "This node has no records of a lot with this address.";
            return html(StatusCode::NOT_FOUND, markup::not_found("Nothing is known of this lot", text));
        }
        Err(_) => {
            let text =
                "The records of this lot are here, but cannot be read at the moment. Please try again in a minute.";
            return html(StatusCode::SERVICE_UNAVAILABLE, markup::not_found("A moment, please", text));
        }
    };
    let url = page_url(&state, &headers, &lot).unwrap_or_default();
    let picture = qr::svg(&url).ok().filter(|_| !url.is_empty());
    // Within HTML the drawing stands without the prolog of a file.
    let drawing = picture.as_deref().and_then(|file| file.find("<svg").map(|start| &file[start..]));
    html(StatusCode::OK, markup::lot(&story, &state.node, &url, drawing))
}

fn html(status: StatusCode, markup: Markup) -> Response {
    let mut response = (status, axum::response::Html(markup.into_string())).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, SECURITY_POLICY.clone());
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.extensions_mut().insert(OwnWords);
    response
}
