//! That events of a bundle lie before the end of their key's journal.

use crate::counting::{CutTrees, path_in_journal};
use crate::reader::Reader;
use provenance::admission::given_key;
use provenance::bundle::Survival;
use provenance::counting::{Survivors, cuts};
use provenance::history::History;
use provenance::id::EventId;
use provenance::network::Network;
use store::StoreError;

/// Of all events of a history whose journals are cut in it, those that lie before the cut; in the order of a bundle.
pub(super) fn of(network: &Network, reader: &Reader, history: &History) -> Result<Vec<Survival>, StoreError> {
    let trees = CutTrees::new(reader);
    let given = |id: &EventId| given_key(&history.get(id)?.event).map(|(key, _)| key);
    let mut survivals = Vec::new();
    for cutter in history.events() {
        for (journal, cut) in cuts(network, cutter, given) {
            let id = cutter.event.id();
            for judged in history.events() {
                if (judged.judgement.key_event, judged.event.key()) != journal {
                    continue;
                }
                if let Some((index, path)) = path_in_journal(&trees, id, &cut, judged)? {
                    let (key_event, event) = (cut.key_event, judged.event.id());
                    survivals.push(Survival { cutter: id, key_event, event, index, path });
                }
            }
        }
    }
    survivals.sort_by_key(|it| (it.cutter, it.key_event, it.event));
    Ok(survivals)
}

/// The same for whoever counts.
pub(super) fn survivors(survivals: &[Survival]) -> Survivors {
    Survivors(survivals.iter().map(|it| (it.cutter, it.key_event, it.event)).collect())
}
