//! Goods that become others, and units in which they travel.

use super::{Draft, Knowledge, kg, new_subject, on, text};
use crate::chance::Chance;
use crate::signer::Signer;
use ledger::view::{LotStanding, PageSize, ProduceFilter, ProduceRow, UnitFilter};
use provenance::body::{Body, Commodity, Content, Input, Output, ProduceTransformed, UnitPacked, UnitUnpacked};
use provenance::payload::{Lane, Touch};
use provenance::value::{LangText, Quantity, Sscc};
use store::StoreError;

/// Pressed, or whatever one does with fruit.
pub(super) fn transformation(
    who: &Signer,
    known: &Knowledge<'_>,
    chance: &mut Chance,
) -> Result<Option<Draft>, StoreError> {
    let lots = some_of(who, known, chance)?;
    let inputs = lots.iter().map(|lot| Input { lot: lot.id, quantity: some(lot, chance) }).collect();
    let outputs: Vec<Output> = (0..=chance.index(2)).map(|_| juice()).collect();
    let mut touches: Vec<Touch> = lots.iter().map(on).collect();
    touches.extend(outputs.iter().map(|_| new_subject()));
    let body =
        ProduceTransformed { run: text("run 1"), process: text("press"), inputs, outputs, loss: None, place: None };
    Ok(drafted(&lots, touches, Body::ProduceTransformed(Box::new(body))))
}

/// Into a new unit.
pub(super) fn packing(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
    let lots = some_of(who, known, chance)?;
    let contents: Vec<Content> = lots.iter().map(|lot| Content { lot: lot.id, quantity: some(lot, chance) }).collect();
    let parts = contents.iter().zip(&lots).filter(|(content, lot)| content.quantity != lot.balance);
    let mut touches = vec![new_subject()];
    touches.extend(lots.iter().map(on));
    touches.extend(parts.map(|_| new_subject()));
    let sscc = Some(Sscc::new("106141411234567897").expect("its check digit is right"));
    Ok(drafted(&lots, touches, Body::UnitPacked(UnitPacked { sscc, contents, place: None })))
}

/// All that lies in a unit, or some of it.
pub(super) fn unpacking(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Option<Draft>, StoreError> {
    let filter = UnitFilter { holder: Some(who.actor), ..UnitFilter::default() };
    let units = known.views.units(&filter, None, PageSize::new(12))?.rows;
    let Some(unit) = chance.one(&units) else { return Ok(None) };
    let inside = ProduceFilter { inside: Some(unit.id), ..ProduceFilter::default() };
    let mut lots = known.views.produces(&inside, None, PageSize::new(12))?.rows;
    lots.retain(|_| chance.percent(70));
    let mut touches = vec![Touch { subject: Some(unit.id), lane: Lane::Main, prev: unit.tips.clone() }];
    touches.extend(lots.iter().map(on));
    let contents = lots.iter().map(|lot| lot.id).collect();
    Ok(drafted(&lots, touches, Body::UnitUnpacked(UnitUnpacked { contents, place: None })))
}

fn drafted(lots: &[ProduceRow], touches: Vec<Touch>, body: Body) -> Option<Draft> {
    (!lots.is_empty()).then_some(Draft { touches, basis: Vec::new(), body, gives: None, is_wrong: false })
}

/// One or two lots with which somebody can do something.
fn some_of(who: &Signer, known: &Knowledge<'_>, chance: &mut Chance) -> Result<Vec<ProduceRow>, StoreError> {
    let held = Some(LotStanding::Held);
    let filter = ProduceFilter { holder: Some(who.actor), standing: held, ..ProduceFilter::default() };
    let mut lots = known.views.produces(&filter, None, PageSize::new(12))?.rows;
    chance.shuffle(&mut lots);
    lots.truncate(1 + chance.index(2));
    Ok(lots)
}

/// All of a lot, or a part of it.
fn some(lot: &ProduceRow, chance: &mut Chance) -> Quantity {
    if chance.percent(50) { lot.balance } else { kg("0.5") }
}

fn juice() -> Output {
    Output {
        commodity: Commodity { scheme: text("HS"), code: text("2009.71") },
        name: LangText::single("en", "Apple juice").expect("it is a name"),
        variety: None,
        quantity: kg("5"),
        grade: None,
        codes: None,
        claims: Some(vec![text("BIO-1")]),
    }
}
