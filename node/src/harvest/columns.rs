//! The columns of a harvest file: which there are, and which must be filled.

use super::Fault;
use csv::StringRecord;

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its heading.
    pub(crate) name: &'static str,
    /// Whether every row needs it.
    pub(crate) required: bool,
    /// What to write in it.
    pub(crate) meaning: &'static str,
}

const fn column(name: &'static str, required: bool, meaning: &'static str) -> Column {
    Column { name, required, meaning }
}

/// Every column that a file may have.
pub(crate) const COLUMNS: [Column; 19] = [
    column(
        "key",
        false,
        "what tells this row from all others for ever, such as the slip's number; without it, the row's content",
    ),
    column("farmer", false, "name or id of the enrolled farmer; without it, the cooperative"),
    column("place", true, "name of the farm or field"),
    column("latitude", true, "degrees north, such as 53.5311"),
    column("longitude", true, "degrees east, such as 9.6842"),
    column("country", false, "two letters, such as DE"),
    column("commodity", true, "scheme and code, such as HS:0808.10"),
    column("name", true, "what people call it, such as Apples"),
    column("variety", false, "such as Elstar"),
    column("harvested", true, "day of the harvest, such as 2026-09-30, or FIRST..LAST"),
    column("quantity", true, "net quantity, such as 1250.5"),
    column("unit", true, "UN/ECE Recommendation 20: KGM, TNE, LTR, H87 and so on"),
    column("packages", false, "number of packages"),
    column("grade", false, "A, B, C or Premium, or SCHEME:VALUE"),
    column("price", false, "price of one unit, such as 2.50"),
    column("currency", false, "of the price, such as EUR"),
    column("gtin", false, "GS1 trade item number"),
    column("lot", false, "lot number on the labels, at most 20 characters"),
    column("claim", false, "number of a certificate"),
];

/// Which of the file's columns is which.
pub(crate) struct Layout(Vec<Option<usize>>);

impl Layout {
    /// The text in a column of a row; nothing if it is empty or the file does not have it.
    pub(crate) fn text<'a>(&self, record: &'a StringRecord, name: &str) -> Option<&'a str> {
        let index = COLUMNS.iter().position(|column| column.name == name).expect("only known columns are read");
        self.0[index].and_then(|at| record.get(at)).filter(|text| !text.is_empty())
    }
}

/// Finds the columns by their headings.
pub(crate) fn layout(headings: &StringRecord) -> Result<Layout, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut found = vec![None; COLUMNS.len()];
    for (at, heading) in headings.iter().enumerate() {
        match COLUMNS.iter().position(|column| column.name.eq_ignore_ascii_case(heading)) {
            Some(index) if found[index].is_none() => found[index] = Some(at),
            Some(index) => faults
                .push(fault(COLUMNS[index].name, "the heading stands in the file twice; remove one column".to_owned())),
            None => {
                let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
                faults
                    .push(fault("", format!("'{heading}' is no column of a harvest; there are {}", names.join(", "))));
            }
        }
    }
    for (column, found) in COLUMNS.iter().zip(&found) {
        if column.required && found.is_none() {
            faults.push(fault(column.name, format!("the column is missing; write in it: {}", column.meaning)));
        }
    }
    if faults.is_empty() { Ok(Layout(found)) } else { Err(faults) }
}

fn fault(column: &'static str, rule: String) -> Fault {
    Fault { line: 1, column, rule }
}
