//! Amounts of money: an integer in the minor unit, with its currency.

use super::{Unit, ValueError, array_of, checked};
use minicbor::data::{IanaTag, Type};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A currency code in the shape of ISO 4217, or `ETH`, whose minor unit is the wei.
///
/// The list of codes in use is not checked: it changes with the years, and all versions of this
/// program must accept the same events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Three capital letters.
    pub fn new(code: &str) -> Result<Self, ValueError> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(ValueError::Currency(code.chars().take(16).collect())),
        }
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency has three ASCII letters")
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount of zero or more, in the minor unit of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    amount_minor: u128,
    currency: Currency,
}

impl Money {
    /// Fifteen bytes hold every amount below this, which is more wei than there will ever be.
    const LIMIT: u128 = 1 << 120;

    /// An amount in the minor unit; refuses what is below zero.
    pub fn new(amount_minor: i128, currency: Currency) -> Result<Self, ValueError> {
        let amount_minor = u128::try_from(amount_minor).map_err(|_| ValueError::NegativeAmount(amount_minor))?;
        if amount_minor >= Self::LIMIT {
            return Err(ValueError::AmountRange);
        }
        Ok(Self { amount_minor, currency })
    }

    /// The amount in the minor unit.
    pub fn amount_minor(&self) -> u128 {
        self.amount_minor
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }
}

/// A price: for one unit of the produce, or where no unit is named for the whole quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// How much money.
    pub money: Money,
    /// For one of which unit; for all of it where there is none.
    pub per: Option<Unit>,
}

impl serde::Serialize for Price {
    /// The amount is a text, because JSON numbers lose digits beyond 2⁵³.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Price", 3)?;
        out.serialize_field("amount_minor", &self.money.amount_minor.to_string())?;
        out.serialize_field("currency", self.money.currency.as_str())?;
        out.serialize_field("per", &self.per)?;
        out.end()
    }
}

impl<C> Encode<C> for Price {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2 + u64::from(self.per.is_some()))?;
        encode_amount(self.money.amount_minor, e)?;
        e.str(self.money.currency.as_str())?;
        self.per.map_or(Ok(()), |unit| unit.encode(e, ctx))
    }
}

impl<'b, C> Decode<'b, C> for Price {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let len = array_of(d, 2..=3)?;
        let position = d.position();
        let amount = decode_amount(d)?;
        let currency_position = d.position();
        let currency = checked(Currency::new(d.str()?), currency_position)?;
        let money = checked(Money::new(amount, currency), position)?;
        let per = if len == 3 { Some(d.decode_with(ctx)?) } else { None };
        Ok(Self { money, per })
    }
}

/// An unsigned integer, as a bignum (RFC 8949 §3.4.3) only where 64 bits do not hold it.
fn encode_amount<W: minicbor::encode::Write>(
    amount: u128,
    e: &mut Encoder<W>,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    if let Ok(small) = u64::try_from(amount) {
        return e.u64(small)?.ok();
    }
    let bytes = amount.to_be_bytes();
    let first = bytes.iter().position(|b| *b != 0).expect("the amount is beyond 64 bits");
    e.tag(IanaTag::PosBignum)?.bytes(&bytes[first..])?.ok()
}

fn decode_amount(d: &mut Decoder<'_>) -> Result<i128, minicbor::decode::Error> {
    if d.datatype()? != Type::Tag {
        return Ok(d.int()?.into());
    }
    let position = d.position();
    let refuse =
        || minicbor::decode::Error::message("an amount is an integer or a positive bignum below 2^120").at(position);
    if d.tag()? != IanaTag::PosBignum.tag() {
        return Err(refuse());
    }
    let bytes = d.bytes()?;
    if bytes.len() > 15 {
        return Err(refuse());
    }
    Ok(bytes.iter().fold(0, |n, b| n << 8 | i128::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbor::{from_slice, to_vec};

    fn price(amount: i128, currency: &str) -> Price {
        Price { money: Money::new(amount, Currency::new(currency).unwrap()).unwrap(), per: None }
    }

    #[test]
    fn amounts_below_zero_do_not_exist() {
        assert_eq!(Money::new(-1, Currency::new("EUR").unwrap()), Err(ValueError::NegativeAmount(-1)));
        // [-1, "EUR"]
        assert!(
            from_slice::<Price>(&[0x82, 0x20, 0x63, b'E', b'U', b'R']).unwrap_err().to_string().contains("below zero")
        );
        assert!(Currency::new("eur").is_err());
    }

    #[test]
    fn a_hundred_ether_in_wei_survive_the_wire() {
        let ether = price(100_000_000_000_000_000_000, "ETH");
        assert_eq!(from_slice::<Price>(&to_vec(&ether)).unwrap(), ether);
        assert_eq!(data_encoding::HEXLOWER.encode(&to_vec(&ether)), "82c249056bc75e2d6310000063455448");
    }
}
