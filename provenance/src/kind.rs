//! The kinds of events: their numbers on the wire and their names.

macro_rules! kinds {
    ($($number:literal $variant:ident $name:literal;)*) => {
        /// What an event tells. All kinds have their numbers from the start; a kind whose rules
        /// this program does not have is held until an upgrade brings them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Kind {
            $(#[doc = concat!("`", $name, "`")] $variant = $number,)*
        }

        impl Kind {
            /// Every kind, by number.
            pub const ALL: &'static [Kind] = &[$(Self::$variant),*];

            /// The kind with this number on the wire.
            pub fn from_number(number: u16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The number on the wire.
            pub fn number(self) -> u16 {
                self as u16
            }

            /// The name that people and the API use.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    1 NetworkAmended "network.amended";
    2 NetworkApproved "network.approved";
    10 ActorEnrolled "actor.enrolled";
    11 ActorUpdated "actor.updated";
    12 ActorKeyAdded "actor.key_added";
    13 ActorKeyRotated "actor.key_rotated";
    14 ActorKeyReplaced "actor.key_replaced";
    15 ActorRevoked "actor.revoked";
    20 PlaceRegistered "place.registered";
    21 PlaceUpdated "place.updated";
    30 ProduceRegistered "produce.registered";
    31 ProduceCollected "produce.collected";
    32 ProduceMoved "produce.moved";
    33 ProduceHandled "produce.handled";
    34 ProduceQualityUpdated "produce.quality_updated";
    35 ProducePriceUpdated "produce.price_updated";
    36 ProduceCodesAssigned "produce.codes_assigned";
    37 ProduceTransformed "produce.transformed";
    38 ProduceRetired "produce.retired";
    39 ProduceInspected "produce.inspected";
    50 TransferOffered "transfer.offered";
    51 TransferAccepted "transfer.accepted";
    52 TransferDeclined "transfer.declined";
    53 TransferCancelled "transfer.cancelled";
    60 UnitPacked "unit.packed";
    61 UnitUnpacked "unit.unpacked";
    70 ConditionMeasured "condition.measured";
    71 DeviceAttached "device.attached";
    72 DeviceDetached "device.detached";
    80 CertificateIssued "certificate.issued";
    81 CertificateStatus "certificate.status";
    90 RecallIssued "recall.issued";
    91 RecallUpdated "recall.updated";
    92 RecallEnded "recall.ended";
    100 EventCorrected "event.corrected";
    101 EventConfirmed "event.confirmed";
    102 EventDisputed "event.disputed";
    110 DisputeResolved "dispute.resolved";
}

impl serde::Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_never_change() {
        // Golden: these stand in signed bytes for ever.
        assert_eq!(Kind::ALL.len(), 38);
        assert!(Kind::ALL.iter().all(|kind| Kind::from_number(kind.number()) == Some(*kind)));
        assert!(Kind::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        assert_eq!(Kind::from_number(51).map(Kind::name), Some("transfer.accepted"));
        assert_eq!(Kind::from_number(9), None);
    }
}
