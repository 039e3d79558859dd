//! Value objects of events: each can only be built by checking, so what exists is valid.

mod coordinates;
mod grade;
mod gs1;
mod measure;
mod money;
mod quantity;
mod text;
mod time;

pub use coordinates::Coordinates;
pub use grade::Grade;
pub use gs1::{Gln, Gs1Prefix, Gtin, Sscc};
pub use measure::Measure;
pub use money::{Currency, Money, Price};
pub use quantity::{Quantity, Unit};
pub use text::{LangText, Text, TextMap};
pub use time::{Date, DateRange, Occurred, Timestamp};

/// Why a value is refused: the field's rule, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Latitude beyond a pole.
    #[error("latitude {0} is beyond ±90°; give degrees between -90 and 90")]
    Latitude(String),
    /// Longitude beyond the date line.
    #[error("longitude {0} is beyond ±180°; give degrees between -180 and 180")]
    Longitude(String),
    /// An amount of money below zero.
    #[error("the amount {0} is below zero; a price is zero or more, in the minor unit")]
    NegativeAmount(i128),
    /// An amount that no money has.
    #[error("the amount must be below 2^120 of the minor unit")]
    AmountRange,
    /// Not the shape of an ISO 4217 code.
    #[error("'{0}' is not a currency code; use three capital letters of ISO 4217, such as EUR")]
    Currency(String),
    /// Not the shape of a UN/ECE Recommendation 20 code.
    #[error("'{0}' is not a unit code; use UN/ECE Recommendation 20, such as KGM, TNE, LTR or H87")]
    Unit(String),
    /// More decimal places than quantities have.
    #[error("a quantity has at most 9 decimal places, this one has {0}")]
    Scale(u8),
    /// Two units that cannot be added.
    #[error("quantities in {0} and {1} cannot be compared; use one unit along the life of a lot")]
    UnitMismatch(String, String),
    /// A sum or product outside the numbers that a quantity can hold.
    #[error("the quantity is too large to be written exactly; use a larger unit")]
    QuantityRange,
    /// Not a decimal number.
    #[error("'{0}' is not a decimal number; write digits with at most one point, such as 1250.5")]
    Number(String),
    /// Not a decimal number that fits 64 bits.
    #[error("'{0}' is not a decimal number of at most 18 digits; write it such as -18.5")]
    SignedNumber(String),
    /// A grade outside its scheme.
    #[error("'{0}' is no grade of the default scheme; use A, B, C or Premium, or name another scheme")]
    Grade(String),
    /// A GS1 key of the wrong length or with other signs than digits.
    #[error("'{value}' is no {key}; it has {digits} digits")]
    Gs1Digits {
        /// GTIN, GLN, SSCC or GS1 company prefix.
        key: &'static str,
        /// What was given.
        value: String,
        /// Which lengths are right.
        digits: &'static str,
    },
    /// A GS1 key whose last digit does not fit.
    #[error("the check digit of '{value}' is wrong: it should end in {expected}; compare it with the label")]
    Gs1CheckDigit {
        /// What was given.
        value: String,
        /// The digit that fits.
        expected: char,
    },
    /// A text that is empty, too long or holds control characters.
    #[error("a text must have 1 to {max} bytes, no control characters and no blanks at its ends")]
    Text {
        /// The longest that this text may be, in bytes of UTF-8.
        max: usize,
    },
    /// A language tag that is none.
    #[error("'{0}' is not a language tag; use BCP 47, such as en or pt-BR")]
    LanguageTag(String),
    /// A map that may not be empty, or has too many entries.
    #[error("a text map must have 1 to {0} entries")]
    Entries(usize),
    /// A day that the calendar does not have.
    #[error("'{0}' is no day of the calendar; write it as 2026-09-30")]
    Date(String),
    /// An end before its start.
    #[error("the end lies before the start; exchange them")]
    EndBeforeStart,
    /// A time after the year 9999.
    #[error("{0} ms is after the year 9999; times are milliseconds since 1970")]
    Timestamp(u64),
    /// An offset that no place on Earth has.
    #[error("a UTC offset of {0} minutes does not exist; it lies between -840 and 840")]
    UtcOffset(i16),
}

/// Decoding that goes through the checking constructor.
fn checked<T>(result: Result<T, ValueError>, position: usize) -> Result<T, minicbor::decode::Error> {
    result.map_err(|error| minicbor::decode::Error::message(error).at(position))
}

/// Reads the head of an array that must have one of `lengths` items.
fn array_of(
    d: &mut minicbor::Decoder<'_>,
    lengths: std::ops::RangeInclusive<u64>,
) -> Result<u64, minicbor::decode::Error> {
    let position = d.position();
    match d.array()? {
        Some(len) if lengths.contains(&len) => Ok(len),
        _ => Err(minicbor::decode::Error::message(format!(
            "expected an array of {} to {} items",
            lengths.start(),
            lengths.end()
        ))
        .at(position)),
    }
}
