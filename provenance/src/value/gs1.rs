//! GS1 identification keys with their check digit (GS1 General Specifications, section 7.9).

use super::{ValueError, checked};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A Global Trade Item Number: GTIN-8, -12, -13 or -14, kept as its 14 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gtin(String);

/// A Global Location Number of 13 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gln(String);

/// A Serial Shipping Container Code of 18 digits: the number of one logistic unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sscc(String);

/// A GS1 Company Prefix of 4 to 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gs1Prefix(String);

impl Gtin {
    /// Checks length and check digit; shorter forms are filled with zeros on the left.
    pub fn new(text: &str) -> Result<Self, ValueError> {
        digits("GTIN", text, &[8, 12, 13, 14], "8, 12, 13 or 14")?;
        check_digit(text)?;
        Ok(Self(format!("{text:0>14}")))
    }

    /// The 14 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Only the 14-digit form stands in signed bytes, so that one item has one encoding.
    fn from_wire(text: &str) -> Result<Self, ValueError> {
        digits("GTIN", text, &[14], "14 here")?;
        Self::new(text)
    }
}

impl Gln {
    /// Checks length and check digit.
    pub fn new(text: &str) -> Result<Self, ValueError> {
        digits("GLN", text, &[13], "13")?;
        check_digit(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The 13 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Sscc {
    /// Checks length and check digit.
    pub fn new(text: &str) -> Result<Self, ValueError> {
        digits("SSCC", text, &[18], "18")?;
        check_digit(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The 18 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Gs1Prefix {
    /// Checks that the prefix has 4 to 12 digits.
    pub fn new(text: &str) -> Result<Self, ValueError> {
        digits("GS1 company prefix", text, &[4, 5, 6, 7, 8, 9, 10, 11, 12], "4 to 12")?;
        Ok(Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn digits(key: &'static str, text: &str, lengths: &[usize], expected: &'static str) -> Result<(), ValueError> {
    if lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(ValueError::Gs1Digits { key, value: text.chars().take(32).collect(), digits: expected })
}

/// Weights 3 and 1 alternate from the digit left of the check digit.
fn check_digit(text: &str) -> Result<(), ValueError> {
    let (body, check) = text.split_at(text.len() - 1);
    let sum: u32 =
        body.bytes().rev().enumerate().map(|(i, b)| u32::from(b - b'0') * if i % 2 == 0 { 3 } else { 1 }).sum();
    let expected = char::from_digit((10 - sum % 10) % 10, 10).expect("a remainder of ten is one digit");
    if check.starts_with(expected) {
        Ok(())
    } else {
        Err(ValueError::Gs1CheckDigit { value: text.to_owned(), expected })
    }
}

macro_rules! text_key {
    ($($name:ident $from:ident),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let position = d.position();
                checked(Self::$from(d.str()?), position)
            }
        }
    )*};
}

text_key!(Gtin from_wire, Gln new, Sscc new, Gs1Prefix new);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_of_published_examples() {
        // Examples of the GS1 check digit calculator.
        assert_eq!(Gtin::new("6291041500213").unwrap().as_str(), "06291041500213");
        assert!(Gtin::new("96385074").is_ok());
        assert!(Gln::new("6291041500213").is_ok());
        assert_eq!(
            Gln::new("6291041500214"),
            Err(ValueError::Gs1CheckDigit { value: "6291041500214".into(), expected: '3' })
        );
        assert!(Sscc::new("106141411234567897").is_ok());
        assert!(Sscc::new("106141411234567896").is_err());
        assert!(Gtin::new("62910415002").is_err());
        assert!(Gtin::new("629104150021é").is_err());
    }
}
