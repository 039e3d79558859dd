//! One row of a harvest: every value is checked as the node would check it.

use super::Fault;
use super::columns::{COLUMNS, Layout};
use csv::StringRecord;
use provenance::id::{base32, sha256};
use provenance::value::{Coordinates, Currency, Date, DateRange, Grade, Gtin, Quantity, Text, Unit};
use serde_json::{Value, json};

/// Characters of a row's hash: 128 bits, so that no two rows meet by chance.
const KEY_CHARACTERS: usize = 26;

/// Currencies whose minor unit is not a hundredth (ISO 4217), as far as produce is priced in them.
const OTHER_DECIMALS: [(&str, usize); 8] =
    [("CLP", 0), ("JPY", 0), ("KRW", 0), ("PYG", 0), ("UGX", 0), ("VND", 0), ("KWD", 3), ("TND", 3)];

/// Where it was grown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Farm {
    pub(crate) name: String,
    pub(crate) point: Coordinates,
    pub(crate) country: Option<String>,
}

/// A good row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) line: u64,
    /// What tells this row from all others, in this file and in every later one.
    pub(crate) key: String,
    /// Whether the key stands in the file, rather than being made from the content.
    pub(crate) has_own_key: bool,
    pub(crate) farmer: Option<String>,
    pub(crate) farm: Farm,
    /// The registration's body, still without places, signer and reference.
    pub(crate) lot: Value,
}

/// Collects a row's faults, so that all are told at once.
struct Checker<'a> {
    layout: &'a Layout,
    record: &'a StringRecord,
    line: u64,
    faults: Vec<Fault>,
}

impl Row {
    /// Checks every field of the row.
    pub(crate) fn read(layout: &Layout, record: &StringRecord, line: u64, headings: usize) -> Result<Self, Vec<Fault>> {
        let mut check = Checker { layout, record, line, faults: Vec::new() };
        if record.len() != headings {
            let rule = format!(
                "the line has {} fields and the headings are {headings}; quote texts that hold commas",
                record.len()
            );
            return Err(vec![Fault { line, column: "", rule }]);
        }
        let farm = check.farm();
        let lot = check.lot();
        let own_key = check.optional("key", |text| Text::<128>::new(text).map(|_| text.to_owned()));
        let farmer = check.optional("farmer", |text| Text::<128>::new(text).map(|_| text.to_owned()));
        match farm {
            Some(farm) if check.faults.is_empty() => {
                let has_own_key = own_key.is_some();
                let key = own_key.unwrap_or_else(|| content_key(layout, record));
                Ok(Self { line, key, has_own_key, farmer, farm, lot })
            }
            _ => Err(check.faults),
        }
    }
}

impl<'a> Checker<'a> {
    fn fault(&mut self, column: &'static str, rule: &impl ToString) {
        self.faults.push(Fault { line: self.line, column, rule: rule.to_string() });
    }

