//! Whatever order events come in, the same judgements and the same lots come out.

use crate::archive::Archive;
use crate::deeds;
use crate::story::*;
use proptest::prelude::*;
use provenance::body::{Body, Moves};
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use rand_like::Choices;

/// A small source of choices from a proptest vector, so that failures shrink.
mod rand_like {
    pub struct Choices(Vec<u16>, usize);

    impl Choices {
        pub fn new(numbers: Vec<u16>) -> Self {
            Self(numbers, 0)
        }

        pub fn below(&mut self, n: usize) -> usize {
            let number = self.0.get(self.1).copied().unwrap_or(0);
            self.1 += 1;
            usize::from(number) % n.max(1)
        }

        pub fn is_empty(&self) -> bool {
            self.1 >= self.0.len()
        }
    }
}

/// A history with forks, conflicts, crossings and events against the rules.
fn history(numbers: Vec<u16>) -> Vec<SignedEvent> {
    let mut choose = Choices::new(numbers);
    let cast = cast();
    let mut events = cast.events.clone();
    let mut hands = [cast.farmer.clone(), cast.buyer.clone(), cast.rival.clone()];
    let mut lots: Vec<(SubjectId, Vec<EventId>)> = Vec::new();
    let mut offers: Vec<(SignedEvent, SubjectId, usize)> = Vec::new();
    while !choose.is_empty() {
        let who = choose.below(3);
        // Now and then a second tablet signs from an older state of the journal.
        let fork = choose.below(6) == 0;
        let mut signer = hands[who].clone();
        if fork {
            signer.journal = signer.key_event;
        }
        let act = choose.below(11);
        let made = match act {
            0 | 1 => {
                let event = signer.registers(["10", "7.5", "0"][choose.below(3)], None);
                lots.extend(event.subject(0).map(|lot| (lot, vec![event.id()])));
                event
            }
            2..=4 if !lots.is_empty() => {
                let (lot, seen) = lots[choose.below(lots.len())].clone();
                let prev = seen[choose.below(seen.len())];
                let to = choose.below(3);
                let part = choose.below(2) == 0;
                let quantity = if part { ["1", "6", "11"][choose.below(3)] } else { ["10", "7.5"][choose.below(2)] };
                let event = signer.offers(lot, &[prev], quantity, part, &hands[to].clone());
                let item = if part { event.subject(1).unwrap() } else { lot };
                if part {
                    lots.push((item, vec![event.id()]));
                }
                offers.push((event.clone(), item, to));
                event
            }
            5 | 6 if !offers.is_empty() => {
                let (offer, item, to) = offers[choose.below(offers.len())].clone();
                let Body::TransferOffered(body) = &offer.payload().body else { unreachable!() };
                if act == 5 {
                    signer = hands[to].clone();
                    signer.accepts_all(item, &offer, &body.lines[0].quantity.decimal())
                } else {
                    signer.cancels(item, &offer)
                }
            }
            8..=10 if !lots.is_empty() => {
                let (lot, seen) = lots[choose.below(lots.len())].clone();
                let seen = seen[choose.below(seen.len())];
                let all = ["10", "7.5"][choose.below(2)];
                match act {
                    8 => {
                        let part = choose.below(2);
                        let packed = signer.packs(None, &[((lot, vec![seen]), kg(["1", all][1 - part]))], part);
                        lots.extend(
                            (0..packed.payload().touches.len()).filter(|at| *at != 1).map(|at| deeds::at(&packed, at)),
                        );
                        packed
                    }
                    9 => {
                        let pressed = signer.transforms(&[((lot, vec![seen]), ["2", all][choose.below(2)])], &["1"]);
                        lots.push(deeds::at(&pressed, 1));
                        pressed
                    }
                    _ => {
                        let to = choose.below(3);
                        let touches = vec![touch(lot, &[seen]), deeds::title(lot, &[])];
                        let offer = signer.offers_by(Moves::Possession, kg(all), touches, &hands[to].clone());
                        offers.push((offer.clone(), lot, to));
                        offer
                    }
                }
            }
            _ if !lots.is_empty() => {
                let (lot, seen) = lots[choose.below(lots.len())].clone();
                let mut prev: Vec<_> = (0..=choose.below(2)).map(|_| seen[choose.below(seen.len())]).collect();
                prev.sort_unstable();
                prev.dedup();
                signer.grades(lot, &prev, "B")
            }
            _ => continue,
        };
        for (lot, seen) in &mut lots {
            if (0..made.payload().touches.len()).any(|i| made.subject(i) == Some(*lot)) && !seen.contains(&made.id()) {
                seen.push(made.id());
            }
        }
        if !fork {
            let at = hands.iter().position(|hand| hand.actor == signer.actor).unwrap();
            hands[at] = signer;
        }
        events.push(made);
    }
    events
}

fn archive(events: impl IntoIterator<Item = SignedEvent>) -> Archive {
    let mut archive = Archive::new(network());
    for event in events {
        archive.take(event);
    }
    archive
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_arrival_gives_the_same_state(
        numbers in prop::collection::vec(any::<u16>(), 20..160),
        keys in prop::collection::vec(any::<u32>(), 64),
    ) {
        let events = history(numbers);
        let one = archive(events.clone());
        let mut shuffled: Vec<_> = events.into_iter().enumerate().collect();
        shuffled.sort_by_key(|(index, _)| (keys[index % keys.len()].rotate_left(u32::try_from(*index).unwrap()), *index));
        let other = archive(shuffled.into_iter().map(|(_, event)| event));
        prop_assert_eq!(one.judgements(), other.judgements());
        prop_assert_eq!(one.subjects(), other.subjects());
        for subject in one.subjects() {
            prop_assert_eq!(one.lot(&subject), other.lot(&subject));
            prop_assert_eq!(one.counted(&subject, Lane::Title), other.counted(&subject, Lane::Title));
        }
    }
}
