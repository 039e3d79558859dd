//! Representations: a resource with its links (HAL) and what the caller may do with it now (HAL-FORMS).

use crate::links::HAL_JSON;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use provenance::id::EventId;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Link {
    /// Where it leads; from the root of the host.
    href: String,
    /// What people may call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// Whether `href` is a URI template (RFC 6570).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    templated: bool,
    /// The media type, where it is not HAL.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    media_type: Option<&'static str>,
}

/// Links by their relation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Links(Vec<(&'static str, Target)>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Target {
    One(Link),
    Many(Vec<Link>),
}

impl Links {
    /// The links of the resource at `href`.
    pub(crate) fn to_self(href: impl Into<String>) -> Self {
        Self::default().and("self", href)
    }

    /// Adds a link.
    #[must_use]
    pub(crate) fn and(self, relation: &'static str, href: impl Into<String>) -> Self {
        self.push(relation, Target::One(Link { href: href.into(), title: None, templated: false, media_type: None }))
    }

    /// Adds a link, where there is something to link to.
    #[must_use]
    pub(crate) fn and_maybe(self, relation: &'static str, href: Option<String>) -> Self {
        match href {
            Some(href) => self.and(relation, href),
            None => self,
        }
    }

    /// Adds a link with the name of what it leads to.
    #[must_use]
    pub(crate) fn titled(self, relation: &'static str, href: String, title: Option<String>) -> Self {
        self.push(relation, Target::One(Link { href, title, templated: false, media_type: None }))
    }

    /// Adds a link to something that is not HAL.
    #[must_use]
    pub(crate) fn typed(self, relation: &'static str, href: impl Into<String>, media_type: &'static str) -> Self {
        self.push(
            relation,
            Target::One(Link { href: href.into(), title: None, templated: false, media_type: Some(media_type) }),
        )
    }

    /// Adds a URI template.
    #[must_use]
    pub(crate) fn templated(self, relation: &'static str, href: impl Into<String>) -> Self {
        self.push(relation, Target::One(Link { href: href.into(), title: None, templated: true, media_type: None }))
    }

    /// Adds all links of one relation, which is a list even if there is only one.
    #[must_use]
    pub(crate) fn many(
        self,
        relation: &'static str,
        links: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Self {
        let link = |(href, title)| Link { href, title, templated: false, media_type: None };
        self.push(relation, Target::Many(links.into_iter().map(link).collect()))
    }

    fn push(mut self, relation: &'static str, target: Target) -> Self {
        self.0.push((relation, target));
        self
    }

    fn href(&self, relation: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == relation).and_then(|(_, target)| match target {
            Target::One(link) => Some(link.href.as_str()),
            Target::Many(_) => None,
        })
    }
}

impl Serialize for Links {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(relation, target)| (relation, target)))
    }
}

/// Something that the caller may do now (HAL-FORMS template).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Action {
    #[serde(skip)]
    name: &'static str,
    /// What it does, for people.
    title: &'static str,
    /// The HTTP method.
    method: &'static str,
    /// Where to send it.
    target: String,
    /// The media type to send.
    content_type: &'static str,
    /// The fields that it takes.
    properties: Vec<Property>,
}

/// A field of an action.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Property {
    /// Its name in the JSON.
    name: &'static str,
    /// What to put in, for people.
    prompt: &'static str,
    /// Whether it must be given.
    required: bool,
    /// What stands there unless something else is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

impl Action {
    /// An action that takes JSON.
    pub(crate) fn new(name: &'static str, title: &'static str, method: &'static str, target: String) -> Self {
        Self { name, title, method, target, content_type: "application/json", properties: Vec::new() }
    }

    /// Takes another media type.
    #[must_use]
    pub(crate) fn sending(mut self, content_type: &'static str) -> Self {
        self.content_type = content_type;
        self
    }

    /// Takes a field that must be given.
    #[must_use]
    pub(crate) fn needs(mut self, name: &'static str, prompt: &'static str) -> Self {
        self.properties.push(Property { name, prompt, required: true, value: None });
        self
    }

    /// Takes a field that may be given.
    #[must_use]
    pub(crate) fn takes(mut self, name: &'static str, prompt: &'static str) -> Self {
        self.properties.push(Property { name, prompt, required: false, value: None });
        self
    }
}

/// Actions by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Actions(Vec<Action>);

