//! Speaking to a running node over HTTP, as every command does that is not the node itself.

use crate::failure::{Exit, Failure, OrExit};
use crate::output::printable;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use std::time::Duration;

/// Longer than the slowest write of a healthy node; a clerk would not wait longer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest answer that is read: a lot's history of many thousand events.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Where the interface begins.
const ROOT: &str = "/api/v1";

/// Media type of an event's exact bytes.
pub(crate) const COSE: &str = "application/cose";

/// Media type of many events, one after the other (RFC 8742).
pub(crate) const CBOR_SEQUENCE: &str = "application/cbor-seq";

/// A node's interface.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<HeaderValue>,
}

impl Client {
    /// The node at `base`, such as `http://127.0.0.1:7400`; without a token it can only be read.
    pub(crate) fn new(base: &str, token: Option<&str>) -> Result<Self, Failure> {
        if !base.starts_with("http://") && !base.starts_with("https://") {
            let message = format!("'{base}' is not the address of a node; write it as http://127.0.0.1:7400");
            return Err(Failure::new(Exit::BadInput, message));
        }
        let token = token.map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
                .or_exit_with(Exit::BadInput, || {
                    "the token file is damaged; it holds one line of plain characters".into()
                })?;
            value.set_sensitive(true);
            Ok::<_, Failure>(value)
        });
        // Redirects would carry the token elsewhere; proxies are for the world, nodes are near.
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .or_exit(Exit::Failed)?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token: token.transpose()? })
    }

    /// The node's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Reads a resource; `path` begins after `/api/v1`, or is a link of another resource.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.json(self.request(Method::GET, path)).await
    }

    /// Reads a resource that may not exist.
    pub(crate) async fn find(&self, path: &str) -> Result<Option<Value>, Failure> {
        let response = self.send(self.request(Method::GET, path)).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.read_json(response).await.map(Some)
    }

    /// Reads the exact bytes of a representation.
    pub(crate) async fn bytes(&self, path: &str, media_type: &'static str) -> Result<Vec<u8>, Failure> {
        let response = self.send(self.request(Method::GET, path).header(ACCEPT, media_type)).await?;
        self.checked(response).await
    }

    /// Reads the bytes under a path that does not begin at the interface's root, such as `/log/checkpoint`; nothing
    /// where nothing is there.
    pub(crate) async fn find_file(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.found(self.http.get(format!("{}{path}", self.base))).await
    }

    /// Reads the exact bytes of a representation that may not exist.
    pub(crate) async fn find_bytes(&self, path: &str, media_type: &'static str) -> Result<Option<Vec<u8>>, Failure> {
        self.found(self.request(Method::GET, path).header(ACCEPT, media_type)).await
    }

    /// Sends a command.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.json(self.request(Method::POST, path).json(body)).await
    }

    /// Changes a resource.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.json(self.request(Method::PATCH, path).json(body)).await
    }

    /// Deletes a resource.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.json(self.request(Method::DELETE, path)).await
    }

    /// Sends bytes.
    pub(crate) async fn post_bytes(
        &self,
        path: &str,
        media_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Value, Failure> {
        self.json(self.request(Method::POST, path).header(CONTENT_TYPE, media_type).body(body)).await
    }

    /// Reads all pages of a list: the entries that its pages embed, in their order.
    pub(crate) async fn all(&self, path: &str, most: usize) -> Result<Vec<Value>, Failure> {
        let mut entries = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let mut page = self.get(&path).await?;
            next = page.pointer("/_links/next/href").and_then(Value::as_str).map(str::to_owned);
            let found = embedded(&mut page);
            if found.is_empty() {
                break;
            }
            entries.extend(found);
            if entries.len() > most {
                return Err(Failure::new(
                    Exit::Failed,
                    format!("the node lists more than {most} entries; narrow the list"),
                ));
            }
        }
        Ok(entries)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url =
            if path.starts_with(ROOT) { format!("{}{path}", self.base) } else { format!("{}{ROOT}{path}", self.base) };
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, token.clone()),
            None => request,
        }
    }

    async fn found(&self, request: RequestBuilder) -> Result<Option<Vec<u8>>, Failure> {
        let response = self.send(request).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.checked(response).await.map(Some)
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let response = self.send(request).await?;
        self.read_json(response).await
    }

    async fn read_json(&self, response: Response) -> Result<Value, Failure> {
        let bytes = self.checked(response).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes)
            .or_exit_with(Exit::Failed, || format!("{} did not answer with JSON; is it a Furrow node?", self.base))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        request.send().await.map_err(|error| {
            let reason = if error.is_timeout() { "it does not answer in time" } else { "nobody answers there" };
            let cause = anyhow::Error::new(error).root_cause().to_string();
            let message = format!(
                "cannot reach the node at {}: {reason} ({cause}). Is 'furrow run' running? Name another address with --node",
                self.base
            );
            Failure::new(Exit::Unreachable, message)
        })
    }

    /// The body of an answer, or the node's problem as a failure.
    async fn checked(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .or_exit_with(Exit::Unreachable, || format!("the answer of {} broke off", self.base))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(Failure::new(Exit::Failed, "the node's answer is longer than 64 MiB; ask for less"));
            }
        }
        if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
    }
}

