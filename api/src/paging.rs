//! Pages of lists: how many members, and where the next page begins.

use crate::extract::from_query;
use crate::hal::Links;
use crate::limits::{DEFAULT_PAGE, MAX_PAGE};
use crate::links;
use crate::problem::{Code, Problem, sentence};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use ledger::view::{Cursor, CursorError, PageSize};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

/// The number of members that a page may have.
pub(crate) fn page_size(limit: Option<usize>) -> Result<usize, Problem> {
    page_size_up_to(MAX_PAGE, limit)
}

/// The same where another number is allowed.
pub(crate) fn page_size_up_to(max: usize, limit: Option<usize>) -> Result<usize, Problem> {
    match limit {
        None => Ok(DEFAULT_PAGE),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(_) => {
            let detail = format!("A page has 1 to {max} members. Ask for fewer, and follow the link next.");
            Err(Problem::new(Code::MalformedQuery, detail).field("limit").rule("range"))
        }
    }
}

/// Which page of a list; beside it stands what the list is filtered by.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Where the page begins: from the link `next`.
    cursor: Option<String>,
    /// 1 to 200; 50 without it.
    limit: Option<usize>,
}

/// The filter of a list that has none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unfiltered {}

/// The query of a list: what it is filtered by, and which page of it.
#[derive(Debug)]
pub(crate) struct Paged<F> {
    pub filter: F,
    pub size: PageSize,
    pub cursor: Option<Cursor>,
    /// The filter's parameters as they were given, for links to this page and the next one.
    given: Vec<(String, String)>,
    page: PageQuery,
}

impl<S: Send + Sync, F: DeserializeOwned> FromRequestParts<S> for Paged<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        let (page, given): (Vec<_>, Vec<_>) = pairs.partition(|(name, _)| name == "cursor" || name == "limit");
        let filter = from_query(&encoded(&given))?;
        let page: PageQuery = from_query(&encoded(&page))?;
        let size = PageSize::new(page_size(page.limit)?);
        let cursor = page.cursor.as_deref().map(str::parse).transpose().map_err(|error: CursorError| {
            Problem::new(Code::MalformedQuery, sentence(&error.to_string())).field("cursor").rule("cursor")
        });
        Ok(Self { filter, size, cursor: cursor?, given, page })
    }
}

fn encoded(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

impl<F> Paged<F> {
    /// Links of this page of the list at `path`, to which the entry leads, where the next one begins at `next`.
    pub fn links(&self, path: &str, next: Option<Cursor>) -> Links {
        self.links_below(path, next, "up", links::entry())
    }

    /// The same of a list that belongs to another resource, which is linked so.
    pub fn links_below(&self, path: &str, next: Option<Cursor>, relation: &'static str, parent: String) -> Links {
        let next = next.map(|next| self.url(path, Some(next.to_string())));
        Links::to_self(self.url(path, self.page.cursor.clone())).and(relation, parent).and_maybe("next", next)
    }

    fn url(&self, path: &str, cursor: Option<String>) -> String {
        let given = self.given.iter().map(|(name, value)| (name.as_str(), Some(value.clone())));
        let limit = self.page.limit.map(|limit| limit.to_string());
        links::with_query(path, &given.chain([("cursor", cursor), ("limit", limit)]).collect::<Vec<_>>())
    }
}
