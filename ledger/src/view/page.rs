//! Pages of lists: bounded, and continued by a cursor that stays good while rows come and go.

use provenance::id::base32;
use store::Key;

/// How many rows a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    /// More rows in one answer would serve no reader, and cost memory for each request.
    pub const MAX: usize = 200;

    /// A size of 1 to 200; what lies outside becomes the nearest of both.
    pub fn new(rows: usize) -> Self {
        Self(rows.clamp(1, Self::MAX))
    }

    pub(crate) fn rows(self) -> usize {
        self.0
    }
}

impl Default for PageSize {
    /// 50 rows: a few screens.
    fn default() -> Self {
        Self(50)
    }
}

/// Where the next page begins: after the row with this time and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) time: u64,
    pub(crate) id: [u8; 32],
}

/// Why a text is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this program gave; start again without it")]
pub struct CursorError;

impl Cursor {
    pub(crate) fn after<Id: Key>(time: u64, id: &Id) -> Self {
        let id = id.to_bytes().try_into().expect("rows are found by ids of 32 bytes");
        Self { time, id }
    }

    pub(crate) fn id<Id: Key>(&self) -> Id {
        Id::from_bytes(&self.id).expect("any 32 bytes are an id")
    }
}

impl std::fmt::Display for Cursor {
    /// Time in hexadecimal, a hyphen, the id in base32.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}-{}", self.time, base32(&self.id))
    }
}

impl std::str::FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (time, id) = text.split_once('-').ok_or(CursorError)?;
        let time = u64::from_str_radix(time, 16).map_err(|_| CursorError)?;
        let id: provenance::id::EventId = id.parse().map_err(|_| CursorError)?;
        Ok(Self { time, id: *id.as_bytes() })
    }
}

/// Some rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<Row> {
    /// The rows, newest first; fewer than asked for where the filter left some out.
    pub rows: Vec<Row>,
    /// From where to go on; none at the end of the list.
    pub next: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_from_its_text() {
        let cursor = Cursor { time: 1_763_000_000_000, id: [0xa5; 32] };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "-", "5", "zz-aaaa", "5-aaaa"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(CursorError), "{wrong}");
        }
    }

    #[test]
    fn page_sizes_are_bounded() {
        assert_eq!(PageSize::new(0).rows(), 1);
        assert_eq!(PageSize::new(usize::MAX).rows(), 200);
    }
}
