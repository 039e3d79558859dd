//! Measured values: an exact decimal, which may be below zero, in any unit.

use super::{Text, ValueError, array_of, checked};
use minicbor::{Decode, Decoder, Encode, Encoder};
use std::cmp::Ordering;

/// `value` × 10^−`scale` of `unit`, such as −18.5 of `CEL`. Units are those of the instrument or method:
/// unlike those of quantities they come from no list, because nothing is added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    value: i64,
    scale: u8,
    unit: Text<16>,
}

impl Measure {
    /// Most decimal places, as of quantities.
    pub const MAX_SCALE: u8 = 9;

    /// A measured value.
    pub fn new(value: i64, scale: u8, unit: Text<16>) -> Result<Self, ValueError> {
        if scale > Self::MAX_SCALE {
            return Err(ValueError::Scale(scale));
        }
        Ok(Self { value, scale, unit })
    }

    /// Reads a decimal such as `-18.5`; its digits are kept as they are written.
    pub fn parse(decimal: &str, unit: Text<16>) -> Result<Self, ValueError> {
        let wrong = || ValueError::SignedNumber(decimal.chars().take(32).collect());
        let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal), |digits| ("-", digits));
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fraction_digits = fraction.unwrap_or("");
        if whole.is_empty() || fraction.is_some_and(str::is_empty) || !all_digits(whole) || !all_digits(fraction_digits)
        {
            return Err(wrong());
        }
        let scale = u8::try_from(fraction_digits.len()).map_err(|_| ValueError::Scale(u8::MAX))?;
        let value = format!("{sign}{whole}{fraction_digits}").parse().map_err(|_| wrong())?;
        Self::new(value, scale, unit)
    }

    /// The unit.
    pub fn unit(&self) -> &str {
        self.unit.as_str()
    }

    /// Compares values of one unit; nothing where the units differ.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let scale = self.scale.max(other.scale);
        // At most 2⁶³ × 10⁹, far below 2¹²⁷.
        let lift = |measure: &Self| i128::from(measure.value) * 10_i128.pow(u32::from(scale - measure.scale));
        (self.unit == other.unit).then(|| lift(self).cmp(&lift(other)))
    }

    /// The decimal digits without the unit.
    pub fn decimal(&self) -> String {
        let sign = if self.value < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.value.unsigned_abs(), width = usize::from(self.scale) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.scale));
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.decimal(), self.unit)
    }
}

impl serde::Serialize for Measure {
    /// The value is a text, because JSON numbers lose digits.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Measure", 2)?;
        out.serialize_field("value", &self.decimal())?;
        out.serialize_field("unit", &self.unit)?;
        out.end()
    }
}

impl<C> Encode<C> for Measure {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(3)?.i64(self.value)?.u8(self.scale)?;
        self.unit.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Measure {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        array_of(d, 3..=3)?;
        checked(Self::new(d.i64()?, d.u8()?, d.decode_with(ctx)?), position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn celsius(decimal: &str) -> Measure {
        Measure::parse(decimal, Text::new("CEL").unwrap()).unwrap()
    }

    #[test]
    fn decimals_are_exact_and_may_be_below_zero() {
        for decimal in ["-18.50", "0.05", "-0.5", "7", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(celsius(decimal).decimal(), decimal);
        }
        assert_eq!(celsius("-1.0").compare(&celsius("-1")), Some(Ordering::Equal));
        assert_eq!(celsius("-1.000000001").compare(&celsius("-1")), Some(Ordering::Less));
        assert_eq!(celsius("1").compare(&Measure::parse("1", Text::new("KEL").unwrap()).unwrap()), None);
        for wrong in ["", "-", "--1", "+1", "1.", ".5", "1e3", "9223372036854775808", "1.0000000000"] {
            assert!(Measure::parse(wrong, Text::new("CEL").unwrap()).is_err(), "{wrong}");
        }
    }
}
