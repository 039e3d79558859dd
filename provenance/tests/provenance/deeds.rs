//! What signatories do beside registering and trading: make, pack, attest, certify, recall; possession and title alone.

use crate::story::*;
use provenance::body::*;
use provenance::event::SignedEvent;
use provenance::id::{EventId, SubjectId};
use provenance::payload::{Lane, Touch};
use provenance::value::*;

/// A lot as somebody sees it: its id, and the tips of its main lane.
pub type Lot = (SubjectId, Vec<EventId>);

/// The subject that an event creates with its first touch, as it leaves it.
pub fn made(event: &SignedEvent) -> Lot {
    at(event, 0)
}

/// The subject of touch `index` of an event, as the event leaves it.
pub fn at(event: &SignedEvent, index: usize) -> Lot {
    (event.subject(index).unwrap(), vec![event.id()])
}

pub fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::new(text).unwrap()
}

pub fn moment(ms: u64) -> Timestamp {
    Timestamp::new(ms).unwrap()
}

pub fn celsius(decimal: &str) -> Measure {
    Measure::parse(decimal, text("CEL")).unwrap()
}

/// One of a logistic unit.
pub fn each() -> Quantity {
    Quantity::new(1, 0, Unit::new("EA").unwrap(), None).unwrap()
}

pub fn apples() -> Commodity {
    Commodity { scheme: text("HS"), code: text("0808.10") }
}

/// A touch of a title lane; one without prev begins it.
pub fn title(lot: SubjectId, prev: &[EventId]) -> Touch {
    let mut prev = prev.to_vec();
    prev.sort_unstable();
    Touch { subject: Some(lot), lane: Lane::Title, prev }
}

pub fn output(quantity: &str) -> Output {
    Output {
        commodity: apples(),
        name: LangText::single("en", "Juice").unwrap(),
        variety: None,
        quantity: kg(quantity),
        grade: None,
        codes: None,
        claims: None,
    }
}

pub fn measured() -> ConditionMeasured {
    ConditionMeasured {
        property: text("temperature"),
        period: Period { start: moment(1_790_000_000_000), end: moment(1_790_003_600_000) },
        lowest: celsius("-1.5"),
        highest: celsius("4"),
        mean: Some(celsius("2.25")),
        readings: 60,
        series: None,
        place: None,
    }
}

pub fn inspected() -> ProduceInspected {
    let limit = Measure::parse("0.1", text("mg/kg")).unwrap();
    ProduceInspected {
        sample: text("sample 7"),
        method: text("EN 15662"),
        analytes: vec![Analyte { name: text("lead"), value: None, limit: Some(limit) }],
        verdict: InspectionVerdict::Passed,
        document: None,
        place: None,
    }
}

pub fn certificate(operators: Vec<SubjectId>) -> CertificateIssued {
    let day = |text| Date::parse(text).unwrap();
    CertificateIssued {
        scheme: text("organic"),
        number: text("BIO-1"),
        operators,
        places: None,
        commodities: Some(vec![apples()]),
        valid: DateRange::new(day("2026-01-01"), day("2026-12-31")).unwrap(),
        volume_cap: Some(kg("100000")),
        document: None,
    }
}

pub fn recalled() -> RecallIssued {
    RecallIssued {
        level: RecallLevel::Public,
        hazard: text("listeria"),
        scope: None,
        action: RecallAction::Hold,
        contact: text("the cooperative"),
    }
}

pub fn recall_updated(recall: EventId) -> RecallUpdated {
    let level = Some(RecallLevel::Trade);
    RecallUpdated { recall, level, hazard: None, scope: None, action: None, contact: None }
}

pub fn delivery(member: SubjectId, quantity: &str) -> Delivery {
    Delivery { member, place: None, quantity: kg(quantity), grade: None, slip: Some(text("S-1")) }
}

