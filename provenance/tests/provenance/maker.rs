//! Makes bundles out of a world, as a node would.

use crate::story::public;
use crate::world::{World, touched};
use ed25519_dalek::{Signer, SigningKey};
use provenance::bundle::{AnchorLine, Bundle, Entry, OpenedField, SubjectProof};
use provenance::checkpoint::Checkpoint;
use provenance::cosignature::cosign;
use provenance::history::History;
use provenance::id::{EventId, SubjectId};
use provenance::note::Note;
use provenance::origin::LogOrigin;
use provenance::verification::{Roots, Scope};
use std::collections::BTreeSet;

/// Somebody who runs a node: the actor, and the key of its log.
#[derive(Clone)]
pub struct Keeper {
    pub actor: SubjectId,
    pub log: SigningKey,
}

/// What the bundle is to show.
#[derive(Clone)]
pub struct Wish {
    pub lot: SubjectId,
    pub shallow: bool,
    /// Whose log it is.
    pub keeper: Keeper,
    /// Who cosigns, and at what second.
    pub cosigners: Vec<(Keeper, u64)>,
    /// Proofs of consistency are added here.
    pub lines: Vec<AnchorLine>,
    pub openings: Vec<OpenedField>,
    /// Events that are shown although nothing asks for them.
    pub besides: Vec<EventId>,
}

impl Wish {
    /// A deep bundle of a lot, without any ornament.
    pub fn of(lot: SubjectId, keeper: &Keeper) -> Self {
        Self {
            lot,
            shallow: false,
            keeper: keeper.clone(),
            cosigners: vec![],
            lines: vec![],
            openings: vec![],
            besides: vec![],
        }
    }
}

/// The bundle as of the end of the log.
pub fn make(world: &World, wish: &Wish) -> Bundle {
    let size = world.size();
    let nodes =
        wish.cosigners.iter().map(|(cosigner, _)| cosigner.actor).chain(wish.lines.iter().map(|line| line.node));
    let roots = Roots {
        lot: wish.lot,
        network: world.network.id(),
        nodes: nodes.chain([wish.keeper.actor]).collect(),
        shallow: wish.shallow,
    };
    let (scope, shown) = gather(world, &roots, &wish.besides);
    let entries = shown
        .iter()
        .map(|place| {
            let index = *place as u64 + 1;
            let event = world.logged.events()[*place].event.bytes().to_vec();
            Entry { index, event, path: world.inclusion(index, size) }
        })
        .collect();
    let subjects = scope.whole.iter();
    let subjects = subjects.map(|subject| SubjectProof { subject: *subject, proof: world.state_proof(subject, size) });
    let mut lines = wish.lines.clone();
    for line in lines.iter_mut().filter(|line| line.node == wish.keeper.actor) {
        for anchor in &mut line.anchors {
            anchor.consistency = Some(world.consistency(anchor.words.size, size));
        }
    }
    let mut openings = wish.openings.clone();
    openings.sort_by_key(|opening| (opening.event, opening.path.clone()));
    Bundle {
        network: world.network.clone(),
        lot: wish.lot,
        entries,
        subjects: subjects.collect(),
        checkpoint: checkpoint(world, wish),
        lines,
        openings,
        left_out: wish.shallow.then(|| scope.left_out.iter().copied().collect()),
        survivals: Vec::new(),
    }
}

/// The scope, and the places of all events in it: what the scope asks for is added until it asks for no more.
fn gather(world: &World, roots: &Roots, besides: &[EventId]) -> (Scope, BTreeSet<usize>) {
    let known = roots.nodes.iter().copied().chain([roots.lot]).collect();
    let mut shown = places(world, &known, besides);
    loop {
        let mut history = History::default();
        for judged in shown.iter().map(|place| &world.logged.events()[*place]) {
            if world.honest.get(&judged.event.id()).is_some() {
                history.add(judged.clone());
            }
        }
        let scope = Scope::of(&history, roots).unwrap();
        let asked = places(world, &scope.whole, besides);
        if asked == shown {
            return (scope, shown);
        }
        shown.extend(asked);
    }
}

/// Events of these subjects, the events named, and all on which they rest.
fn places(world: &World, subjects: &BTreeSet<SubjectId>, besides: &[EventId]) -> BTreeSet<usize> {
    let events = world.logged.events();
    let mut places = BTreeSet::new();
    let mut wanted: BTreeSet<EventId> = besides.iter().copied().collect();
    // Ancestors come before what rests on them, so one pass from the end finds them all.
    for (place, judged) in events.iter().enumerate().rev() {
        let of_subject = touched(&judged.event).iter().any(|subject| subjects.contains(subject));
        if of_subject || wanted.contains(&judged.event.id()) {
            places.insert(place);
            wanted.extend(judged.event.payload().rests_on());
        }
    }
    places
}

pub fn origin(world: &World, keeper: &Keeper) -> LogOrigin {
    LogOrigin { network: world.network.id(), key: public(&keeper.log) }
}

fn checkpoint(world: &World, wish: &Wish) -> String {
    let size = world.size();
    let checkpoint = Checkpoint {
        origin: origin(world, &wish.keeper).to_string(),
        size,
        root: world.log_root(size),
        state_root: world.state_root(size),
    };
    note(world, &checkpoint, &wish.keeper, &wish.cosigners)
}

/// A checkpoint with the signatures of its log and of cosigners.
pub fn note(world: &World, checkpoint: &Checkpoint, keeper: &Keeper, cosigners: &[(Keeper, u64)]) -> String {
    let note = checkpoint.to_note(&public(&keeper.log), |text| keeper.log.sign(text).to_bytes());
    let mut note = Note::parse(&note).unwrap();
    for (cosigner, time_s) in cosigners {
        let sign = |text: &[u8]| cosigner.log.sign(text).to_bytes();
        let line = cosign(note.text(), &origin(world, cosigner), *time_s, sign);
        note.add_signature_line(line).unwrap();
    }
    note.to_string()
}
