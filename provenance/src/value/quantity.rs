//! Quantities: an exact decimal in a UN/ECE Recommendation 20 unit, optionally with packages.

use super::{ValueError, array_of, checked};
use minicbor::{Decode, Decoder, Encode, Encoder};
use std::cmp::Ordering;

/// A unit code in the shape of UN/ECE Recommendation 20: two or three capital letters and digits.
/// As with currencies, the list itself is not checked, because it grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    bytes: [u8; 3],
    len: u8,
}

impl Unit {
    /// Checks the shape of the code.
    pub fn new(code: &str) -> Result<Self, ValueError> {
        let ok = (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !ok {
            return Err(ValueError::Unit(code.chars().take(16).collect()));
        }
        let mut bytes = [0; 3];
        bytes[..code.len()].copy_from_slice(code.as_bytes());
        Ok(Self { bytes, len: u8::try_from(code.len()).expect("at most three") })
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("a unit is ASCII")
    }
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Unit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<C> Encode<C> for Unit {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(self.as_str())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Unit {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        checked(Self::new(d.str()?), position)
    }
}

/// A net quantity, `value` × 10^−`scale` of `unit`, with the number of packages where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    value: u64,
    scale: u8,
    unit: Unit,
    packages: Option<u32>,
}

impl Quantity {
    /// Most decimal places: a microgram of a kilogram.
    pub const MAX_SCALE: u8 = 9;

    /// A quantity of zero or more.
    pub fn new(value: u64, scale: u8, unit: Unit, packages: Option<u32>) -> Result<Self, ValueError> {
        if scale > Self::MAX_SCALE {
            return Err(ValueError::Scale(scale));
        }
        Ok(Self { value, scale, unit, packages })
    }

    /// Reads a decimal such as `1250.5`; its digits are kept as they are written.
    pub fn parse(decimal: &str, unit: Unit, packages: Option<u32>) -> Result<Self, ValueError> {
        let wrong = || ValueError::Number(decimal.chars().take(32).collect());
        let (whole, fraction) = decimal.split_once('.').map_or((decimal, None), |(w, f)| (w, Some(f)));
        let fraction_digits = fraction.unwrap_or("");
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || fraction.is_some_and(str::is_empty) || !all_digits(whole) || !all_digits(fraction_digits)
        {
            return Err(wrong());
        }
        let scale = u8::try_from(fraction_digits.len()).map_err(|_| ValueError::Scale(u8::MAX))?;
        let value = format!("{whole}{fraction_digits}").parse().map_err(|_| ValueError::QuantityRange)?;
        Self::new(value, scale, unit, packages)
    }

    /// The integer before scaling.
    pub fn value(&self) -> u64 {
        self.value
    }

    /// How many of the value's digits stand behind the point.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// The unit.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The number of packages, where it is known.
    pub fn packages(&self) -> Option<u32> {
        self.packages
    }

    /// Whether there is nothing.
    pub fn is_zero(&self) -> bool {
        self.value == 0
    }

    /// Nothing, in the same unit and with as many packages as that makes.
    #[must_use]
    pub fn zero(&self) -> Self {
        Self { value: 0, packages: self.packages.map(|_| 0), ..*self }
    }

    /// Compares net quantities of one unit; packages are not looked at.
    pub fn compare(&self, other: &Self) -> Result<Ordering, ValueError> {
        let (a, b, _) = self.aligned(other)?;
        Ok(a.cmp(&b))
    }

    /// The sum; the number of packages is known only where both are.
    pub fn plus(&self, other: &Self) -> Result<Self, ValueError> {
        let (a, b, scale) = self.aligned(other)?;
        let packages = match (self.packages, other.packages) {
            (Some(a), Some(b)) => Some(a.checked_add(b).ok_or(ValueError::QuantityRange)?),
            _ => None,
        };
        self.with(a.checked_add(b), scale, packages)
    }