pub fn collection(deliveries: Vec<Delivery>, quantity: &str) -> ProduceCollected {
    ProduceCollected {
        commodity: apples(),
        name: LangText::single("en", "Apples").unwrap(),
        variety: None,
        deliveries,
        harvested: None,
        quantity: kg(quantity),
        grade: None,
        codes: None,
        claims: None,
    }
}

impl Signatory {
    /// The touch of what this actor attests about a subject.
    pub fn attester(&self, subject: SubjectId, prev: &[EventId]) -> Touch {
        Touch { subject: Some(subject), lane: Lane::Attester(self.actor), prev: prev.to_vec() }
    }

    /// Says a first thing about a subject.
    pub fn attests(&mut self, subject: SubjectId, basis: &[EventId], body: Body) -> SignedEvent {
        self.says(vec![self.attester(subject, &[])], basis, body)
    }

    /// Makes new lots out of these, each with how much of it goes in.
    pub fn transforms(&mut self, inputs: &[(Lot, &str)], outputs: &[&str]) -> SignedEvent {
        let touches =
            inputs.iter().map(|((lot, prev), _)| touch(*lot, prev)).chain(outputs.iter().map(|_| new_subject()));
        let body = ProduceTransformed {
            run: text("run 7"),
            process: text("press"),
            inputs: inputs.iter().map(|((lot, _), q)| Input { lot: *lot, quantity: kg(q) }).collect(),
            outputs: outputs.iter().map(|quantity| output(quantity)).collect(),
            loss: None,
            place: None,
        };
        self.says(touches.collect(), &[], Body::ProduceTransformed(Box::new(body)))
    }

    /// Packs into a unit, or into a new one; the last `parts` touches create parts.
    pub fn packs(&mut self, unit: Option<&Lot>, contents: &[(Lot, Quantity)], parts: usize) -> SignedEvent {
        let mut touches = vec![unit.map_or_else(new_subject, |(unit, prev)| touch(*unit, prev))];
        touches.extend(contents.iter().map(|((lot, prev), _)| touch(*lot, prev)));
        touches.extend((0..parts).map(|_| new_subject()));
        let sscc = unit.is_none().then(|| Sscc::new("106141411234567897").unwrap());
        let contents = contents.iter().map(|((lot, _), quantity)| Content { lot: *lot, quantity: *quantity }).collect();
        self.says(touches, &[], Body::UnitPacked(UnitPacked { sscc, contents, place: None }))
    }

    /// Takes lots out of a unit.
    pub fn unpacks(&mut self, unit: &Lot, contents: &[Lot]) -> SignedEvent {
        let touches = std::iter::once(unit).chain(contents).map(|(lot, prev)| touch(*lot, prev)).collect();
        let body = UnitUnpacked { contents: contents.iter().map(|(lot, _)| *lot).collect(), place: None };
        self.says(touches, &[], Body::UnitUnpacked(body))
    }

    /// Offers all of one lot, by these touches.
    pub fn offers_by(&mut self, moves: Moves, quantity: Quantity, touches: Vec<Touch>, to: &Signatory) -> SignedEvent {
        let lot = touches[0].subject.unwrap();
        let template = self.clone().offers(lot, &[self.journal], "1", false, to);
        let Body::TransferOffered(mut body) = template.payload().body.clone() else { unreachable!("it offers") };
        body.lines = vec![OfferedLine { lot, quantity }];
        body.moves = moves;
        self.says(touches, &[to.key_event], Body::TransferOffered(body))
    }

    /// Takes over what is offered on these lanes.
    pub fn accepts_by(&mut self, touches: Vec<Touch>, offer: &SignedEvent, line: AcceptedLine) -> SignedEvent {
        let body = TransferAccepted { offer: offer.id(), lines: vec![line] };
        self.says(touches, &[], Body::TransferAccepted(body))
    }

    /// Closes part of a lot, or all of it.
    pub fn retires(&mut self, lot: &Lot, quantity: Quantity) -> SignedEvent {
        let body = ProduceRetired { quantity, outcome: Outcome::Destroyed };
        self.says(vec![touch(lot.0, &lot.1)], &[], Body::ProduceRetired(body))
    }
}