    /// A field that may be empty.
    fn optional<T, E: ToString>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.layout.text(self.record, column)?;
        read(text).map_err(|error| self.fault(column, &error)).ok()
    }

    /// A field that must be filled.
    fn required<T, E: ToString>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Option<T> {
        if self.layout.text(self.record, column).is_none() {
            let meaning = COLUMNS.iter().find(|known| known.name == column).map_or("", |known| known.meaning);
            self.fault(column, &format!("it is empty; write {meaning}"));
            return None;
        }
        self.optional(column, read)
    }

    fn farm(&mut self) -> Option<Farm> {
        let name = self.required("place", |text| Text::<128>::new(text).map(|_| text.to_owned()));
        let degrees = |text: &str| {
            text.parse::<f64>().map_err(|_| format!("'{text}' is no number; write degrees such as 53.5311"))
        };
        let latitude = self.required("latitude", |text| {
            degrees(text).and_then(|value| {
                Coordinates::from_degrees(value, 0.0).map(|_| value).map_err(|error| error.to_string())
            })
        });
        let longitude = self.required("longitude", |text| {
            degrees(text).and_then(|value| {
                Coordinates::from_degrees(0.0, value).map(|_| value).map_err(|error| error.to_string())
            })
        });
        let country = self.optional("country", |text| {
            let good = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
            if good {
                Ok(text.to_owned())
            } else {
                Err(format!("'{text}' is no country; write two capital letters such as DE"))
            }
        });
        let point = Coordinates::from_degrees(latitude?, longitude?).ok()?;
        Some(Farm { name: name?, point, country })
    }

    fn lot(&mut self) -> Value {
        let mut lot = json!({});
        let commodity = self.required("commodity", |text| match text.split_once(':') {
            Some((scheme, code)) => {
                let (scheme, code) = (Text::<32>::new(scheme.trim()), Text::<32>::new(code.trim()));
                match (scheme, code) {
                    (Ok(scheme), Ok(code)) => Ok(json!({ "scheme": scheme, "code": code })),
                    (Err(error), _) | (_, Err(error)) => Err(error.to_string()),
                }
            }
            None => Err(format!("'{text}' has no scheme; write it as HS:0808.10")),
        });
        put(&mut lot, "commodity", commodity);
        let name = self.required("name", |text| Text::<128>::new(text).map(|_| Value::from(text)));
        put(&mut lot, "name", name);
        let variety = self.optional("variety", |text| Text::<128>::new(text).map(|_| Value::from(text)));
        put(&mut lot, "variety", variety);
        let harvested = self.required("harvested", harvested);
        put(&mut lot, "harvested", harvested);
        let quantity = self.quantity();
        put(&mut lot, "quantity", quantity);
        let grade = self.optional("grade", grade);
        put(&mut lot, "grade", grade);
        let price = self.price();
        put(&mut lot, "price", price);
        let codes = self.codes();
        put(&mut lot, "codes", codes);
        let claims = self.optional("claim", |text| Text::<128>::new(text).map(|_| json!([text])));
        put(&mut lot, "claims", claims);
        lot
    }

    fn quantity(&mut self) -> Option<Value> {
        let unit = self.required("unit", Unit::new);
        let packages = self.optional("packages", |text| {
            text.parse::<u32>().map_err(|_| format!("'{text}' is no number of packages; write a whole number"))
        });
        // Any unit will do to check the digits, so that both faults are told.
        let any = unit.or(Unit::new("KGM").ok())?;
        let quantity = self.required("quantity", |text| match Quantity::parse(text, any, packages) {
            Ok(quantity) if quantity.is_zero() => Err("the quantity must be more than zero".to_owned()),
            Ok(quantity) => Ok(quantity),
            Err(error) => Err(error.to_string()),
        });
        let mut value = json!({ "value": quantity?.decimal(), "unit": unit?.as_str() });
        put(&mut value, "packages", packages.map(Value::from));
        Some(value)
    }

    fn price(&mut self) -> Option<Value> {
        let currency = self.optional("currency", Currency::new);
        let decimals = currency.map_or(2, |currency| decimals(currency.as_str()));
        let amount = self.optional("price", |text| minor(text, decimals));
        let has = |name| self.layout.text(self.record, name).is_some();
        if has("price") && !has("currency") {
            self.fault("currency", &"there is a price but no currency; write one such as EUR");
        }
        let per = self.layout.text(self.record, "unit")?;
        Some(json!({ "amount_minor": amount?.to_string(), "currency": currency?.as_str(), "per": per }))
    }

    fn codes(&mut self) -> Option<Value> {
        let mut codes = json!({});
        let gtin = self.optional("gtin", Gtin::new);
        put(&mut codes, "gtin", gtin.map(|gtin| Value::from(gtin.as_str())));
        let lot = self.optional("lot", |text| Text::<20>::new(text).map(|_| Value::from(text)));
        put(&mut codes, "lot", lot);
        codes.as_object().is_some_and(|codes| !codes.is_empty()).then_some(codes)
    }
}

fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[name] = value;
    }
}

fn harvested(text: &str) -> Result<Value, String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let day = |text: &str| Date::parse(text.trim()).map_err(|error| error.to_string());
    let (from, to) = (day(first)?, day(last)?);
    DateRange::new(from, to).map_err(|error| error.to_string())?;
    Ok(json!({ "first": first.trim(), "last": last.trim() }))
}

fn grade(text: &str) -> Result<Value, String> {
    match text.split_once(':') {
        None => Grade::standard(text).map(|_| Value::from(text)).map_err(|error| error.to_string()),
        Some((scheme, value)) => {
            let named = |text: &str| Text::new(text.trim()).map_err(|error| error.to_string());
            Grade::new(named(scheme)?, named(value)?).map_err(|error| error.to_string())?;
            Ok(json!({ "scheme": scheme.trim(), "value": value.trim() }))
        }
    }
}

/// An amount such as `2.50` in the minor unit, exactly.
fn minor(text: &str, decimals: usize) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no price; write digits with at most {decimals} behind one point, such as 2.50");
    if text.starts_with('-') {
        return Err(format!("the price {text} is below zero; a price is zero or more"));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > decimals || text.ends_with('.') || !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    format!("{whole}{fraction:0<decimals$}").parse().map_err(|_| wrong())
}

fn decimals(currency: &str) -> usize {
    OTHER_DECIMALS.iter().find(|(code, _)| *code == currency).map_or(2, |(_, decimals)| *decimals)
}

/// A key made from the row's content: the same in every file that holds this row.
fn content_key(layout: &Layout, record: &StringRecord) -> String {
    let fields = COLUMNS.iter().map(|column| layout.text(record, column.name).unwrap_or_default());
    let content: Vec<String> = fields.map(|text| format!("{}:{text}", text.len())).collect();
    let hash = sha256(&[b"furrow/import-row/1", content.concat().as_bytes()]);
    base32(&hash).chars().take(KEY_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        assert_eq!(minor("2.50", 2), Ok(250));
        assert_eq!(minor("2.5", 2), Ok(250));
        assert_eq!(minor("300", 0), Ok(300));
        assert_eq!(minor("0", 2), Ok(0));
        for text in ["2.505", "2.", ".5", "two", "1e3", "99999999999999999999"] {
            assert!(minor(text, 2).is_err(), "{text}");
        }
        assert!(minor("-1", 2).unwrap_err().contains("below zero"));
    }
}
