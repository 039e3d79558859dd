//! The `OpenAPI` 3.1 document, generated from the routes.

use crate::problem::{Code, Problem};
use crate::routes::documented;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use std::sync::LazyLock;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

/// The document as JSON, with a newline at its end.
pub fn openapi() -> String {
    JSON.clone()
}

/// Generated once: it depends on nothing but the program.
static JSON: LazyLock<String> = LazyLock::new(|| {
    let mut document = documented().into_openapi();
    complete(&mut document);
    let mut json = document.to_pretty_json().expect("the document has only text keys");
    json.push('\n');
    json
});

/// Name of the security scheme.
const TOKEN: &str = "token";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Furrow",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    components(schemas(Problem)),
    tags(
        (name = "entry", description = "Where to begin"),
        (name = "produce", description = "Lots: register, read, change, hand out labels"),
        (name = "units", description = "Cartons, pallets and containers, and what lies in them"),
        (name = "transfers", description = "Handovers between actors"),
        (name = "events", description = "The signed events behind everything"),
        (name = "actors", description = "Who takes part"),
        (name = "places", description = "Where things happen"),
        (name = "certificates", description = "Who may sell what under a scheme"),
        (name = "recalls", description = "Warnings of lots"),
        (name = "anchors", description = "What was committed to a chain"),
        (name = "log", description = "The log and proofs about it"),
        (name = "network", description = "The network and the nodes that are connected"),
        (name = "operations", description = "How the node is"),
        (name = "consumers", description = "The page behind the QR code"),
    ),
)]
struct Skeleton;

/// The document before any route.
pub(crate) fn skeleton() -> utoipa::openapi::OpenApi {
    let mut document = Skeleton::openapi();
    document.info.description = Some(description());
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The node's token, needed to write"))
        .build();
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert(TOKEN.to_owned(), SecurityScheme::Http(scheme).into());
    document
}

/// The document.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "entry", operation_id = "read_openapi",
    responses((status = 200, description = "This document", body = Object, content_type = "application/vnd.oai.openapi+json")),
)]
pub(crate) async fn read() -> Response {
    ([(header::CONTENT_TYPE, "application/vnd.oai.openapi+json;version=3.1")], openapi()).into_response()
}

/// What holds for every endpoint, said once.
fn description() -> String {
    let mut text = String::from(
        "A node of Furrow, which keeps the provenance of agricultural produce. Resources are HAL (`application/hal+json`) with \
         links to all that is related; with the token, `_templates` (HAL-FORMS) holds what may be done now. Ids have 52 characters \
         of base32. Times are RFC 3339 in UTC. Failures are problem details (RFC 9457), whose `type` is `urn:furrow:problem:` and \
         one of these codes:\n\n| code | status | meaning |\n| --- | --- | --- |\n",
    );
    for code in Code::ALL {
        let row = (code.as_str(), code.status().as_u16(), code.meaning().trim());
        writeln!(text, "| `{}` | {} | {} |", row.0, row.1, row.2).expect("writing to a string cannot fail");
    }
    text
}

/// Adds what every operation has, and writes paths as `OpenAPI` does.
fn complete(document: &mut utoipa::openapi::OpenApi) {
    let paths = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in paths {
        let PathItem { get, post, patch, delete, .. } = &mut item;
        for operation in [get, post, patch, delete].into_iter().flatten() {
            add_default_problem(operation);
        }
        for operation in [post, patch, delete].into_iter().flatten() {
            operation.security = Some(vec![SecurityRequirement::new(TOKEN, [] as [&str; 0])]);
        }
        document.paths.paths.insert(path.replace("{*", "{"), item);
    }
}

/// Whatever else goes wrong, it is a problem.
fn add_default_problem(operation: &mut Operation) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new()
        .description("Any other failure, such as a node that is busy, or for writes a token that is missing")
        .content("application/problem+json", content);
    operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(response.build()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::path::Path;

    /// The committed document is the one that the code gives. After a change of the interface make it anew with
    /// `UPDATE=1 cargo test -p api openapi_is_committed`, and look at the difference.
    #[test]
    fn openapi_is_committed() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
            std::fs::write(&file, openapi()).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == openapi(),
            "api/openapi.json is not what the code gives; run `UPDATE=1 cargo test -p api openapi_is_committed` and commit it"
        );
    }

    #[test]
    fn every_operation_has_a_name_a_summary_and_its_failures() {
        let document: serde_json::Value = serde_json::from_str(&openapi()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut names = HashSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(operation["summary"].is_string(), "{method} {path} has no summary");
                assert!(operation["responses"]["default"].is_object(), "{method} {path}");
                assert!(names.insert(operation["operationId"].to_string()), "{method} {path} shares its name");
                let declared = path.matches('{').count();
                let parameters = operation["parameters"]
                    .as_array()
                    .map_or(0, |all| all.iter().filter(|p| p["in"] == "path").count());
                assert_eq!(declared, parameters, "{method} {path} does not describe its path");
            }
        }
        assert!(names.len() > 40, "only {} operations", names.len());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
            match value {
                serde_json::Value::Object(entries) => {
                    found.extend(entries.get("$ref").and_then(|target| target.as_str()));
                    entries.values().for_each(|value| references(value, found));
                }
                serde_json::Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document: serde_json::Value = serde_json::from_str(&openapi()).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for target in found {
            let pointer = target.strip_prefix('#').expect("all references are local");
            assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
        }
    }
}
