//! Quality grades: a value within a scheme.

use super::{Text, ValueError, array_of, checked};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// The default scheme and its values.
const DEFAULT_SCHEME: &str = "furrow";
const DEFAULT_VALUES: [&str; 4] = ["A", "B", "C", "Premium"];

/// A grade such as (`furrow`, `A`) or (`UNECE FFV-36`, `Extra Class`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Grade {
    scheme: Text<64>,
    value: Text<64>,
}

impl Grade {
    /// A grade of any scheme; in the default scheme only A, B, C and Premium exist.
    pub fn new(scheme: Text<64>, value: Text<64>) -> Result<Self, ValueError> {
        if scheme.as_str() == DEFAULT_SCHEME && !DEFAULT_VALUES.contains(&value.as_str()) {
            return Err(ValueError::Grade(value.as_str().to_owned()));
        }
        Ok(Self { scheme, value })
    }

    /// A grade of the default scheme.
    pub fn standard(value: &str) -> Result<Self, ValueError> {
        Self::new(Text::new(DEFAULT_SCHEME)?, Text::new(value).map_err(|_| ValueError::Grade(value.to_owned()))?)
    }

    /// Which scheme gives the value its meaning.
    pub fn scheme(&self) -> &str {
        self.scheme.as_str()
    }

    /// The value within the scheme.
    pub fn value(&self) -> &str {
        self.value.as_str()
    }
}

impl<C> Encode<C> for Grade {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?;
        self.scheme.encode(e, ctx)?;
        self.value.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Grade {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        array_of(d, 2..=2)?;
        checked(Self::new(d.decode_with(ctx)?, d.decode_with(ctx)?), position)
    }
}
