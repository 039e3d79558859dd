//! Single values: numbers, texts, codes, coordinates, times.

use super::refused;
use crate::problem::{Problem, sentence};
use provenance::value::{
    Coordinates, Currency, Gln, Grade, Gs1Prefix, LangText, Money, Price, Quantity, Text, Timestamp, Unit, ValueError,
};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::fmt;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A number as text, or as a JSON number where that holds it exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DecimalText(pub(crate) String);

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Decimal;
        impl Visitor<'_> for Decimal {
            type Value = DecimalText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number, best as text such as \"1250.5\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<DecimalText, E> {
                Ok(DecimalText(text.chars().take(64).collect()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<DecimalText, E> {
                Ok(DecimalText(number.to_string()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<DecimalText, E> {
                Ok(DecimalText(number.to_string()))
            }
            // The shortest decimal that reads as the same number, which is what was typed.
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<DecimalText, E> {
                Ok(DecimalText(number.to_string()))
            }
        }
        deserializer.deserialize_any(Decimal)
    }
}

/// A net quantity.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuantityInput)]
pub(crate) struct QuantityInput {
    /// Digits with at most one point and 9 decimal places.
    #[schema(value_type = String, example = "1250.5")]
    value: DecimalText,
    /// UN/ECE Recommendation 20 code.
    #[schema(example = "KGM")]
    unit: String,
    /// Number of packages, where it is known.
    packages: Option<u32>,
}

impl QuantityInput {
    /// The quantity, or what is wrong with it.
    pub(crate) fn read(&self, field: &str) -> Result<Quantity, Problem> {
        let unit = Unit::new(&self.unit).map_err(|error| refused(&format!("{field}.unit"), &error))?;
        Quantity::parse(&self.value.0, unit, self.packages).map_err(|error| refused(&format!("{field}.value"), &error))
    }
}

/// A price.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceInput {
    /// Zero or more, in the minor unit of the currency: 250 is 2.50 EUR.
    #[schema(value_type = String, example = "250")]
    amount_minor: DecimalText,
    /// ISO 4217 code, or ETH, whose minor unit is the wei.
    #[schema(example = "EUR")]
    currency: String,
    /// For one of which unit; without it for the whole quantity.
    #[schema(example = "KGM")]
    per: Option<String>,
}

impl PriceInput {
    /// The price, or what is wrong with it.
    pub(crate) fn read(&self, field: &str) -> Result<Price, Problem> {
        let amount = self.amount_minor.0.parse().map_err(|_| {
            let detail =
                format!("'{}' is not a whole number of the minor unit. Write 250 for 2.50 EUR.", self.amount_minor.0);
            Problem::value(format!("{field}.amount_minor"), "integer", detail)
        })?;
        let currency = Currency::new(&self.currency).map_err(|error| refused(&format!("{field}.currency"), &error))?;
        let money = Money::new(amount, currency).map_err(|error| refused(&format!("{field}.amount_minor"), &error))?;
        let per = self.per.as_deref().map(Unit::new).transpose();
        Ok(Price { money, per: per.map_err(|error| refused(&format!("{field}.per"), &error))? })
    }
}

/// A grade: `"A"`, or with its scheme.
#[derive(Debug, Clone)]
pub(crate) struct GradeInput {
    /// Which scheme gives the value its meaning; `furrow` with A, B, C and Premium where none is named.
    scheme: Option<String>,
    /// The value within the scheme.
    value: String,
}

impl PartialSchema for GradeInput {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let full = ObjectBuilder::new().property("scheme", text()).property("value", text()).required("value");
        let about = "A grade of the default scheme (A, B, C or Premium), or with its scheme";
        OneOfBuilder::new().item(text()).item(full).description(Some(about)).into()
    }
}

impl ToSchema for GradeInput {}