impl PartialSchema for Links {
    fn schema() -> RefOr<Schema> {
        let one = || Ref::from_schema_name("Link");
        let target = OneOfBuilder::new().item(one()).item(ArrayBuilder::new().items(one()));
        by_name("Links by their relation", Schema::from(target))
    }
}

impl ToSchema for Links {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("Link".to_owned(), Link::schema()));
    }
}

impl PartialSchema for Actions {
    fn schema() -> RefOr<Schema> {
        by_name("Actions by name, for callers that may take them now", Ref::from_schema_name("Action"))
    }
}

impl ToSchema for Actions {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("Action".to_owned(), Action::schema()));
        Action::schemas(schemas);
    }
}

/// An object whose values are all of one schema.
fn by_name(about: &str, value: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    let values = AdditionalProperties::RefOr(value.into());
    ObjectBuilder::new().additional_properties(Some(values)).description(Some(about)).into()
}

impl Serialize for Actions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for action in &self.0 {
            map.serialize_entry(action.name, action)?;
        }
        map.end()
    }
}

/// The event that a write made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct WrittenEvent {
    /// Its id: SHA-256 of its signed bytes.
    #[schema(value_type = String)]
    pub(crate) id: EventId,
    /// Where it stands in this node's log.
    pub(crate) log_index: u64,
}

/// A resource with its links, and after a write the event that was made.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Resource<T> {
    #[serde(flatten)]
    value: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<WrittenEvent>,
    #[serde(rename = "_links")]
    links: Links,
    #[serde(rename = "_templates", skip_serializing_if = "no_actions")]
    #[schema(required = false)]
    actions: Actions,
}

fn no_actions(actions: &Actions) -> bool {
    actions.0.is_empty()
}

impl<T> Resource<T> {
    /// A resource without actions.
    pub(crate) fn new(value: T, links: Links) -> Self {
        Self { value, event: None, links, actions: Actions::default() }
    }

    /// Offers an action.
    #[must_use]
    pub(crate) fn offering(mut self, action: Action) -> Self {
        self.actions.0.push(action);
        self
    }

    /// Names the event that was made.
    #[must_use]
    pub(crate) fn written(mut self, event: WrittenEvent) -> Self {
        self.event = Some(event);
        self
    }
}

impl<T: Serialize> IntoResponse for Resource<T> {
    fn into_response(self) -> Response {
        hal(StatusCode::OK, &self)
    }
}

/// A resource that did not exist before: 201 with its `Location`.
#[derive(Debug)]
pub(crate) struct Created<T>(pub(crate) Resource<T>);

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let location = self.0.links.href("self").and_then(|href| HeaderValue::from_str(href).ok());
        let mut response = hal(StatusCode::CREATED, &self.0);
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// A page of a list. Its members stand under the registered relation `item`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// How many members this page has.
    count: usize,
    /// The members.
    #[serde(rename = "_embedded")]
    embedded: Embedded<T>,
}

/// The members of a page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Embedded<T> {
    item: Vec<Resource<T>>,
}

impl<T> Page<T> {
    /// A page of these members.
    pub(crate) fn of(item: Vec<Resource<T>>) -> Self {
        Self { count: item.len(), embedded: Embedded { item } }
    }
}

fn hal(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = (status, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(HAL_JSON));
    // Views change with every event; what never changes says so itself.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    // Actions are shown only to those who may take them.
    headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    #[test]
    fn a_resource_is_hal() {
        #[derive(Serialize)]
        struct Lot {
            name: &'static str,
        }
        let links = Links::to_self("/l/1").many("place", [("/p/1".to_owned(), None)]).templated("search", "/l{?q}");
        let resource = Resource::new(Lot { name: "Apples" }, links).offering(
            Action::new("retire", "Retire", "POST", "/l/1/retirement".into()).needs("outcome", "How it left"),
        );
        assert_eq!(
            to_value(resource).unwrap(),
            json!({
                "name": "Apples",
                "_links": {
                    "self": {"href": "/l/1"},
                    "place": [{"href": "/p/1"}],
                    "search": {"href": "/l{?q}", "templated": true}
                },
                "_templates": {"retire": {
                    "title": "Retire", "method": "POST", "target": "/l/1/retirement", "contentType": "application/json",
                    "properties": [{"name": "outcome", "prompt": "How it left", "required": true}]
                }}
            })
        );
    }
}
