//! What cooperatives do every day, as commands to their nodes.

use crate::client::Client;
use serde_json::{Value, json};

/// An id in the JSON of a resource.
pub fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap_or_else(|| panic!("no id: {resource}")).to_owned()
}

/// Registers a farm.
pub async fn farm(client: &Client, name: &str) -> String {
    let point = json!({ "latitude": 53.52, "longitude": 9.69 });
    let farm = json!({ "place_type": "farm", "name": name, "point": point, "country": "DE" });
    id(&client.post("/api/v1/places", &farm).await)
}

/// The command that registers apples of a farm.
pub fn apples(farm: &str, kilograms: &str) -> Value {
    json!({
        "commodity": { "scheme": "HS", "code": "0808.10" },
        "name": { "en": "Apples", "de": "Äpfel" },
        "variety": "Elstar",
        "places": [farm],
        "harvested": { "first": "2026-09-28", "last": "2026-09-30" },
        "quantity": kg(kilograms),
        "grade": "A",
    })
}

/// Registers a lot of apples.
pub async fn lot(client: &Client, farm: &str, kilograms: &str) -> String {
    id(&client.post("/api/v1/produces", &apples(farm, kilograms)).await)
}

/// Enrols an actor whose key the node keeps.
pub async fn enrol(client: &Client, name: &str, role: &str) -> String {
    let actor = json!({ "key": { "kept": true }, "display_name": name, "roles": [role] });
    id(&client.post("/api/v1/actors", &actor).await)
}

/// Offers a lot, or this much of it; the transfer.
pub async fn offer(client: &Client, lot: &str, kilograms: Option<&str>, to: &str) -> Value {
    let mut offer = json!({ "to": { "actor": to } });
    if let Some(kilograms) = kilograms {
        offer["quantity"] = kg(kilograms);
    }
    client.post(&format!("/api/v1/produces/{lot}/transfers"), &offer).await
}

/// Accepts all of an offer.
pub async fn accept(client: &Client, transfer: &str) -> Value {
    client.post(&format!("/api/v1/transfers/{transfer}/acceptance"), &json!({})).await
}

/// A quantity in kilograms.
pub fn kg(value: &str) -> Value {
    json!({ "value": value, "unit": "KGM" })
}
