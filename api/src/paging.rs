//! Pages of lists: how many members, and where the next page begins.

use crate::limits::{DEFAULT_PAGE, MAX_PAGE};
use crate::problem::{Code, Problem, sentence};
use ledger::view::{Cursor, PageSize};

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

/// Size and beginning of a page of a view.
pub(crate) fn of_view(limit: Option<usize>, cursor: Option<&str>) -> Result<(PageSize, Option<Cursor>), Problem> {
    let size = PageSize::new(page_size(limit)?);
    let cursor = cursor.map(str::parse).transpose().map_err(|error: ledger::view::CursorError| {
        Problem::new(Code::MalformedQuery, sentence(&error.to_string())).field("cursor").rule("cursor")
    });
    Ok((size, cursor?))
}
