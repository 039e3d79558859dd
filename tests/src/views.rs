//! Everything that a node shows of the events that it has, in a form that two nodes can be compared in.

use crate::client::{COSE, Client, answer};
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::Value;
use std::collections::BTreeMap;

/// What tells of the node rather than of the events: where an entry stands in its log, how far its
/// log is anchored, and which keys it keeps.
const OF_THE_NODE: [&str; 3] = ["log_index", "proof", "kept_here"];

/// What is shown, by URL.
pub type Shown = BTreeMap<String, Vec<u8>>;

/// Reads all lots, units, handovers, actors, places, certificates, recalls and events.
pub async fn all(client: &Client) -> Shown {
    let mut shown = Shown::new();
    for list in ["produces", "units", "transfers", "actors", "places", "certificates", "recalls"] {
        let list = format!("/api/v1/{list}");
        let members = client.all(&format!("{list}?limit=3")).await;
        let ids: Vec<String> = members.iter().map(|member| member["id"].to_string()).collect();
        shown.insert(format!("the order of {list}"), ids.join(" ").into_bytes());
        for id in ids {
            let one = format!("{list}/{}", id.trim_matches('"'));
            keep(client, &mut shown, &one).await;
            let parts: &[&str] = match list.as_str() {
                "/api/v1/produces" => &["history", "prices", "transfers"],
                "/api/v1/actors" => &["events"],
                _ => &[],
            };
            for part in parts {
                keep(client, &mut shown, &format!("{one}/{part}")).await;
            }
            if list == "/api/v1/produces" {
                let code = client.read(&format!("{one}/qr.svg")).await;
                assert_eq!(code.status, 200);
                shown.insert(format!("{one}/qr.svg"), code.body);
            }
        }
    }
    for id in event_ids(client).await {
        let path = format!("/api/v1/events/{id}");
        keep(client, &mut shown, &path).await;
        shown.insert(format!("the bytes of {path}"), bytes(client, &id).await);
    }
    shown
}

/// The ids of all events in the order of the node's log.
pub async fn event_ids(client: &Client) -> Vec<String> {
    let events = client.all("/api/v1/events?limit=1000").await;
    events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect()
}

/// An event's exact bytes.
pub async fn bytes(client: &Client, id: &str) -> Vec<u8> {
    let answer = answer(client.anonymous(Method::GET, &format!("/api/v1/events/{id}")).header(ACCEPT, COSE)).await;
    assert_eq!(answer.status, 200, "event {id}: {}", answer.text());
    answer.body
}

/// Demands that two nodes show the same, byte by byte.
///
/// # Panics
///
/// Where they do not, with the first difference.
pub fn assert_same(one: &Shown, other: &Shown) {
    let urls = |shown: &Shown| shown.keys().cloned().collect::<Vec<_>>();
    assert_eq!(urls(one), urls(other), "they show other things");
    for (url, body) in one {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(*body == other[url], "{url}\none:   {}\nother: {}", text(body), text(&other[url]));
    }
}

async fn keep(client: &Client, shown: &mut Shown, path: &str) {
    let mut resource = client.get(path).await;
    strip(&mut resource);
    shown.insert(path.to_owned(), resource.to_string().into_bytes());
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !OF_THE_NODE.contains(&name.as_str()));
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
