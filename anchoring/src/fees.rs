//! What a transaction offers per unit of gas (EIP-1559), calculated without I/O.

/// A block can raise the base fee by an eighth at most, so twice the present base fee lasts for six full blocks.
const BASE_FEE_HEADROOM: u128 = 2;

/// Nodes replace a waiting transaction only if both of its fees rise by at least an eighth (the default of go-ethereum
/// is 10 %, of others up to 12.5 %).
const BUMP_NUMERATOR: u128 = 9;
const BUMP_DENOMINATOR: u128 = 8;

/// What a transaction gives to the block's maker where the endpoint does not say what is usual: 1 gwei, which has been
/// enough on Ethereum since the fee exists.
pub(crate) const USUAL_PRIORITY_FEE_WEI: u128 = 1_000_000_000;

/// Both fee fields of a transaction, in wei per unit of gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
#[cbor(array)]
pub struct Fees {
    /// The most that is paid in all.
    #[cbor(n(0), with = "crate::encoding::wei")]
    pub max_fee_wei: u128,
    /// The part of it that goes to the block's maker.
    #[cbor(n(1), with = "crate::encoding::wei")]
    pub priority_fee_wei: u128,
}

/// Why no fees can be offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeeError {
    /// The market asks for more than the owner wants to pay.
    #[error(
        "gas costs {} gwei and the limit is {} gwei: the anchor waits until gas is cheaper, or raise max_fee_gwei",
        Gwei(*needed_wei), Gwei(*cap_wei)
    )]
    TooDear {
        /// The least that would be accepted.
        needed_wei: u128,
        /// The owner's limit.
        cap_wei: u128,
    },
}

impl Fees {
    /// Fees for a new transaction, given the base fee of the newest block and the priority fee that is usual.
    pub fn quote(base_fee_wei: u128, priority_fee_wei: u128, cap_wei: u128) -> Result<Self, FeeError> {
        let needed_wei = base_fee_wei.saturating_add(priority_fee_wei);
        if needed_wei > cap_wei {
            return Err(FeeError::TooDear { needed_wei, cap_wei });
        }
        let wanted_wei = base_fee_wei.saturating_mul(BASE_FEE_HEADROOM).saturating_add(priority_fee_wei);
        Ok(Self { max_fee_wei: wanted_wei.min(cap_wei), priority_fee_wei })
    }

    /// Fees of a transaction that replaces one with these fees: the present quote, but at least an eighth more in
    /// both fields.
    pub fn replacement(self, quote: Self, cap_wei: u128) -> Result<Self, FeeError> {
        let bumped = Self {
            max_fee_wei: raised(self.max_fee_wei).max(quote.max_fee_wei),
            priority_fee_wei: raised(self.priority_fee_wei).max(quote.priority_fee_wei),
        };
        if bumped.max_fee_wei > cap_wei {
            return Err(FeeError::TooDear { needed_wei: bumped.max_fee_wei, cap_wei });
        }
        Ok(bumped)
    }

    /// The most that a transaction with this gas limit can cost.
    pub fn worst_cost_wei(self, gas_limit: u64) -> u128 {
        self.max_fee_wei.saturating_mul(u128::from(gas_limit))
    }
}

/// At least an eighth more, and more than nothing.
fn raised(fee_wei: u128) -> u128 {
    fee_wei.saturating_mul(BUMP_NUMERATOR).div_ceil(BUMP_DENOMINATOR).max(fee_wei.saturating_add(1))
}

/// Wei shown as gwei with up to nine decimals.
pub(crate) struct Gwei(pub(crate) u128);

impl std::fmt::Display for Gwei {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        decimal(self.0, 9, f)
    }
}

/// Wei shown as ether with up to eighteen decimals.
pub(crate) struct Ether(pub(crate) u128);

impl std::fmt::Display for Ether {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        decimal(self.0, 18, f)
    }
}

fn decimal(value: u128, decimals: usize, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let digits = format!("{value:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    match fraction.trim_end_matches('0') {
        "" => f.write_str(whole),
        fraction => write!(f, "{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GWEI: u128 = 1_000_000_000;

    #[test]
    fn a_quote_has_room_for_a_rising_base_fee_and_ends_at_the_cap() {
        let fees = Fees::quote(10 * GWEI, GWEI, 100 * GWEI).unwrap();
        assert_eq!(fees, Fees { max_fee_wei: 21 * GWEI, priority_fee_wei: GWEI });
        assert_eq!(Fees::quote(10 * GWEI, GWEI, 15 * GWEI).unwrap().max_fee_wei, 15 * GWEI);
        let too_dear = Fees::quote(10 * GWEI, GWEI, 10 * GWEI).unwrap_err();
        assert_eq!(
            too_dear.to_string(),
            "gas costs 11 gwei and the limit is 10 gwei: the anchor waits until gas is cheaper, or raise max_fee_gwei"
        );
    }

    #[test]
    fn a_replacement_follows_a_market_that_rose_more() {
        let old = Fees { max_fee_wei: 20 * GWEI, priority_fee_wei: GWEI };
        let market = Fees { max_fee_wei: 50 * GWEI, priority_fee_wei: 3 * GWEI };
        assert_eq!(old.replacement(market, 100 * GWEI), Ok(market));
    }

    #[test]
    fn amounts_read_like_amounts() {
        assert_eq!(Gwei(1_500_000_000).to_string(), "1.5");
        assert_eq!(Gwei(0).to_string(), "0");
        assert_eq!(Ether(1).to_string(), "0.000000000000000001");
        assert_eq!(Ether(12 * GWEI * GWEI).to_string(), "12");
    }

    proptest! {
        #[test]
        fn a_replacement_raises_both_fees_by_an_eighth_and_never_passes_the_cap(
            max in 0..u128::MAX / 64, tip in 0..u128::MAX / 64, base in 0..u128::MAX / 64, market_tip in 0..u128::MAX / 64, cap: u128,
        ) {
            let old = Fees { max_fee_wei: max, priority_fee_wei: tip.min(max) };
            let Ok(quote) = Fees::quote(base, market_tip, cap) else { return Ok(()) };
            prop_assert!(quote.max_fee_wei <= cap && quote.priority_fee_wei <= quote.max_fee_wei);
            if let Ok(new) = old.replacement(quote, cap) {
                prop_assert!(new.max_fee_wei <= cap);
                prop_assert!(new.priority_fee_wei <= new.max_fee_wei);
                prop_assert!(new.max_fee_wei * 8 >= old.max_fee_wei * 9);
                prop_assert!(new.priority_fee_wei * 8 >= old.priority_fee_wei * 9);
                prop_assert!(new.max_fee_wei > old.max_fee_wei && new.priority_fee_wei > old.priority_fee_wei);
            }
        }
    }
}