impl<'de> Deserialize<'de> for GradeInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Full {
            scheme: Option<String>,
            value: String,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = GradeInput;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a grade, as \"A\" or {\"scheme\": …, \"value\": …}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<GradeInput, E> {
                Ok(GradeInput { scheme: None, value: text.to_owned() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<GradeInput, A::Error> {
                let Full { scheme, value } = Full::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(GradeInput { scheme, value })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl GradeInput {
    /// The grade, or what is wrong with it.
    pub(crate) fn read(&self, field: &str) -> Result<Grade, Problem> {
        let value = || text(&self.value, &format!("{field}.value"));
        match &self.scheme {
            None => Grade::standard(&self.value).map_err(|error| refused(field, &error)),
            Some(scheme) => {
                Grade::new(text(scheme, &format!("{field}.scheme"))?, value()?).map_err(|error| refused(field, &error))
            }
        }
    }
}

/// Text for people: a plain string, which is English, or one text per BCP 47 language tag.
#[derive(Debug, Clone)]
pub(crate) struct LangTextInput(Vec<(String, String)>);

impl PartialSchema for LangTextInput {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let by_language = ObjectBuilder::new().additional_properties(Some(Schema::from(text())));
        let about = "A text in English, or texts by BCP 47 language tag";
        OneOfBuilder::new().item(text()).item(by_language).description(Some(about)).into()
    }
}

impl ToSchema for LangTextInput {}

impl<'de> Deserialize<'de> for LangTextInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = LangTextInput;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object of language tags and texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<LangTextInput, E> {
                Ok(LangTextInput(vec![("en".to_owned(), text.to_owned())]))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LangTextInput, A::Error> {
                let mut entries: Vec<(String, String)> = Vec::new();
                while let Some((tag, text)) = map.next_entry::<String, String>()? {
                    if entries.iter().any(|(earlier, _)| *earlier == tag) {
                        return Err(de::Error::custom(format_args!("language {tag} is given twice")));
                    }
                    entries.push((tag, text));
                }
                Ok(LangTextInput(entries))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl LangTextInput {
    /// The text, or what is wrong with it.
    pub(crate) fn read(&self, field: &str) -> Result<LangText, Problem> {
        let entries = self.0.iter().map(|(tag, value)| Ok((tag.clone(), text(value, &format!("{field}.{tag}"))?)));
        let entries = entries.collect::<Result<Vec<_>, Problem>>()?;
        LangText::new(entries).map_err(|error| refused(field, &error))
    }
}

/// A WGS 84 point in degrees.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoordinatesInput {
    /// −90 to 90, north positive.
    #[schema(example = 45.12)]
    latitude: f64,
    /// −180 to 180, east positive.
    #[schema(example = 5.87)]
    longitude: f64,
}

impl CoordinatesInput {
    /// The point, or what is wrong with it.
    pub(crate) fn read(self, field: &str) -> Result<Coordinates, Problem> {
        Coordinates::from_degrees(self.latitude, self.longitude).map_err(|error| {
            let part = if matches!(error, ValueError::Longitude(_)) { "longitude" } else { "latitude" };
            refused(&format!("{field}.{part}"), &error)
        })
    }
}

/// A bounded text.
pub(crate) fn text<const MAX: usize>(value: &str, field: &str) -> Result<Text<MAX>, Problem> {
    Text::new(value).map_err(|error| refused(field, &error))
}

/// A Global Location Number.
pub(crate) fn gln(value: &str, field: &str) -> Result<Gln, Problem> {
    Gln::new(value).map_err(|error| refused(field, &error))
}

/// GS1 company prefixes, in the order that events want.
pub(crate) fn gs1_prefixes(values: &[String], field: &str) -> Result<Vec<Gs1Prefix>, Problem> {
    let read = |(index, value): (usize, &String)| {
        Gs1Prefix::new(value).map_err(|error| refused(&format!("{field}[{index}]"), &error))
    };
    let mut prefixes = values.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    prefixes.sort();
    prefixes.dedup();
    Ok(prefixes)
}

/// A moment, from RFC 3339 with any offset.
pub(crate) fn timestamp(value: &str, field: &str) -> Result<Timestamp, Problem> {
    let wrong = || {
        let shown: String = value.chars().take(40).collect();
        Problem::value(
            field,
            "timestamp",
            format!(
                "'{shown}' is not a moment since 1970. Write it as 2026-09-30T08:15:00Z or with an offset, 2026-09-30T10:15:00+02:00."
            ),
        )
    };
    let moment: jiff::Timestamp = value.parse().map_err(|_| wrong())?;
    let ms = u64::try_from(moment.as_millisecond()).map_err(|_| wrong())?;
    Timestamp::new(ms).map_err(|error| refused(field, &error))
}

/// Bytes of a fixed length in hex, with or without `0x`.
pub(crate) fn hex<const LEN: usize>(value: &str, field: &str) -> Result<[u8; LEN], Problem> {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    let bytes =
        data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| {
        Problem::value(
            field,
            "hex",
            sentence(&format!("the field takes {LEN} bytes as {} hexadecimal digits", LEN * 2)),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json, to_value};

    fn problem(result: Result<impl fmt::Debug, Problem>) -> Value {
        to_value(result.unwrap_err()).unwrap()
    }

    #[test]
    fn numbers_keep_their_digits() {
        for (given, decimal) in [(json!("1250.50"), "1250.50"), (json!(1250.5), "1250.5"), (json!(7), "7")] {
            let input: QuantityInput = from_value(json!({"value": given, "unit": "KGM"})).unwrap();
            assert_eq!(input.read("quantity").unwrap().decimal(), decimal);
        }
    }

    #[test]
    fn a_refusal_names_field_and_rule() {
        let quantity = |value: Value| from_value::<QuantityInput>(value).unwrap().read("quantity");
        let price = |value: Value| from_value::<PriceInput>(value).unwrap().read("price");
        let cases = [
            (problem(quantity(json!({"value": "-1", "unit": "KGM"}))), "quantity.value", "decimal"),
            (problem(quantity(json!({"value": "1e3", "unit": "KGM"}))), "quantity.value", "decimal"),
            (problem(quantity(json!({"value": "1", "unit": "kilo"}))), "quantity.unit", "unit_code"),
            (problem(price(json!({"amount_minor": -1, "currency": "EUR"}))), "price.amount_minor", "negative_amount"),
            (problem(price(json!({"amount_minor": "2.5", "currency": "EUR"}))), "price.amount_minor", "integer"),
            (problem(price(json!({"amount_minor": 1, "currency": "eur"}))), "price.currency", "currency"),
            (problem(CoordinatesInput { latitude: 91.0, longitude: 0.0 }.read("point")), "point.latitude", "latitude"),
            (
                problem(CoordinatesInput { latitude: 0.0, longitude: 181.0 }.read("point")),
                "point.longitude",
                "longitude",
            ),
            (problem(timestamp("yesterday", "expires")), "expires", "timestamp"),
            (problem(hex::<20>("0x12", "contract")), "contract", "hex"),
        ];
        for (problem, field, rule) in cases {
            assert_eq!((&problem["field"], &problem["rule"]), (&json!(field), &json!(rule)), "{problem}");
        }
    }

    #[test]
    fn texts_and_grades_have_a_short_form() {
        let name: LangTextInput = from_value(json!("Apples")).unwrap();
        assert_eq!(name.read("name").unwrap().best(&["en"]), "Apples");
        let name: LangTextInput = from_value(json!({"en": "Apples", "fr": "Pommes"})).unwrap();
        assert_eq!(name.read("name").unwrap().best(&["fr"]), "Pommes");
        let grade: GradeInput = from_value(json!("Premium")).unwrap();
        assert_eq!(grade.read("grade").unwrap().scheme(), "furrow");
        let grade: GradeInput = from_value(json!({"scheme": "UNECE FFV-50", "value": "Extra"})).unwrap();
        assert_eq!(grade.read("grade").unwrap().value(), "Extra");
        assert!(from_value::<GradeInput>(json!({"value": "A", "colour": "red"})).is_err());
    }
}
