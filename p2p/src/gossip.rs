//! Gossip messages: batches of new events, one CBOR array of byte strings each.

use crate::message::MAX_EVENT_BYTES;
use crate::wire::{self, Malformed};

/// The longest gossip message. Small enough to be passed on quickly hop by hop, large enough for
/// about a hundred events of the usual size.
pub const MAX_GOSSIP_BYTES: usize = 64 * 1024;
/// The most events in one message; a full message of the smallest possible events has fewer.
pub const MAX_GOSSIP_EVENTS: usize = 1024;

/// The bytes that a batch needs beside its events: the array's head.
const BATCH_FRAME_BYTES: usize = 3;
/// The most bytes that CBOR puts in front of an event of at most [`MAX_EVENT_BYTES`].
const EVENT_HEAD_BYTES: usize = 3;

/// An event that is too long to be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {index} of the batch has {length} bytes; an event has at most {MAX_EVENT_BYTES}")]
pub struct EventTooLong {
    /// Which of the events given.
    pub index: usize,
    /// How many bytes it has.
    pub length: usize,
}

/// Packs events into as few messages as keep their order and the limits.
pub(crate) fn pack(events: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, EventTooLong> {
    let mut messages = Vec::new();
    let (mut first, mut bytes) = (0, BATCH_FRAME_BYTES);
    for (index, event) in events.iter().enumerate() {
        let length = event.len();
        if length > MAX_EVENT_BYTES {
            return Err(EventTooLong { index, length });
        }
        let needed = EVENT_HEAD_BYTES + length;
        if bytes + needed > MAX_GOSSIP_BYTES || index - first == MAX_GOSSIP_EVENTS {
            messages.push(encode(&events[first..index]));
            (first, bytes) = (index, BATCH_FRAME_BYTES);
        }
        bytes += needed;
    }
    if first < events.len() {
        messages.push(encode(&events[first..]));
    }
    Ok(messages)
}

/// The events in a gossip message; refuses what [`pack`] would not have made.
pub(crate) fn unpack(message: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    let events = wire::decode(
        message,
        MAX_GOSSIP_BYTES,
        |from| from.entries(MAX_GOSSIP_EVENTS, |from| Ok(from.bytes(MAX_EVENT_BYTES)?.to_vec())),
        |events| encode(events),
    )?;
    if events.is_empty() {
        return Err(Malformed::Empty);
    }
    Ok(events)
}

fn encode(events: &[Vec<u8>]) -> Vec<u8> {
    wire::encode(|to| {
        to.array(events.len() as u64)?;
        for event in events {
            to.bytes(event)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_of_a_batch_are_fixed() {
        let message = [0x82, 0x43, 1, 2, 3, 0x41, 0xff];
        assert_eq!(pack(&[vec![1, 2, 3], vec![0xff]]), Ok(vec![message.to_vec()]));
        assert_eq!(unpack(&message), Ok(vec![vec![1, 2, 3], vec![0xff]]));
    }

    #[test]
    fn an_event_that_is_too_long_is_named() {
        let events = [vec![0; MAX_EVENT_BYTES], vec![0; MAX_EVENT_BYTES + 1]];
        assert_eq!(pack(&events), Err(EventTooLong { index: 1, length: MAX_EVENT_BYTES + 1 }));
    }

    #[test]
    fn hostile_batches_are_refused() {
        let cases: [(&[u8], Malformed); 7] = [
            (&[], Malformed::Empty),
            (&[0x80], Malformed::Empty),
            (&[0x81, 0x43, 1], Malformed::Shape { at: 1 }),
            (&[0x9f, 0x41, 1, 0xff], Malformed::Shape { at: 0 }),
            (&[0x81, 0x41, 1, 0], Malformed::Trailing(1)),
            (&[0x81, 0x58, 1, 9], Malformed::NotDeterministic),
            (&[0x9a, 0xff, 0xff, 0xff, 0xff], Malformed::TooMany { count: 0xffff_ffff, limit: MAX_GOSSIP_EVENTS }),
        ];
        for (bytes, fault) in cases {
            assert_eq!(unpack(bytes), Err(fault), "{bytes:02x?}");
        }
        let long = vec![0; MAX_GOSSIP_BYTES + 1];
        assert_eq!(unpack(&long), Err(Malformed::TooLarge { limit: MAX_GOSSIP_BYTES }));
    }

    proptest! {
        #[test]
        fn every_batch_arrives_whole_and_in_order(
            lengths in prop::collection::vec(0..=MAX_EVENT_BYTES, 0..24),
            small in prop::collection::vec(0..4_usize, 0..2 * MAX_GOSSIP_EVENTS),
        ) {
            let events: Vec<Vec<u8>> = lengths.iter().chain(&small).enumerate()
                .map(|(index, length)| vec![u8::try_from(index % 256).unwrap(); *length])
                .collect();
            let messages = pack(&events).unwrap();
            prop_assert!(messages.iter().all(|message| message.len() <= MAX_GOSSIP_BYTES));
            let arrived: Vec<Vec<u8>> = messages.iter()
                .flat_map(|message| unpack(message).unwrap())
                .collect();
            prop_assert_eq!(arrived, events);
        }

        #[test]
        fn unpacking_anything_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = unpack(&bytes);
        }
    }
}
