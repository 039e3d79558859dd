//! What the page tells, before it is told in HTML: plain values, already in the reader's language.

use super::language::Localised;
use super::sketch::Stop;
use crate::proof_state::ProofState;

/// Everything that the page of one lot shows.
#[derive(Debug)]
pub(crate) struct Story {
    /// The lot's id.
    pub(crate) id: String,
    /// What it is.
    pub(crate) name: Localised,
    /// The variety.
    pub(crate) variety: Option<String>,
    /// Grade, with its scheme where it is not the default one.
    pub(crate) grade: Option<String>,
    /// How much there is now.
    pub(crate) quantity: String,
    /// When it was harvested.
    pub(crate) harvested: Option<String>,
    /// Codes on its label, each with what it is called.
    pub(crate) codes: Vec<(&'static str, String)>,
    /// Certificates that it claims.
    pub(crate) claims: Vec<String>,
    /// Who registered it.
    pub(crate) producer: String,
    /// Where it grew.
    pub(crate) origins: Vec<Origin>,
    /// Recalls that have not ended, the widest first.
    pub(crate) recalls: Vec<Recall>,
    /// Where it stands now.
    pub(crate) standing: Standing,
    /// What a reader should know before believing the rest.
    pub(crate) findings: Vec<&'static str>,
    /// The lot that this one is a part of.
    pub(crate) parent: Option<Parent>,
    /// How many part-lots were taken from it.
    pub(crate) parts: usize,
    /// What happened, oldest first.
    pub(crate) steps: Vec<Step>,
    /// Whether steps between the first and the last were left out because there are too many.
    pub(crate) shortened: bool,
    /// The way on the map.
    pub(crate) route: Vec<Stop>,
    /// How it is proven.
    pub(crate) proof: Proof,
}

/// A place where the produce grew.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) name: Localised,
    pub(crate) place_type: String,
    pub(crate) country: Option<String>,
}

/// A recall of the lot, or of goods from which it came.
#[derive(Debug)]
pub(crate) struct Recall {
    pub(crate) title: &'static str,
    /// What to do.
    pub(crate) advice: &'static str,
    /// What is wrong with the goods.
    pub(crate) hazard: String,
    /// Which goods, in words.
    pub(crate) scope: Option<String>,
    /// Whom to ask.
    pub(crate) contact: String,
    /// Who issued it.
    pub(crate) issuer: String,
    /// When, for people.
    pub(crate) when: String,
    /// The event that issued it.
    pub(crate) url: String,
    /// Whether it is but the warning of somebody who held the goods once.
    pub(crate) is_warning: bool,
    /// Whether the lot is not named itself, but goods are from which it came.
    pub(crate) inherited: bool,
}

/// Where a lot stands.
#[derive(Debug)]
pub(crate) enum Standing {
    /// With its holder.
    Held { holder: String },
    /// Offered, and not accepted yet.
    Offered { holder: String, to: String },
    /// Its history has branches that exclude each other.
    Disputed,
    /// It has left the chain.
    Closed { how: &'static str, holder: String },
}

/// The lot from which a part was taken.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) url: String,
    pub(crate) name: Localised,
    pub(crate) quantity: String,
}

/// One thing that happened: an event, or a handover made of two.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) title: String,
    /// Further lines: reasons, places, prices.
    pub(crate) lines: Vec<String>,
    /// When, for people.
    pub(crate) when: String,
    /// When, for machines.
    pub(crate) when_iso: String,
    /// Where.
    pub(crate) place: Option<Localised>,
    pub(crate) signatures: Vec<Signed>,
    /// A signature that is still to come, and whose.
    pub(crate) awaits: Option<String>,
    /// The least proven of its events.
    pub(crate) proof: ProofState,
    pub(crate) weight: Weight,
    /// Whether it happened before this part-lot was split off.
    pub(crate) of_parent: bool,
}

/// Who signed an event, and when.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) name: String,
    /// What the signature says: `offered`, `accepted` and so on.
    pub(crate) says: &'static str,
    pub(crate) when: String,
    pub(crate) url: String,
}

/// What a step counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It shows in the present state.
    Counts,
    /// It came to nothing, or something else was followed: declined, cancelled, overtaken.
    Beside,
    /// It excludes another step, and nobody has decided.
    Conflict,
}

/// How a lot is proven.
#[derive(Debug)]
pub(crate) struct Proof {
    /// Events of its history.
    pub(crate) events: usize,
    /// How many of them an anchor covers.
    pub(crate) anchored: usize,
    /// How many of those are final.
    pub(crate) finally: usize,
    /// The newest anchor that covers one of them.
    pub(crate) anchor: Option<AnchorShown>,
    /// Whether this node anchors at all.
    pub(crate) enabled: bool,
}

/// An anchor, for people.
#[derive(Debug)]
pub(crate) struct AnchorShown {
    pub(crate) chain: String,
    /// Whether anybody can look it up without asking this node.
    pub(crate) public_chain: bool,
    pub(crate) contract: String,
    pub(crate) sequence: u64,
    pub(crate) block: Option<(u64, String)>,
    pub(crate) transaction: Option<String>,
}
