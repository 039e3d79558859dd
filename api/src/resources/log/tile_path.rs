//! Names of tiles in URLs, as C2SP tlog-tiles writes them: `0/x001/x234/067`, partial ones with `.p/5` at the end.

/// Hashes or entries of a full tile.
const FULL_WIDTH: u16 = 256;

/// A tree of 2^64 leaves has 8 rows of tiles.
const MAX_LEVEL: u8 = 7;

/// Seven elements name 10^21 tiles, more than a 64-bit index.
const MAX_ELEMENTS: usize = 7;

/// Which tile is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TilePath {
    /// A row of hashes, 0 at the leaves; none for the entries themselves.
    pub(super) level: Option<u8>,
    /// Which tile of the row.
    pub(super) index: u64,
    /// How many hashes or entries, 1 to 256.
    pub(super) width: u16,
}

impl TilePath {
    /// Reads the path behind `/log/tile/`. Each tile has one name; others are not understood.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let (row, rest) = path.split_once('/')?;
        let level =
            if row == "entries" { None } else { Some(number(row).filter(|level| *level <= u64::from(MAX_LEVEL))?) };
        let (name, width) = match rest.split_once(".p/") {
            None => (rest, FULL_WIDTH),
            Some((name, width)) => {
                let width = number(width).filter(|width| (1..u64::from(FULL_WIDTH)).contains(width))?;
                (name, u16::try_from(width).ok()?)
            }
        };
        let index = index(name)?;
        Some(Self { level: level.and_then(|level| u8::try_from(level).ok()), index, width })
    }

    /// Whether the tile has all that it will ever have.
    pub(super) fn is_full(&self) -> bool {
        self.width == FULL_WIDTH
    }
}

/// Elements of three digits, all but the last with an `x` before them.
fn index(name: &str) -> Option<u64> {
    let elements: Vec<&str> = name.split('/').collect();
    if elements.len() > MAX_ELEMENTS {
        return None;
    }
    let mut index: u64 = 0;
    for (position, element) in elements.iter().enumerate() {
        let last = position + 1 == elements.len();
        let digits = if last { element } else { element.strip_prefix('x')? };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        // A name with more elements than the number needs would be a second one.
        if position == 0 && !last && digits == "000" {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some(index)
}

/// A decimal number without zeros before it.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        let tile = |level, index, width| Some(TilePath { level, index, width });
        assert_eq!(TilePath::parse("0/x001/x234/067"), tile(Some(0), 1_234_067, 256));
        assert_eq!(TilePath::parse("0/x001/x234/067.p/5"), tile(Some(0), 1_234_067, 5));
        assert_eq!(TilePath::parse("entries/000"), tile(None, 0, 256));
        assert_eq!(TilePath::parse("7/255.p/255"), tile(Some(7), 255, 255));
    }

    #[test]
    fn each_tile_has_one_name() {
        for wrong in [
            "",
            "0",
            "0/",
            "0/0",
            "0/0000",
            "0/x000/001",
            "8/000",
            "00/000",
            "+1/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/05",
            "0/000.p/",
            "0/001/002",
            "0/x001",
            "0/X001/002",
            "0/x99/999",
            "entries/-01",
            "0/x999/x999/x999/x999/x999/x999/999",
            "0/000/..",
        ] {
            assert_eq!(TilePath::parse(wrong), None, "{wrong}");
        }
    }
}
