//! Finding actors and places by the names that people use, where an id could stand.

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::output::printable;
use provenance::id::SubjectId;
use serde_json::Value;

/// More are not searched by name; beyond this a clerk should use ids.
const MAX_LISTED: usize = 100_000;

/// Actors or places of the node, once read.
#[derive(Debug)]
pub(crate) struct Directory {
    what: &'static str,
    entries: Vec<Value>,
}

impl Directory {
    /// Everybody whom the node knows.
    pub(crate) async fn actors(client: &Client) -> Result<Self, Failure> {
        Ok(Self { what: "actor", entries: client.all("/actors?limit=200", MAX_LISTED).await? })
    }

    /// All places that the node knows.
    pub(crate) async fn places(client: &Client) -> Result<Self, Failure> {
        Ok(Self { what: "place", entries: client.all("/places?limit=200", MAX_LISTED).await? })
    }

    /// The one entry of this id or name.
    pub(crate) fn find(&self, id_or_name: &str) -> Result<&Value, Failure> {
        let is_id = id_or_name.parse::<SubjectId>().is_ok();
        let matches = |entry: &&Value| {
            if is_id { id_of(entry) == id_or_name } else { names(entry).any(|name| name == id_or_name) }
        };
        let found: Vec<&Value> = self.entries.iter().filter(matches).collect();
        let what = self.what;
        match found[..] {
            [entry] => Ok(entry),
            [] => Err(Failure::new(
                Exit::BadInput,
                format!("this node knows no {what} '{}'; see 'furrow {what} list'", printable(id_or_name)),
            )),
            _ => {
                let ids: Vec<&str> = found.iter().map(|entry| id_of(entry)).collect();
                let message = format!(
                    "{} {what}s are called '{id_or_name}'; name the one that is meant by its id: {}",
                    ids.len(),
                    ids.join(", ")
                );
                Err(Failure::new(Exit::BadInput, message))
            }
        }
    }
}

/// The id of the actor of this id or name.
pub(crate) async fn actor(client: &Client, id_or_name: &str) -> Result<String, Failure> {
    if id_or_name.parse::<SubjectId>().is_ok() {
        return Ok(id_or_name.to_owned());
    }
    Directory::actors(client).await?.find(id_or_name).map(|entry| id_of(entry).to_owned())
}

/// The id of the place of this id or name.
pub(crate) async fn place(client: &Client, id_or_name: &str) -> Result<String, Failure> {
    if id_or_name.parse::<SubjectId>().is_ok() {
        return Ok(id_or_name.to_owned());
    }
    Directory::places(client).await?.find(id_or_name).map(|entry| id_of(entry).to_owned())
}

/// The id of a resource.
pub(crate) fn id_of(entry: &Value) -> &str {
    entry.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// The names of an actor or a place, in all languages.
fn names(entry: &Value) -> impl Iterator<Item = &str> {
    let display = entry.get("display_name").and_then(Value::as_str);
    let name = entry.get("name");
    let plain = name.and_then(Value::as_str);
    let languages = name.and_then(Value::as_object).into_iter().flat_map(|map| map.values().filter_map(Value::as_str));
    display.into_iter().chain(plain).chain(languages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn directory() -> Directory {
        let id = |byte| SubjectId::from_bytes([byte; 32]).to_string();
        let entries = vec![
            json!({ "id": id(1), "display_name": "Hof Quast" }),
            json!({ "id": id(2), "name": { "de": "Jork", "en": "York" } }),
            json!({ "id": id(3), "display_name": "Twin" }),
            json!({ "id": id(4), "display_name": "Twin" }),
        ];
        Directory { what: "actor", entries }
    }

    #[test]
    fn ids_and_names_find_one_entry() {
        let directory = directory();
        let first = SubjectId::from_bytes([1; 32]).to_string();
        assert_eq!(id_of(directory.find("Hof Quast").unwrap()), first);
        assert_eq!(id_of(directory.find(&first).unwrap()), first);
        assert!(directory.find("York").is_ok() && directory.find("Jork").is_ok());
        assert!(directory.find("Nobody").unwrap_err().to_string().contains("knows no actor"));
        assert!(directory.find("Twin").unwrap_err().to_string().contains("2 actors"));
    }
}
