//! What inspectors, devices, certifiers, authorities and parties attest of what others told.

use super::actor::ascending;
use super::draft::{Command, Draft};
use super::{Author, AuthorError, Context, Done};
use provenance::admission::Ancestry;
use provenance::body::{
    Analyte, Body, CertificateIssued, CertificateState, CertificateStatus, Commodity, ConditionMeasured,
    DeviceAttached, DeviceDetached, Document, EventConfirmed, EventDisputed, InspectionVerdict, Period,
    ProduceInspected, RecallAction, RecallEnded, RecallIssued, RecallLevel, RecallUpdated,
};
use provenance::id::{EventId, SubjectId};
use provenance::payload::Lane;
use provenance::value::{DateRange, Measure, Quantity, Text, Timestamp};

/// Tells what an inspector saw or a laboratory found: produce.inspected.
#[derive(Debug, Clone)]
pub struct InspectProduce {
    /// Of what.
    pub lot: SubjectId,
    /// The sample.
    pub sample: Text<64>,
    /// By which method.
    pub method: Text<128>,
    /// What was looked for.
    pub analytes: Vec<Analyte>,
    /// What came out.
    pub verdict: InspectionVerdict,
    /// The report.
    pub document: Option<Document>,
    /// Where.
    pub place: Option<SubjectId>,
}

/// Tells what a device measured: condition.measured.
#[derive(Debug, Clone)]
pub struct MeasureCondition {
    /// Of what: a lot, a unit or a place.
    pub subject: SubjectId,
    /// What was measured, such as temperature.
    pub property: Text<64>,
    /// When.
    pub period: Period,
    /// The lowest reading.
    pub lowest: Measure,
    /// The highest reading.
    pub highest: Measure,
    /// The mean of the readings.
    pub mean: Option<Measure>,
    /// How many readings there were.
    pub readings: u64,
    /// The raw series.
    pub series: Option<Document>,
    /// Where.
    pub place: Option<SubjectId>,
}

/// A device travels with something from now on: device.attached.
#[derive(Debug, Clone, Copy)]
pub struct AttachDevice {
    /// The device's actor.
    pub device: SubjectId,
    /// To what.
    pub to: SubjectId,
    /// Since when.
    pub from: Timestamp,
    /// Until when, if that is known.
    pub until: Option<Timestamp>,
}

/// A device does not travel with something any more: device.detached.
#[derive(Debug, Clone, Copy)]
pub struct DetachDevice {
    /// The device's actor.
    pub device: SubjectId,
    /// From what.
    pub from: SubjectId,
    /// When.
    pub at: Timestamp,
}

/// Tells who may sell what under a scheme: certificate.issued.
#[derive(Debug, Clone)]
pub struct IssueCertificate {
    /// The scheme, such as organic.
    pub scheme: Text<64>,
    /// Its number, by which lots claim it.
    pub number: Text<64>,
    /// For whom it holds, in any order.
    pub operators: Vec<SubjectId>,
    /// For which places, in any order; for all where there are none.
    pub places: Vec<SubjectId>,
    /// For which commodities, in any order; for all where there are none.
    pub commodities: Vec<Commodity>,
    /// On which days it holds.
    pub valid: DateRange,
    /// How much may be sold under it.
    pub volume_cap: Option<Quantity>,
    /// The certificate itself.
    pub document: Option<Document>,
}

/// Suspends, withdraws or reinstates a certificate: certificate.status.
#[derive(Debug, Clone)]
pub struct SetCertificateStatus {
    /// The certificate.
    pub certificate: SubjectId,
    /// How it stands.
    pub state: CertificateState,
    /// Since when.
    pub from: Timestamp,
    /// Why.
    pub reason: Option<Text<512>>,
}

/// Warns of lots: recall.issued.
#[derive(Debug, Clone)]
pub struct IssueRecall {
    /// Of which.
    pub lots: Vec<SubjectId>,
    /// How far it reaches.
    pub level: RecallLevel,
    /// What is wrong with the goods.
    pub hazard: Text<512>,
    /// Which goods, in words.
    pub scope: Option<Text<512>>,
    /// What is to be done.
    pub action: RecallAction,
    /// Whom to ask.
    pub contact: Text<512>,
}

/// Changes a recall: recall.updated. What is given replaces what stood before.
#[derive(Debug, Clone)]
pub struct UpdateRecall {
    /// The recall.
    pub recall: EventId,
    /// Another level.
    pub level: Option<RecallLevel>,
    /// Another hazard.
    pub hazard: Option<Text<512>>,
    /// Another scope.
    pub scope: Option<Text<512>>,
    /// Another action.
    pub action: Option<RecallAction>,
    /// Another contact.
    pub contact: Option<Text<512>>,
}