    /// The difference; an error where `other` is more, in net quantity or in known packages.
    pub fn minus(&self, other: &Self) -> Result<Self, ValueError> {
        let (a, b, scale) = self.aligned(other)?;
        let packages = match (self.packages, other.packages) {
            (Some(a), Some(b)) => Some(a.checked_sub(b).ok_or(ValueError::QuantityRange)?),
            _ => None,
        };
        self.with(a.checked_sub(b), scale, packages)
    }

    /// The decimal digits without the unit.
    pub fn decimal(&self) -> String {
        if self.scale == 0 {
            return self.value.to_string();
        }
        let digits = format!("{:0>width$}", self.value, width = usize::from(self.scale) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.scale));
        format!("{whole}.{fraction}")
    }

    /// Both values at the finer scale of the two.
    fn aligned(&self, other: &Self) -> Result<(u128, u128, u8), ValueError> {
        if self.unit != other.unit {
            return Err(ValueError::UnitMismatch(self.unit.as_str().to_owned(), other.unit.as_str().to_owned()));
        }
        let scale = self.scale.max(other.scale);
        // At most 2⁶⁴ × 10⁹, far below 2¹²⁸.
        let lift = |q: &Self| u128::from(q.value) * 10_u128.pow(u32::from(scale - q.scale));
        Ok((lift(self), lift(other), scale))
    }

    /// Drops trailing zeros only as far as is needed for the value to fit.
    fn with(&self, value: Option<u128>, mut scale: u8, packages: Option<u32>) -> Result<Self, ValueError> {
        let mut value = value.ok_or(ValueError::QuantityRange)?;
        while u64::try_from(value).is_err() && scale > 0 && value.is_multiple_of(10) {
            value /= 10;
            scale -= 1;
        }
        let value = u64::try_from(value).map_err(|_| ValueError::QuantityRange)?;
        Ok(Self { value, scale, unit: self.unit, packages })
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.decimal(), self.unit.as_str())
    }
}

impl serde::Serialize for Quantity {
    /// The value is a text, because JSON numbers lose digits.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Quantity", 3)?;
        out.serialize_field("value", &self.decimal())?;
        out.serialize_field("unit", &self.unit)?;
        out.serialize_field("packages", &self.packages)?;
        out.end()
    }
}

impl<C> Encode<C> for Quantity {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(3 + u64::from(self.packages.is_some()))?.u64(self.value)?.u8(self.scale)?;
        self.unit.encode(e, ctx)?;
        self.packages.map_or(Ok(()), |packages| e.u32(packages)?.ok())
    }
}

impl<'b, C> Decode<'b, C> for Quantity {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        let len = array_of(d, 3..=4)?;
        let (value, scale, unit) = (d.u64()?, d.u8()?, d.decode_with(ctx)?);
        let packages = if len == 4 { Some(d.u32()?) } else { None };
        checked(Self::new(value, scale, unit, packages), position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kg(decimal: &str) -> Quantity {
        Quantity::parse(decimal, Unit::new("KGM").unwrap(), None).unwrap()
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(kg("1250.50").to_string(), "1250.50 KGM");
        assert_eq!(kg("1000").minus(&kg("0.001")).unwrap().decimal(), "999.999");
        assert_eq!(kg("0.05").decimal(), "0.05");
        assert_eq!(kg("1.0").compare(&kg("1")).unwrap(), Ordering::Equal);
        assert!(kg("1").minus(&kg("1.000000001")).is_err());
        for wrong in ["", ".5", "1.", "-1", "1e3", "1.2.3", "١", "99999999999999999999", "1.0000000000"] {
            assert!(Quantity::parse(wrong, Unit::new("KGM").unwrap(), None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn units_are_never_mixed() {
        let litres = Quantity::parse("1", Unit::new("LTR").unwrap(), None).unwrap();
        assert!(kg("1").plus(&litres).is_err());
    }
}
