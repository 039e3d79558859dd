//! A harvest as a CSV file: its columns, the rules of each, and the commands that its rows become.

mod columns;
mod row;

#[cfg(test)]
pub(crate) use columns::COLUMNS;
pub(crate) use row::Row;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// More rows than any cooperative harvests in a season; larger files are split.
const MAX_ROWS: usize = 100_000;

/// After so many faults the rest is more of the same.
const MAX_FAULTS: usize = 500;

/// Something wrong in the file: where, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// Line of the file, from 1.
    pub(crate) line: u64,
    /// The column's name; empty where the whole line is meant.
    pub(crate) column: &'static str,
    /// What was wrong and what to do.
    pub(crate) rule: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            "" => write!(f, "line {}: {}", self.line, self.rule),
            column => write!(f, "line {}, column {column}: {}", self.line, self.rule),
        }
    }
}

/// Reads the whole file. Either every row is good, or all faults are told.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Row>, Vec<Fault>> {
    let bytes = plain(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes.as_slice());
    let headings = reader.headers().map_err(|error| vec![unreadable(1, &error)])?.clone();
    let layout = columns::layout(&headings)?;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for record in reader.records() {
        if rows.len() >= MAX_ROWS {
            let rule = format!("the file has more than {MAX_ROWS} rows; split it");
            faults.push(Fault { line: 0, column: "", rule });
            break;
        }
        if faults.len() >= MAX_FAULTS {
            break;
        }
        match record {
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) => match Row::read(&layout, &record, line_of(&bytes, record.position()), headings.len()) {
                Ok(row) => rows.push(row),
                Err(found) => faults.extend(found),
            },
            Err(error) => {
                faults.push(unreadable(line_of(&bytes, error.position()), &error));
            }
        }
    }
    faults.extend(across(&rows));
    if rows.is_empty() && faults.is_empty() {
        faults.push(Fault { line: 1, column: "", rule: "the file has no rows below its headings".to_owned() });
    }
    faults.sort();
    faults.truncate(MAX_FAULTS);
    if faults.is_empty() { Ok(rows) } else { Err(faults) }
}

/// Rules that concern several rows: keys are distinct, and a farm is at one place.
fn across(rows: &[Row]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let (mut keys, mut farms) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        if let Some(first) = keys.insert(row.key.as_str(), row.line) {
            let rule = if row.has_own_key {
                format!("the key '{}' stands in line {first} already; give each row a key of its own", row.key)
            } else {
                format!("this row is the same as line {first}; remove it, or add the column 'key' to tell them apart")
            };
            faults.push(Fault { line: row.line, column: if row.has_own_key { "key" } else { "" }, rule });
        }
        let farm = (&row.farm, row.line);
        let (known, line) = *farms.entry((row.farmer.as_deref(), row.farm.name.as_str())).or_insert(farm);
        if *known != row.farm {
            let rule = format!(
                "'{}' has another point or country than in line {line}; give both rows the same",
                row.farm.name
            );
            faults.push(Fault { line: row.line, column: "place", rule });
        }
    }
    faults
}

/// The names of all farmers in the rows.
pub(crate) fn farmers(rows: &[Row]) -> BTreeSet<&str> {
    rows.iter().filter_map(|row| row.farmer.as_deref()).collect()
}

/// Without the byte order mark that a spreadsheet may put in front, and with one sort of line ends.
fn plain(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut plain = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(at + 1) != Some(&b'\n') {
            plain.push(*byte);
        }
    }
    plain
}

/// The line on which a record begins; the reader's position lies before the empty lines that it skips.
fn line_of(bytes: &[u8], position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX).min(bytes.len());
    let skipped = bytes[start..].iter().take_while(|byte| **byte == b'\n').count();
    position.line() + skipped as u64
}

fn unreadable(line: u64, error: &csv::Error) -> Fault {
    let rule = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8; save the file as 'CSV UTF-8'".to_owned(),
        _ => format!("the line cannot be read as CSV: {error}"),
    };
    Fault { line: line.max(1), column: "", rule }
}

#[cfg(test)]
mod tests;