/// Ends a recall: recall.ended.
#[derive(Debug, Clone)]
pub struct EndRecall {
    /// The recall.
    pub recall: EventId,
    /// Why.
    pub reason: Text<512>,
}

/// A party says that an event is right: event.confirmed.
#[derive(Debug, Clone)]
pub struct ConfirmEvent {
    /// The event.
    pub target: EventId,
    /// How it was confirmed, such as by signature on paper.
    pub method: Text<128>,
    /// What shows it.
    pub evidence: Option<Document>,
}

/// A party says that an event is wrong: event.disputed.
#[derive(Debug, Clone)]
pub struct DisputeEvent {
    /// The event.
    pub target: EventId,
    /// What is not so.
    pub reason: Text<512>,
    /// What shows it.
    pub evidence: Option<Document>,
}

macro_rules! use_cases {
    ($($(#[$doc:meta])* $name:ident $command:ident;)*) => {
        impl Author {
            $($(#[$doc])*
            pub async fn $name(&self, context: Context, command: $command) -> Result<Done, AuthorError> {
                self.desk.carry_out(context, command).await
            })*
        }
    };
}

use_cases! {
    /// Tells what an inspection of a lot found.
    inspect_produce InspectProduce;
    /// Tells what a device measured of a lot, a unit or a place.
    measure_condition MeasureCondition;
    /// Attaches a device to something.
    attach_device AttachDevice;
    /// Detaches a device from something.
    detach_device DetachDevice;
    /// Issues a certificate. Its id is subject 0 of the event.
    issue_certificate IssueCertificate;
    /// Changes how a certificate stands.
    set_certificate_status SetCertificateStatus;
    /// Warns of lots. The event's id is that of the recall.
    issue_recall IssueRecall;
    /// Changes a recall.
    update_recall UpdateRecall;
    /// Ends a recall.
    end_recall EndRecall;
    /// Confirms what somebody else told.
    confirm_event ConfirmEvent;
    /// Disputes what somebody else told.
    dispute_event DisputeEvent;
}

impl Command for InspectProduce {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.names_subject("lot", &self.lot)?;
        draft.attests(self.lot)?;
        names_place(draft, self.place.as_ref())?;
        Ok(Body::ProduceInspected(ProduceInspected {
            sample: self.sample.clone(),
            method: self.method.clone(),
            analytes: self.analytes.clone(),
            verdict: self.verdict,
            document: self.document.clone(),
            place: self.place,
        }))
    }
}

impl Command for MeasureCondition {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.names_subject("subject", &self.subject)?;
        draft.attests(self.subject)?;
        names_place(draft, self.place.as_ref())?;
        Ok(Body::ConditionMeasured(Box::new(ConditionMeasured {
            property: self.property.clone(),
            period: self.period,
            lowest: self.lowest.clone(),
            highest: self.highest.clone(),
            mean: self.mean.clone(),
            readings: self.readings,
            series: self.series.clone(),
            place: self.place,
        })))
    }
}

impl Command for AttachDevice {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.names_actor("device", &self.device)?;
        draft.names_subject("to", &self.to)?;
        draft.extends_lane_of(self.device)?;
        Ok(Body::DeviceAttached(DeviceAttached { to: self.to, from: self.from, until: self.until }))
    }
}

impl Command for DetachDevice {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.names_actor("device", &self.device)?;
        draft.names_subject("from", &self.from)?;
        draft.extends_lane_of(self.device)?;
        Ok(Body::DeviceDetached(DeviceDetached { from: self.from, at: self.at }))
    }
}

impl Command for IssueCertificate {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.creates();
        for operator in &self.operators {
            draft.names_actor("operators", operator)?;
        }
        for place in &self.places {
            draft.names_place("places", place)?;
        }
        Ok(Body::CertificateIssued(Box::new(CertificateIssued {
            scheme: self.scheme.clone(),
            number: self.number.clone(),
            operators: ascending(&self.operators),
            places: some(&self.places),
            commodities: some(&self.commodities),
            valid: self.valid,
            volume_cap: self.volume_cap,
            document: self.document.clone(),
        })))
    }
}

