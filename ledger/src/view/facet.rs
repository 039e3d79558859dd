//! Facets: by what lists can be asked for, as the first part of the keys of list columns.

use super::holding::LotStanding;
use super::transfer::TransferState;
use provenance::body::Role;
use provenance::id::{EventId, PublicKey, SubjectId};
use store::{Column, Empty, Key, Table};

macro_rules! facets {
    ($($(#[$doc:meta])* $number:literal $name:ident ($($part:ident: $type:ty),*);)*) => {
        /// A property that rows of a list have in common. The number is the first byte of the key.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Facet {
            $($(#[$doc])* $name($($type),*),)*
        }

        impl Key for Facet {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$name($($part),*) => {
                        out.push($number);
                        $($part.write(out);)*
                    })*
                }
            }

            fn read(input: &mut &[u8]) -> Option<Self> {
                match u8::read(input)? {
                    $($number => Some(Self::$name($(<$type>::read(input)?),*)),)*
                    _ => None,
                }
            }
        }
    };
}

facets! {
    /// Every row.
    0 All();
    /// Lots and units that an actor holds.
    1 Holder(actor: SubjectId);
    /// Lots that come from an actor.
    2 Originator(actor: SubjectId);
    /// Lots of a commodity: scheme and code.
    3 Commodity(scheme: String, code: String);
    /// Lots of a grade: scheme and value.
    4 Grade(scheme: String, value: String);
    /// Lots and units by how they stand, as a number.
    5 Standing(standing: u8);
    /// Lots that were taken from a lot, or made of it and perhaps of others.
    6 Parent(lot: SubjectId);
    /// Lots of a trade item.
    7 Gtin(gtin: String);
    /// Lots of a trade item and batch number.
    8 GtinLot(gtin: String, lot: String);
    /// Lots and units that an actor owns.
    9 Owner(actor: SubjectId);
    /// Lots and units that lie directly in a unit.
    10 Inside(unit: SubjectId);
    /// Handovers by state, as a number.
    20 State(state: u8);
    /// Handovers that an actor offers.
    21 Offerer(actor: SubjectId);
    /// Handovers that are addressed to an actor.
    22 Recipient(actor: SubjectId);
    /// Handovers of which an actor is one side.
    23 Party(actor: SubjectId);
    /// Handovers of a lot, or of a part taken from it; recalls of a lot.
    24 Lot(lot: SubjectId);
    /// Actors with a role, as a number.
    40 Role(role: u8);
    /// The actor with a key.
    41 Key(key: PublicKey);
    /// Actors that an actor enrolled.
    42 Enroller(actor: SubjectId);
    /// The node whose log has a key.
    43 LogKey(key: PublicKey);
    /// Places that an actor registered.
    60 RegisteredBy(actor: SubjectId);
    /// The place with a Global Location Number.
    61 Gln(gln: String);
    /// The unit with a serial shipping container code.
    80 Sscc(sscc: String);
    /// The certificates of a scheme with a number.
    100 Certificate(scheme: String, number: String);
    /// Certificates that hold for an actor.
    101 Operator(actor: SubjectId);
    /// Certificates or recalls that an actor issued.
    102 Issuer(actor: SubjectId);
    /// Recalls that stand (1), and those that were ended (0).
    103 Active(active: u8);
}

impl Facet {
    pub fn standing(standing: LotStanding) -> Self {
        Self::Standing(standing.number())
    }

    pub fn state(state: TransferState) -> Self {
        Self::State(state.number())
    }

    pub fn role(role: Role) -> Self {
        let position = Role::ALL.iter().position(|other| *other == role).expect("all roles are listed");
        Self::Role(u8::try_from(position).expect("there are twelve roles"))
    }
}

/// A list column: facet, time and id, so that a list is read newest first.
pub(crate) trait ListTable: Table<Key = (Facet, u64, Self::Id), Value = ()> {
    /// What is listed.
    type Id: Key + Copy + Ord;
}

macro_rules! lists {
    ($($name:ident $id:ty;)*) => {$(
        #[doc = concat!("[`Column::", stringify!($name), "`].")]
        #[derive(Debug)]
        pub(crate) struct $name;

        impl Table for $name {
            const COLUMN: Column = Column::$name;
            type Key = (Facet, u64, $id);
            type Value = ();
            type Encoding = Empty;
        }

        impl ListTable for $name {
            type Id = $id;
        }
    )*};
}

lists! {
    ProducesBy SubjectId;
    TransfersBy EventId;
    ActorsBy SubjectId;
    PlacesBy SubjectId;
    UnitsBy SubjectId;
    CertificatesBy SubjectId;
    RecallsBy EventId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facets_come_back_and_never_change_their_number() {
        let actor = SubjectId::from_bytes([7; 32]);
        for (facet, first) in [
            (Facet::All(), 0),
            (Facet::Holder(actor), 1),
            (Facet::Commodity("HS".into(), "0808".into()), 3),
            (Facet::standing(LotStanding::Closed), 5),
            (Facet::state(TransferState::Open), 20),
            (Facet::role(Role::Device), 40),
            (Facet::Gln("6291041500213".into()), 61),
            (Facet::Sscc("106141412345678908".into()), 80),
            (Facet::Certificate("organic".into(), "17".into()), 100),
            (Facet::Active(1), 103),
        ] {
            let bytes = (facet.clone(), 5_u64, actor).to_bytes();
            assert_eq!(bytes[0], first);
            assert_eq!(<(Facet, u64, SubjectId)>::from_bytes(&bytes), Some((facet, 5, actor)));
        }
    }
}
