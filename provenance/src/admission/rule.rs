//! The rules that an event can break: each with a stable code and a sentence.

use minicbor::{Decode, Encode};

macro_rules! rules {
    ($($number:literal $variant:ident $code:literal $field:literal $sentence:literal;)*) => {
        /// A rule that a well-signed event broke, which makes it void.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
        #[cbor(index_only)]
        pub enum Rule {
            $(#[doc = $sentence] #[n($number)] $variant,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Self::$variant),*];

            /// A stable name for programs.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The field of the event that breaks the rule.
            pub fn field(self) -> &'static str {
                match self {
                    $(Self::$variant => $field,)*
                }
            }
        }

        impl std::fmt::Display for Rule {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $sentence,)*
                })
            }
        }
    };
}

rules! {
    1 Journal "journal_link" "journal"
        "the journal must continue with this key's previous event, or begin at the event that gave the actor this key";
    2 LaneFork "lane_fork" "touches"
        "this key's journal already holds an event of the same lane that the named tips do not include; extend the present tips";
    3 VoidAncestor "void_ancestor" "basis"
        "the event rests on one that is void; name only events that were admitted";
    4 Signer "unknown_signer" "basis"
        "the basis must name exactly one event that gave an actor this key, and the actor's enrolment";
    5 Role "role" "basis"
        "the signer's roles do not allow this kind of event";
    6 OnBehalf "on_behalf_of" "on_behalf_of"
        "only the enroller of an actor may record for it, with its enrolment in the basis, and never hand its lots over";
    7 UnknownActor "unknown_actor" "basis"
        "every actor that the event names needs its enrolment in the basis";
    8 UnknownPlace "unknown_place" "basis"
        "every place that the event names needs its registration in the basis";
    9 Prev "prev" "touches.prev"
        "each tip must be an event of the same lane of the same subject";
    10 Touches "touches" "touches"
        "the touches do not fit the kind: they name other subjects, or in another order, than the body asks for";
    11 NotHolder "not_holder" "touches"
        "only the present holder of the lot may do this";
    12 OfferOpen "offer_open" "touches"
        "the lot is offered; only acceptance, refusal or cancellation of that offer may follow";
    13 NoOpenOffer "no_open_offer" "body.offer"
        "the offer is not open on this lot any more, or never was";
    14 LotClosed "lot_closed" "touches"
        "the lot has left the chain; nothing can follow on its main lane";
    15 Balance "balance" "body.quantity"
        "the quantity is more than the balance of the lot";
    16 ZeroQuantity "zero_quantity" "body.quantity"
        "the quantity must be more than zero";
    17 Unit "unit" "body.quantity"
        "the quantity must be in the unit in which the lot was registered";
    18 Conflict "conflict" "touches.prev"
        "the tips exclude each other; only a signed decision can join them";
    19 RolesGiven "roles_given" "body.roles"
        "roles must be ascending, distinct and among those that the enroller may give";
    20 Countersignature "countersignature" "body.countersignature"
        "the new key must countersign that it is given to this actor, by this kind of event, in this network";
    21 NodeDetails "node_details" "body.node"
        "node details belong to actors with the role node, and to all of them";
    22 NotAddressee "not_addressee" "body.offer"
        "only the actor to whom the offer is addressed may accept or decline it";
    23 NotOfferer "not_offerer" "body.offer"
        "only the actor that made the offer may cancel it";
    24 Lines "lines" "body.lines"
        "too few or too many lines, or quantities that do not add up: an answer has the lines of its offer, and received, rejected and lost make what was offered, packages included";
    25 ToSelf "to_self" "body.to"
        "an offer must go to somebody else";
    26 OpenPoint "open_point" "body.point"
        "an open point is given to 0.01 degree; seal the exact one";
    27 Correction "correction" "body.replacement"
        "the target cannot be corrected so: the fields describe custody, or the new values are not valid";
    28 NotAbove "not_above" "body"
        "only the signer of what this concerns, or an actor above it in the tree of enrolments, may do this";
    29 ListOrder "list_order" "body"
        "lists must be ascending, distinct and short: of most at most 16 entries";
    30 OwnLane "own_lane" "touches"
        "actors update themselves, and their keys, on their own main lane only";
    31 Empty "empty" "body"
        "the event changes nothing; give at least one field";
    32 NotAnOffer "not_an_offer" "body.offer"
        "the event that is named is not an offer to an actor of the network";
    33 Packages "packages" "body.quantity"
        "the packages of this lot are not counted, so none can be drawn; leave the number of packages out";
    34 OwnKey "own_key" "body.key"
        "a key cannot be given by itself; make a new one";
    35 Country "country" "body.country"
        "a country is two capital letters of ISO 3166-1, such as DE";
    36 Temperature "temperature" "body.temperature"
        "the lowest temperature is above the highest; exchange them";
    37 Founder "founder" "body"
        "only founders amend the network, and approve amendments; the one who leaves must be one";
    38 FounderKey "founder_key" "touches"
        "a founder's key changes by amendment of the network only";
    39 Amendment "amendment" "basis"
        "an amendment follows the network id alone, or 1 to 16 amendments, ascending; a basis names one at most";
    40 AmendmentOrder "amendment_order" "basis"
        "the journal already rests on a later amendment; name that one, or one that follows it";
    41 Cut "cut" "body.cuts"
        "the end of the journal is not described as it is; copy key event, last event, count and root from the journal";
    42 Divided "divided" "touches"
        "possession and title of this lot are apart, or would be for a part of it; name its title lane too, and the whole lot";
    43 Outside "outside" "body.to"
        "possession or title alone go to actors of the network only";
    44 Packed "packed" "touches"
        "the lot lies inside a unit, or the unit has contents; unpack first";
    45 NotInside "not_inside" "body.contents"
        "the lot does not lie inside this unit";
    46 UnknownSubject "unknown_subject" "basis"
        "every subject of which the event tells needs the event that created it in the basis";
    47 Measures "measures" "body"
        "lowest, mean and highest must have one unit and ascend, and rest on at least one reading";
    48 Period "period" "body"
        "the period ends before it starts; exchange its ends";
    49 Recall "recall" "body.recall"
        "the event that is named is not a recall";
    50 NotParty "not_party" "body"
        "only who has a part in this may say it: a party of the event, a former holder of the lot, or an authority";
    51 Decision "decision" "body"
        "a decision names 2 to 16 events of this lot that change custody, ascending, and fewer of them that stand";
    52 NotResolver "not_resolver" "body"
        "only the nearest actor above all signers that is party to none of the branches may decide";
}
