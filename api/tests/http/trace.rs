//! Traces and recall reports, as JSON and as CSV, and what a history is known by.

use crate::support::{Node, id};
use axum::http::{StatusCode, header};
use serde_json::{Value, json};

fn ids<'a>(lots: &'a Value, field: &str) -> Vec<&'a str> {
    lots.as_array().unwrap().iter().map(|lot| lot[field].as_str().unwrap()).collect()
}

/// A farm's lot, of which a shop with an odd name has 300 kg.
async fn sold(node: &Node) -> (String, String) {
    let farm = node.enrol("Hillside Farm", "farmer").await;
    let shop = node.enrol("=Corner, \"Shop\"", "retailer").await;
    let field = node.place(&farm, "Hillside", 45.12, 5.98).await;
    let lot = node.apples(&farm, &field).await;
    let offer = json!({"actor": farm, "quantity": {"value": "300", "unit": "KGM"}, "to": {"actor": shop}});
    let transfer = node.post(&format!("/api/v1/produces/{lot}/transfers"), offer).await;
    node.post(&format!("/api/v1/transfers/{}/acceptance", id(&transfer)), json!({})).await;
    (lot, field)
}

#[tokio::test]
async fn a_lot_is_traced_both_ways() {
    let node = Node::start();
    let (lot, _) = sold(&node).await;
    let down = node.read(&format!("/api/v1/produces/{lot}/trace?direction=downstream")).await;
    assert_eq!(down["more"], false);
    let reached = ids(&down["lots"], "subject");
    assert_eq!((reached.len(), reached[0]), (2, lot.as_str()));
    assert_eq!((&down["lots"][1]["how"], &down["lots"][1]["from"]), (&json!("part"), &json!(lot)));
    let up = node.read(&format!("/api/v1/produces/{}/trace", reached[1])).await;
    assert_eq!(ids(&up["lots"], "subject"), [reached[1], lot.as_str()]);
    let cut = node.read(&format!("/api/v1/produces/{lot}/trace?direction=downstream&limit=1")).await;
    assert_eq!((cut["lots"].as_array().unwrap().len(), &cut["more"]), (1, &json!(true)));

    for wrong in ["direction=sideways", "limit=0", "limit=1000000", "depth=-1"] {
        let answer = node.get(&format!("/api/v1/produces/{lot}/trace?{wrong}")).await;
        assert_eq!(answer.problem().0, "malformed-query", "{wrong}");
    }
    let nobody = format!("/api/v1/produces/{}/trace", node.founder);
    assert_eq!(node.get(&nobody).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_recall_report_is_read_by_programs_and_by_tables() {
    let node = Node::start();
    let (lot, field) = sold(&node).await;
    let report = node.read(&format!("/api/v1/produces/{lot}/recall-report")).await;
    let names = ids(&report["holders"], "name");
    assert!(names.contains(&"Hillside Farm") && names.contains(&"=Corner, \"Shop\""), "{names:?}");
    assert_eq!(report["lots"][0]["balance"]["value"], "700");
    assert_eq!(report["lots"][1]["balance"]["value"], "300");

    let place = format!("/api/v1/places/{field}/recall-report");
    assert_eq!(ids(&node.read(&place).await["lots"], "id"), ids(&report["lots"], "id"));
    assert_eq!(node.read(&format!("{place}?until=2020-01-01")).await["lots"], json!([]));
    assert_eq!(node.get(&format!("{place}?from=yesterday")).await.problem().1, "from");

    let answer = node.get_with(&place, &[(header::ACCEPT, "text/csv")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header(header::CONTENT_TYPE).starts_with("text/csv"));
    let (csv, mut lines) = (answer.text(), 0);
    for line in csv.split_terminator("\r\n") {
        lines += 1;
        assert!(!line.contains(",="), "a formula: {line}");
    }
    assert_eq!(lines, 3, "{csv}");
    assert!(csv.contains("\"'=Corner, \"\"Shop\"\"\""), "{csv}");
}
