//! Replaying without journals finds what judging with them found.

use crate::archive::{Archive, Became};
use crate::order::history;
use crate::story::network;
use proptest::prelude::*;
use provenance::admission::{Ancestry, Judgement};
use provenance::history::History;
use provenance::payload::Lane;
use provenance::signature::Verifier;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_admitted_is_found_again(numbers in prop::collection::vec(any::<u16>(), 20..160)) {
        let mut archive = Archive::new(network());
        let mut replayed = History::default();
        for event in history(numbers) {
            if archive.take(event.clone()) == Became::Admitted {
                let event = Verifier::new().verify(event).unwrap();
                prop_assert_eq!(replayed.replay(&network(), event), Ok(()));
            }
        }
        let judged = archive.judgements();
        for event in replayed.events() {
            let without_journal = Judgement { journal_height: 0, ..judged[&event.event.id()].clone() };
            prop_assert_eq!(&event.judgement, &without_journal);
        }
        for subject in archive.subjects() {
            prop_assert_eq!(replayed.lane_tips(&subject, Lane::Main), archive.lane_tips(&subject, Lane::Main));
            prop_assert_eq!(replayed.creation(&subject).is_some(), replayed.lane(&subject, Lane::Main).next().is_some());
        }
    }
}
