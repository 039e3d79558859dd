//! Tests of reading harvest files.

use super::*;
use proptest::prelude::*;

const HEADINGS: &str = "key,farmer,place,latitude,longitude,country,commodity,name,variety,harvested,quantity,unit,packages,grade,price,currency";
const GOOD: &str = "S-1,Hof Quast,Jork,53.5311,9.6842,DE,HS:0808.10,Apples,Elstar,2026-09-14,1250.5,KGM,100,A,1.20,EUR";

fn faults(lines: &[&str]) -> Vec<String> {
    let text = [&[HEADINGS], lines].concat().join("\n");
    read(text.as_bytes()).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_row_becomes_a_registration() {
    let rows = read(format!("{HEADINGS}\r\n{GOOD}\r\n").as_bytes()).unwrap();
    let row = &rows[0];
    assert_eq!((row.line, row.key.as_str(), row.farmer.as_deref()), (2, "S-1", Some("Hof Quast")));
    assert_eq!(row.lot["quantity"], serde_json::json!({ "value": "1250.5", "unit": "KGM", "packages": 100 }));
    assert_eq!(row.lot["price"], serde_json::json!({ "amount_minor": "120", "currency": "EUR", "per": "KGM" }));
    assert_eq!(row.lot["commodity"], serde_json::json!({ "scheme": "HS", "code": "0808.10" }));
    assert_eq!(row.lot["harvested"], serde_json::json!({ "first": "2026-09-14", "last": "2026-09-14" }));
}

#[test]
fn each_fault_is_told_with_line_column_and_rule() {
    for (from, to, expected) in [
        ("53.5311", "91", "line 2, column latitude: latitude 91"),
        ("9.6842", "-181", "line 2, column longitude: longitude -181"),
        ("9.6842", "east", "line 2, column longitude: 'east' is no number"),
        ("1.20", "-1", "line 2, column price: the price -1 is below zero"),
        ("1250.5", "0", "line 2, column quantity: the quantity must be more than zero"),
        ("1250.5", "12,5", "line 2: the line has 17 fields"),
        ("KGM", "kilo", "line 2, column unit: 'kilo' is not a unit code"),
        (",A,", ",D,", "line 2, column grade: 'D' is no grade"),
        ("2026-09-14", "2026-02-30", "line 2, column harvested: '2026-02-30' is no day"),
        ("2026-09-14", "2026-09-14..2026-09-01", "line 2, column harvested: the end lies before the start"),
        ("EUR", "euro", "line 2, column currency: 'euro' is not a currency"),
        (",EUR", ",", "line 2, column currency: there is a price but no currency"),
        ("HS:0808.10", "apples", "line 2, column commodity: 'apples' has no scheme"),
        ("Jork", "", "line 2, column place: it is empty"),
        (",DE,", ",Germany,", "line 2, column country: 'Germany' is no country"),
        (",100,", ",many,", "line 2, column packages: 'many' is no number"),
    ] {
        let found = faults(&[&GOOD.replacen(from, to, 1)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expected), "{} should start with {expected}", found[0]);
    }
}

#[test]
fn all_faults_of_all_rows_are_told_at_once() {
    let bad = GOOD.replace("53.5311", "91").replace("KGM", "kg");
    let found = faults(&[&bad, GOOD, &bad.replace("S-1", "S-2")]);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[2].starts_with("line 4"));
    let apart = faults(&["", GOOD, "", "", &bad]);
    assert!(apart[0].starts_with("line 6"), "empty lines count: {apart:?}");
}

#[test]
fn columns_are_checked_first() {
    let found: Vec<String> = read(b"place,colour\nJork,red\n").unwrap_err().iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|fault| fault.contains("'colour' is no column")));
    assert!(found.iter().any(|fault| fault.starts_with("line 1, column quantity: the column is missing")));
    assert!(read(format!("{HEADINGS},key\n").as_bytes()).unwrap_err()[0].to_string().contains("twice"));
    assert!(faults(&[])[0].contains("no rows"));
    assert!(faults(&["\u{fffd}"]).len() == 1);
    assert!(read(b"place\n\xff\xfe\n").is_err());
}

#[test]
fn keys_are_distinct_and_made_from_the_content_where_there_are_none() {
    assert!(faults(&[GOOD, GOOD])[0].contains("line 3, column key: the key 'S-1' stands in line 2"));
    let without = GOOD.replace("S-1", "");
    assert!(faults(&[&without, &without])[0].contains("the same as line 2"));
    let key = |lines: &[&str]| {
        let text = [&[HEADINGS], lines].concat().join("\n");
        read(text.as_bytes()).unwrap().pop().unwrap().key
    };
    let other = GOOD.replace("S-1", "").replace("1250.5", "7");
    assert_eq!(key(&[&without]), key(&[&other, &without]), "a row keeps its key wherever it stands");
    assert_ne!(key(&[&without]), key(&[&other]));
}

#[test]
fn a_farm_is_at_one_place() {
    let moved = GOOD.replace("S-1", "S-2").replace("53.5311", "53.6");
    assert!(faults(&[GOOD, &moved])[0].contains("line 3, column place: 'Jork' has another point"));
    let of_another = moved.replace("Hof Quast", "Hof Feindt");
    let text = [HEADINGS, GOOD, &of_another].join("\n");
    assert_eq!(read(text.as_bytes()).unwrap().len(), 2, "two farmers may call their farms alike");
}

proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_row_makes_the_reader_panic(row in "[ -~äß\n\"]{0,200}") {
        let _ = read(format!("{HEADINGS}\n{row}\n").as_bytes());
    }
}
