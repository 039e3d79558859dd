//! Base58 as Bitcoin writes it, for `did:key`: every event is decoded with one, so it is made five digits at a time.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// 58⁵, the highest power that fits into 32 bits.
const FIVE_DIGITS: u64 = 58 * 58 * 58 * 58 * 58;

/// The digits of a number, its bytes largest first. Leading zero bytes become a `1` each.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    // The number in 32-bit limbs, largest first, each in 64 bits to leave room for the division.
    let mut limbs: Vec<u64> =
        bytes.rchunks(4).rev().map(|chunk| chunk.iter().fold(0, |limb, byte| (limb << 8) | u64::from(*byte))).collect();
    // Smallest first.
    let mut digits = Vec::with_capacity(bytes.len() * 3 / 2 + 5);
    let mut first = limbs.iter().take_while(|limb| **limb == 0).count();
    while first < limbs.len() {
        let mut rest = 0;
        for limb in &mut limbs[first..] {
            let dividend = (rest << 32) | *limb;
            (*limb, rest) = (dividend / FIVE_DIGITS, dividend % FIVE_DIGITS);
        }
        for _ in 0..5 {
            digits.push(ALPHABET[usize::try_from(rest % 58).expect("it is below 58")]);
            rest /= 58;
        }
        first += limbs[first..].iter().take_while(|limb| **limb == 0).count();
    }
    while digits.last() == Some(&ALPHABET[0]) {
        digits.pop();
    }
    digits.extend(std::iter::repeat_n(ALPHABET[0], zeros));
    digits.reverse();
    String::from_utf8(digits).expect("the alphabet is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_others_write_it(zeros in 0_usize..3, rest in proptest::collection::vec(any::<u8>(), 0..70)) {
            let bytes = [vec![0; zeros], rest].concat();
            prop_assert_eq!(encode(&bytes), bs58::encode(&bytes).into_string());
        }
    }
}
