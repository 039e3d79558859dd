//! Names of tiles (C2SP tlog-tiles), and the comparison of all rows above the leaves.

use super::Stopped;
use crate::client::Client;
use crate::failure::Failure;
use ledger::Ledger;
use provenance::merkle::TILE_WIDTH;

/// The row that a tile belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// The entries themselves.
    Entries,
    /// Hashes, 0 at the leaves.
    Hashes(u8),
}

/// The path of a tile in a log of which this many members of its row exist.
pub(super) fn path(row: Row, tile: u64, members: u64) -> String {
    let row = match row {
        Row::Entries => "entries".to_owned(),
        Row::Hashes(level) => level.to_string(),
    };
    let width = width(tile, members);
    let partial = if width < TILE_WIDTH { format!(".p/{width}") } else { String::new() };
    format!("/log/tile/{row}/{}{partial}", name(tile))
}

/// How many members a tile has.
pub(super) fn width(tile: u64, members: u64) -> u64 {
    members.saturating_sub(tile * TILE_WIDTH).min(TILE_WIDTH)
}

/// Three digits an element, all but the last with an `x` before them.
fn name(tile: u64) -> String {
    let mut name = format!("{:03}", tile % 1000);
    let mut rest = tile / 1000;
    while rest > 0 {
        name = format!("x{:03}/{name}", rest % 1000);
        rest /= 1000;
    }
    name
}

/// Compares the node's tiles above the leaves with those that the auditor's own log has at this size.
pub(super) async fn compare(node: &Client, own: &Ledger, size: u64) -> Result<(), Stopped> {
    for level in 1..8_u8 {
        let members = size >> (u32::from(level) * 8);
        for tile in 0..members.div_ceil(TILE_WIDTH) {
            let path = path(Row::Hashes(level), tile, members);
            let expected = own.tile(level, tile, width(tile, members)).map_err(Failure::from)?;
            let found = node.find_file(&path).await?;
            if found.is_none() || found != expected {
                let what = if found.is_none() { "is missing" } else { "has other hashes than the entries make" };
                return Err(Stopped::refuted("hash tiles", format!("the tile {path} {what}")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_specification() {
        assert_eq!(path(Row::Hashes(0), 1_234_067, u64::MAX / 2), "/log/tile/0/x001/x234/067");
        assert_eq!(path(Row::Entries, 0, 5), "/log/tile/entries/000.p/5");
        assert_eq!(path(Row::Entries, 0, 256), "/log/tile/entries/000");
        assert_eq!(path(Row::Hashes(1), 1000, 256_001), "/log/tile/1/x001/000.p/1");
    }
}
