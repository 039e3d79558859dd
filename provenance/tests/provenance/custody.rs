//! Custody as an algebra: what concurrent effects make of a lot, in whatever order they are applied.

use crate::story::kg;
use proptest::prelude::*;
use provenance::custody::{Closed, Effect, LotState, OpenOffer};
use provenance::id::{EventId, SubjectId};

fn subject(byte: u8) -> SubjectId {
    SubjectId::from_bytes([byte; 32])
}

fn holder() -> SubjectId {
    subject(1)
}

fn offer(byte: u8) -> OpenOffer {
    OpenOffer { offer: EventId::from_bytes([byte; 32]), to: subject(2) }
}

/// What the holder can do to a free lot of 100.
fn effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        Just(Effect::Tell),
        (1_u8..=100).prop_map(|kilos| Effect::Draw(kg(&kilos.to_string()))),
        (3_u8..6).prop_map(|byte| Effect::Offer(offer(byte), kg("100"))),
        Just(Effect::Close(Closed::Retired, kg("100.0"))),
        Just(Effect::Close(Closed::Transformed, kg("100"))),
        Just(Effect::Divide(kg("100"))),
        (3_u8..6).prop_map(|byte| Effect::DivideOffer(offer(byte), kg("100"))),
        (7_u8..9).prop_map(|byte| Effect::Pack(subject(byte))),
        (0_u32..4).prop_map(Effect::Load),
    ]
}

/// What the holder can do to a free unit with three contents. A unit is closed or drawn from only while it is
/// empty, which is a rule of those kinds and not of custody.
fn unit_effect() -> impl Strategy<Value = Effect> {
    let one = || LotState::unit(holder(), 0).balance;
    prop_oneof![
        Just(Effect::Tell),
        (1_u32..4).prop_map(Effect::Load),
        (1_u32..4).prop_map(Effect::Unload),
        Just(Effect::Offer(offer(3), one())),
        Just(Effect::Pack(subject(7))),
    ]
}

fn all(state: &LotState, effects: &[Effect]) -> Option<LotState> {
    effects.iter().try_fold(state.clone(), |state, effect| state.apply(effect, holder()).ok())
}

/// Whether an effect leaves a lot on which its holder can go on.
fn leaves_free(effect: &Effect) -> bool {
    matches!(effect, Effect::Tell | Effect::Draw(_) | Effect::Load(_) | Effect::Unload(_))
}

proptest! {
    /// What can be applied in two orders makes the same lot.
    #[test]
    fn the_order_of_what_joins_does_not_matter(effects in prop::collection::vec(effect(), 1..5), turn in 0_usize..4) {
        let lot = LotState::new(holder(), kg("100"));
        let mut turned = effects.clone();
        turned.rotate_left(turn % effects.len());
        if let (Some(one), Some(other)) = (all(&lot, &effects), all(&lot, &turned)) {
            prop_assert_eq!(one, other);
        }
    }

    /// Of effects by which a lot is given away, packed or divided, one can stand; and none beside a draw.
    #[test]
    fn what_takes_the_whole_lot_stands_alone(one in effect(), other in effect()) {
        let lot = LotState::new(holder(), kg("100"));
        let exclusive = one.is_exclusive() && other.is_exclusive();
        // A lot can be divided, and its possession then offered or closed, which takes the title lane along: the rules
        // of those kinds see to that.
        let after_division = matches!(one, Effect::Divide(_)) && !matches!(other, Effect::Divide(_) | Effect::DivideOffer(..));
        if exclusive && !after_division {
            prop_assert_eq!(all(&lot, &[one.clone(), other.clone()]), None);
        }
        if matches!(one, Effect::Draw(_)) && other.is_exclusive() && !matches!(other, Effect::Pack(_)) {
            prop_assert_eq!(all(&lot, &[one, other]), None);
        }
    }

    /// Units count what lies in them, and never below nothing.
    #[test]
    fn units_count_their_contents(effects in prop::collection::vec(unit_effect(), 0..6)) {
        let unit = LotState::unit(holder(), 3);
        let Some(after) = all(&unit, &effects) else { return Ok(()) };
        let count = effects.iter().fold(3_i64, |count, effect| match effect {
            Effect::Load(more) => count + i64::from(*more),
            Effect::Unload(less) => count - i64::from(*less),
            _ => count,
        });
        prop_assert_eq!(after.contents.map(i64::from), Some(count));
        prop_assert_eq!(&after.balance, &unit.balance);
    }

    /// After what does not leave the lot free, the holder can do nothing but tell.
    #[test]
    fn nothing_follows_what_is_not_free(first in effect(), second in effect()) {
        let lot = LotState::new(holder(), kg("100"));
        let Ok(after) = lot.apply(&first, holder()) else { return Ok(()) };
        let divided = matches!(first, Effect::Divide(_));
        if !leaves_free(&first) && !divided && second != Effect::Tell {
            prop_assert!(after.apply(&second, holder()).is_err(), "{:?} after {:?}", second, first);
        }
        // Nobody else can do anything at all.
        prop_assert!(second == Effect::Tell || lot.apply(&second, subject(9)).is_err());
    }
}