/// The members that a page embeds, under the registered relation `item` (RFC 6573).
fn embedded(page: &mut Value) -> Vec<Value> {
    let list = page.pointer_mut("/_embedded/item").and_then(Value::as_array_mut);
    list.map(std::mem::take).unwrap_or_default()
}

/// A refusal as the clerk should read it: the node's own sentence, with field and rule.
fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = |name: &str| problem.get(name).and_then(Value::as_str).map(printable);
    let mut message = said("detail").or_else(|| said("title")).unwrap_or_else(|| format!("the node answers {status}"));
    if let Some(field) = said("field") {
        message = format!("{field}: {message}");
    }
    if let Some(rule) = said("rule").filter(|rule| !message.contains(rule.as_str())) {
        message = format!("{message} (rule {rule})");
    }
    if status == StatusCode::UNAUTHORIZED {
        message = "the node does not know the token; run the command with the --data folder of that node, or name its token file with --token-file".into();
    }
    let exit = if status == StatusCode::BAD_REQUEST || status == StatusCode::UNPROCESSABLE_ENTITY {
        Exit::BadInput
    } else {
        Exit::Failed
    };
    Failure::new(exit, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_field_and_rule() {
        let body = br#"{"title":"T","detail":"latitude 91 is beyond 90","field":"point.latitude","rule":"latitude"}"#;
        let failure = refusal(StatusCode::UNPROCESSABLE_ENTITY, body);
        assert_eq!(failure.to_string(), "point.latitude: latitude 91 is beyond 90");
        assert_eq!(failure.exit, Exit::BadInput);
        let failure = refusal(StatusCode::CONFLICT, br#"{"title":"Not the holder","rule":"not_holder"}"#);
        assert_eq!(failure.to_string(), "Not the holder (rule not_holder)");
        assert_eq!(failure.exit, Exit::Failed);
        assert!(refusal(StatusCode::BAD_GATEWAY, b"<html>").to_string().contains("502"));
    }

    #[test]
    fn pages_embed_their_entries() {
        let mut page = serde_json::json!({ "_embedded": { "item": [1, 2] } });
        assert_eq!(embedded(&mut page), [1, 2]);
        assert!(embedded(&mut serde_json::json!({})).is_empty());
    }

    #[tokio::test]
    async fn nobody_at_home_is_its_own_exit_code() {
        let client = Client::new("http://127.0.0.1:9", None).unwrap();
        let failure = client.get("/status").await.unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
        assert!(failure.to_string().contains("furrow run"));
        assert_eq!(Client::new("127.0.0.1", None).unwrap_err().exit, Exit::BadInput);
    }
}
