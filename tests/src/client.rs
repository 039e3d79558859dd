//! A node's HTTP interface, as any client sees it.

use provenance::event::SignedEvent;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::time::Duration;

/// Longer than any request of a healthy node takes.
const TIMEOUT: Duration = Duration::from_mins(1);

/// One signed event.
pub const COSE: &str = "application/cose";

/// Many, one after the other (RFC 8742).
pub const CBOR_SEQUENCE: &str = "application/cbor-seq";

/// Whoever reaches a node at an address, with its token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// What a node answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().expect("a client needs nothing");
        Self { http, base: base.to_owned(), token: token.to_owned() }
    }

    /// What sends its requests, for whoever compares the node with something else.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// The absolute URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A request that bears no token.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// A request that may write.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).header(AUTHORIZATION, format!("Bearer {}", self.token))
    }

    /// Reads a resource that must be there.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.read(path).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text());
        answer.json()
    }

    /// Reads whatever is there.
    pub async fn read(&self, path: &str) -> Answer {
        answer(self.anonymous(Method::GET, path)).await
    }

    /// Reads whatever is there; nothing where nobody listens at the moment.
    pub async fn try_read(&self, path: &str) -> Option<Answer> {
        let response = self.anonymous(Method::GET, path).send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Answer { status, headers, body: response.bytes().await.ok()?.to_vec() })
    }

    /// All members of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut members, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let page = self.get(&path).await;
            members.extend(page.pointer("/_embedded/item").and_then(Value::as_array).cloned().unwrap_or_default());
            next = page.pointer("/_links/next/href").and_then(Value::as_str).map(str::to_owned);
        }
        members
    }

    /// Sends a command that must be done; the resource as it is then.
    pub async fn post(&self, path: &str, command: &Value) -> Value {
        let answer = self.command(Method::POST, path, command).await;
        assert!((200..300).contains(&answer.status), "POST {path} {command}: {}", answer.text());
        answer.json()
    }

    /// Changes a resource, which must succeed.
    pub async fn patch(&self, path: &str, command: &Value) -> Value {
        let answer = self.command(Method::PATCH, path, command).await;
        assert!((200..300).contains(&answer.status), "PATCH {path} {command}: {}", answer.text());
        answer.json()
    }

    /// Sends a command, whatever becomes of it.
    pub async fn command(&self, method: Method, path: &str, command: &Value) -> Answer {
        answer(self.request(method, path).json(command)).await
    }

    /// Posts bytes as one event.
    pub async fn submit_one(&self, event: &[u8]) -> Answer {
        self.submit_bytes(COSE, event.to_vec()).await
    }

    /// Posts events as a sequence, all of which must be in the log then.
    pub async fn submit(&self, events: &[SignedEvent]) {
        let sequence = events.iter().flat_map(|event| event.bytes().iter().copied()).collect();
        let answer = self.submit_bytes(CBOR_SEQUENCE, sequence).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Posts bytes of either form.
    pub async fn submit_bytes(&self, media_type: &str, bytes: Vec<u8>) -> Answer {
        answer(self.request(Method::POST, "/api/v1/events").header(CONTENT_TYPE, media_type).body(bytes)).await
    }
}

/// Sends a request and reads the whole answer.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"));
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.unwrap_or_else(|error| panic!("the answer broke off: {error:?}")).to_vec();
    Answer { status, headers, body }
}