#[test]
fn only_the_unit_in_which_it_lies_gives_a_lot_back() {
    let lot = LotState::new(holder(), kg("100"));
    let packed = lot.apply(&Effect::Pack(subject(7)), holder()).unwrap();
    assert!(packed.apply(&Effect::Unpack(subject(8)), holder()).is_err());
    assert!(lot.apply(&Effect::Unpack(subject(7)), holder()).is_err());
    // Whoever holds the unit by then takes it out, and has it.
    let unpacked = packed.apply(&Effect::Unpack(subject(7)), subject(2)).unwrap();
    assert_eq!(unpacked, LotState::new(subject(2), kg("100")));
    assert!(lot.apply(&Effect::Load(1), holder()).is_err(), "a lot is no unit");
    assert!(LotState::unit(holder(), u32::MAX).apply(&Effect::Load(1), holder()).is_err());
}

#[test]
fn a_lot_is_divided_once() {
    let lot = LotState::new(holder(), kg("100"));
    let divided = lot.apply(&Effect::Divide(kg("100")), holder()).unwrap();
    assert!(divided.divided);
    assert!(divided.apply(&Effect::Divide(kg("100")), holder()).is_err());
    assert!(divided.apply(&Effect::DivideOffer(offer(3), kg("100")), holder()).is_err());
    assert!(lot.apply(&Effect::Divide(kg("99")), holder()).is_err());
    let offered = lot.apply(&Effect::DivideOffer(offer(3), kg("100")), holder()).unwrap();
    let cancelled = offered.apply(&Effect::GiveBack(offer(3).offer), holder()).unwrap();
    assert!(cancelled.divided && cancelled.open.is_none());
}

/// What is stored beside events today is read for ever.
#[test]
fn states_and_effects_have_golden_bytes() {
    let hex = |bytes: Vec<u8>| data_encoding::HEXLOWER.encode(&bytes);
    let plain = LotState::new(holder(), kg("1"));
    let full = LotState {
        divided: true,
        inside: Some(subject(7)),
        contents: Some(3),
        closed: Some(Closed::Transformed),
        ..plain.clone()
    };
    let (ones, sevens) = ("01".repeat(32), "07".repeat(32));
    assert_eq!(hex(provenance::cbor::to_vec(&plain)), format!("a2015820{ones}02830100634b474d"));
    let expected = format!("a6015820{ones}02830100634b474d040406f5075820{sevens}0803");
    assert_eq!(hex(provenance::cbor::to_vec(&full)), expected);
    for state in [plain, full] {
        assert_eq!(provenance::cbor::from_slice::<LotState>(&provenance::cbor::to_vec(&state)).unwrap(), state);
    }
    for (effect, bytes) in [
        (Effect::Divide(kg("1")), "8209830100634b474d".to_owned()),
        (Effect::Pack(subject(7)), format!("820b5820{sevens}")),
        (Effect::Unpack(subject(7)), format!("820c5820{sevens}")),
        (Effect::Load(2), "820d02".to_owned()),
        (Effect::Unload(2), "820e02".to_owned()),
    ] {
        assert_eq!(hex(provenance::cbor::to_vec(&effect)), bytes);
        assert_eq!(provenance::cbor::from_slice::<Effect>(&provenance::cbor::to_vec(&effect)).unwrap(), effect);
    }
}