impl Command for SetCertificateStatus {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let unknown = || AuthorError::NoSuchCertificate { certificate: self.certificate };
        let (issued, _) = draft.desk().ledger.reader().origin(&self.certificate)?.ok_or_else(unknown)?;
        let stored = draft.desk().stored(&issued)?.ok_or_else(unknown)?;
        if !matches!(stored.judged.event.payload().body, Body::CertificateIssued(_)) {
            return Err(unknown());
        }
        draft.names_event([issued]);
        draft.extends_lane_of(self.certificate)?;
        let (state, from, reason) = (self.state, self.from, self.reason.clone());
        Ok(Body::CertificateStatus(CertificateStatus { state, from, reason }))
    }
}

impl Command for IssueRecall {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        for lot in &self.lots {
            let creation = draft.names_subject("lots", lot)?;
            names_holding(draft, lot, creation)?;
            draft.attests(*lot)?;
        }
        Ok(Body::RecallIssued(RecallIssued {
            level: self.level,
            hazard: self.hazard.clone(),
            scope: self.scope.clone(),
            action: self.action,
            contact: self.contact.clone(),
        }))
    }
}

impl Command for UpdateRecall {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        attests_recalled(draft, self.recall)?;
        Ok(Body::RecallUpdated(RecallUpdated {
            recall: self.recall,
            level: self.level,
            hazard: self.hazard.clone(),
            scope: self.scope.clone(),
            action: self.action,
            contact: self.contact.clone(),
        }))
    }
}

impl Command for EndRecall {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        attests_recalled(draft, self.recall)?;
        Ok(Body::RecallEnded(RecallEnded { recall: self.recall, reason: self.reason.clone() }))
    }
}

impl Command for ConfirmEvent {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        attests_event(draft, self.target)?;
        let (method, evidence) = (self.method.clone(), self.evidence.clone());
        Ok(Body::EventConfirmed(EventConfirmed { target: self.target, method, evidence }))
    }
}

impl Command for DisputeEvent {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        attests_event(draft, self.target)?;
        let (reason, evidence) = (self.reason.clone(), self.evidence.clone());
        Ok(Body::EventDisputed(EventDisputed { target: self.target, reason, evidence }))
    }
}

fn names_place(draft: &mut Draft<'_>, place: Option<&SubjectId>) -> Result<(), AuthorError> {
    place.map_or(Ok(()), |place| draft.names_place("place", place))
}

/// An event about the first subject of another one.
fn attests_event(draft: &mut Draft<'_>, target: EventId) -> Result<(), AuthorError> {
    let unknown = AuthorError::UnknownEvent { field: "target", event: target };
    let stored = draft.desk().stored(&target)?.filter(|stored| stored.index.is_some()).ok_or(unknown)?;
    draft.attests(stored.judged.event.subject(0).expect("an admitted event has a touch"))
}

/// An event about the lots of a recall.
fn attests_recalled(draft: &mut Draft<'_>, recall: EventId) -> Result<(), AuthorError> {
    let unknown = AuthorError::NoSuchRecall { event: recall };
    let stored = draft.desk().stored(&recall)?.filter(|stored| stored.index.is_some()).ok_or(unknown)?;
    let event = &stored.judged.event;
    if !matches!(event.payload().body, Body::RecallIssued(_)) {
        return Err(AuthorError::NoSuchRecall { event: recall });
    }
    event.payload().touches.iter().filter_map(|touch| touch.subject).try_for_each(|lot| draft.attests(lot))
}

/// Names an event after which the signer holds the lot, beside its creation: the newest one. Without one, only an
/// authority may warn of it.
fn names_holding(draft: &mut Draft<'_>, lot: &SubjectId, creation: EventId) -> Result<(), AuthorError> {
    let (reader, signer) = (draft.desk().ledger.reader(), draft.signer());
    let holds = |id: &EventId| {
        let judged = reader.judged(id)?;
        let at = judged.as_ref().and_then(|judged| judged.lane_index(lot, Lane::Main));
        let lines = judged.as_ref().map(|judged| &judged.judgement.lines);
        let state = lines.zip(at).and_then(|(lines, at)| lines[at].lot.as_ref());
        Ok::<_, AuthorError>(state.is_some_and(|state| state.holder == signer))
    };
    if holds(&creation)? {
        return Ok(());
    }
    let mut held = None;
    for id in reader.lane_events(lot, Lane::Main)?.into_iter().rev() {
        if holds(&id)? {
            held = Some(id);
            break;
        }
    }
    draft.names_event(held);
    Ok(())
}

/// An optional list, ascending.
fn some<T: Clone + Ord>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| ascending(list))
}
