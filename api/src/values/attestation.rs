//! Commands of those who attest as JSON: inspections, measurements, devices, certificates, recalls, statements.

use super::place::DocumentInput;
use super::produce::{CommodityInput, DatesInput, maybe};
use super::scalars::DecimalText;
use super::{QuantityInput, refused, text, timestamp, too_many};
use crate::problem::Problem;
use ledger::author::{
    AttachDevice, ConfirmEvent, DetachDevice, DisputeEvent, EndRecall, InspectProduce, IssueCertificate, IssueRecall,
    MeasureCondition, SetCertificateStatus, UpdateRecall,
};
use provenance::body::{Analyte, CertificateState, Document, InspectionVerdict, Period, RecallAction, RecallLevel};
use provenance::id::{EventId, SubjectId};
use provenance::value::Measure;
use serde::Deserialize;
use utoipa::ToSchema;

/// Most operators, places and commodities of a certificate.
const MAX_LIST: usize = 16;

/// Most analytes of an inspection, and most lots of a recall.
const MAX_LINES: usize = 32;

/// A measured value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MeasureInput {
    /// Digits with at most one point and 9 decimal places; may be below zero.
    #[schema(value_type = String, example = "-18.5")]
    value: DecimalText,
    /// The unit of the instrument or method.
    #[schema(example = "CEL")]
    unit: String,
}

impl MeasureInput {
    fn read(&self, field: &str) -> Result<Measure, Problem> {
        let unit = text(&self.unit, &format!("{field}.unit"))?;
        Measure::parse(&self.value.0, unit).map_err(|error| refused(&format!("{field}.value"), &error))
    }
}

/// An inspection of a lot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InspectionInput {
    /// The sample.
    sample: String,
    /// By which method.
    #[schema(example = "EN 15662")]
    method: String,
    /// What was looked for.
    #[serde(default)]
    analytes: Vec<AnalyteInput>,
    /// passed, failed or inconclusive.
    #[schema(value_type = String, example = "passed")]
    verdict: InspectionVerdict,
    /// The report, by hash.
    document: Option<DocumentInput>,
    /// Where.
    #[schema(value_type = Option<String>)]
    place: Option<SubjectId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnalyteInput {
    /// Its name, such as that of a pesticide.
    name: String,
    /// How much there was; left out where it was not detected.
    value: Option<MeasureInput>,
    /// How much there may be.
    limit: Option<MeasureInput>,
}

impl InspectionInput {
    /// The command about this lot, or what is wrong with it.
    pub(crate) fn read(&self, lot: SubjectId) -> Result<InspectProduce, Problem> {
        too_many("analytes", self.analytes.len(), MAX_LINES)?;
        let analyte = |(index, given): (usize, &AnalyteInput)| {
            let field = |name| format!("analytes[{index}].{name}");
            let measure = |given: &Option<MeasureInput>, name| {
                given.as_ref().map(|measure| measure.read(&field(name))).transpose()
            };
            Ok::<_, Problem>(Analyte {
                name: text(&given.name, &field("name"))?,
                value: measure(&given.value, "value")?,
                limit: measure(&given.limit, "limit")?,
            })
        };
        Ok(InspectProduce {
            lot,
            sample: text(&self.sample, "sample")?,
            method: text(&self.method, "method")?,
            analytes: self.analytes.iter().enumerate().map(analyte).collect::<Result<_, _>>()?,
            verdict: self.verdict,
            document: document(self.document.as_ref(), "document")?,
            place: self.place,
        })
    }
}

/// What a device measured.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConditionInput {
    /// What was measured.
    #[schema(example = "temperature")]
    property: String,
    /// The first moment, RFC 3339.
    start: String,
    /// The last moment, RFC 3339.
    end: String,
    /// The lowest reading.
    lowest: MeasureInput,
    /// The highest reading.
    highest: MeasureInput,
    /// The mean of the readings.
    mean: Option<MeasureInput>,
    /// How many readings there were.
    readings: u64,
    /// The raw series, by hash.
    series: Option<DocumentInput>,
    /// Where.
    #[schema(value_type = Option<String>)]
    place: Option<SubjectId>,
}

impl ConditionInput {
    /// The command about this subject, or what is wrong with it.
    pub(crate) fn read(&self, subject: SubjectId) -> Result<MeasureCondition, Problem> {
        Ok(MeasureCondition {
            subject,
            property: text(&self.property, "property")?,
            period: Period { start: timestamp(&self.start, "start")?, end: timestamp(&self.end, "end")? },
            lowest: self.lowest.read("lowest")?,
            highest: self.highest.read("highest")?,
            mean: self.mean.as_ref().map(|mean| mean.read("mean")).transpose()?,
            readings: self.readings,
            series: document(self.series.as_ref(), "series")?,
            place: self.place,
        })
    }
}

/// What a device travels with from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachmentInput {
    /// A lot, a unit or a place.
    #[schema(value_type = String)]
    to: SubjectId,
    /// Since when, RFC 3339.
    from: String,
    /// Until when, if that is known, RFC 3339.
    until: Option<String>,
}

impl AttachmentInput {
    /// The command about this device, or what is wrong with it.
    pub(crate) fn read(&self, device: SubjectId) -> Result<AttachDevice, Problem> {
        let until = self.until.as_deref().map(|until| timestamp(until, "until")).transpose()?;
        Ok(AttachDevice { device, to: self.to, from: timestamp(&self.from, "from")?, until })
    }
}

/// What a device does not travel with any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetachmentInput {
    /// A lot, a unit or a place.
    #[schema(value_type = String)]
    from: SubjectId,
    /// When, RFC 3339.
    at: String,
}

impl DetachmentInput {
    /// The command about this device, or what is wrong with it.
    pub(crate) fn read(&self, device: SubjectId) -> Result<DetachDevice, Problem> {
        Ok(DetachDevice { device, from: self.from, at: timestamp(&self.at, "at")? })
    }
}

/// A certificate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateInput {
    /// The scheme.
    #[schema(example = "organic")]
    scheme: String,
    /// Its number, by which lots claim it.
    number: String,
    /// For whom it holds.
    #[schema(value_type = Vec<String>)]
    operators: Vec<SubjectId>,
    /// For which places; for all without it.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false)]
    places: Vec<SubjectId>,
    /// For which commodities; for all without it.
    #[serde(default)]
    commodities: Vec<CommodityInput>,
    /// On which days it holds.
    valid: DatesInput,
    /// How much may be sold under it.
    volume_cap: Option<QuantityInput>,
    /// The certificate itself, by hash.
    document: Option<DocumentInput>,
}

impl CertificateInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<IssueCertificate, Problem> {
        too_many("operators", self.operators.len(), MAX_LIST)?;
        too_many("places", self.places.len(), MAX_LIST)?;
        too_many("commodities", self.commodities.len(), MAX_LIST)?;
        let commodity = |(index, given): (usize, &CommodityInput)| given.read(&format!("commodities[{index}]"));
        Ok(IssueCertificate {
            scheme: text(&self.scheme, "scheme")?,
            number: text(&self.number, "number")?,
            operators: self.operators,
            places: self.places,
            commodities: self.commodities.iter().enumerate().map(commodity).collect::<Result<_, _>>()?,
            valid: self.valid.read("valid")?,
            volume_cap: self.volume_cap.as_ref().map(|cap| cap.read("volume_cap")).transpose()?,
            document: document(self.document.as_ref(), "document")?,
        })
    }
}

/// How a certificate stands from a moment on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateStatusInput {
    /// suspended, withdrawn or reinstated.
    #[schema(value_type = String, example = "suspended")]
    state: CertificateState,
    /// Since when, RFC 3339.
    from: String,
    /// Why.
    reason: Option<String>,
}

impl CertificateStatusInput {
    /// The command about this certificate, or what is wrong with it.
    pub(crate) fn read(&self, certificate: SubjectId) -> Result<SetCertificateStatus, Problem> {
        let (from, reason) = (timestamp(&self.from, "from")?, maybe(self.reason.as_deref(), "reason")?);
        Ok(SetCertificateStatus { certificate, state: self.state, from, reason })
    }
}

/// A warning of lots.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecallInput {
    /// Of which lots. What was made of them is found by tracing.
    #[schema(value_type = Vec<String>)]
    lots: Vec<SubjectId>,
    /// public (consumers are warned), trade (the trade gives the goods back) or information.
    #[schema(value_type = String, example = "trade")]
    level: RecallLevel,
    /// What is wrong with the goods.
    hazard: String,
    /// Which goods, in words.
    scope: Option<String>,
    /// hold, return, destroy or inform.
    #[schema(value_type = String, example = "hold")]
    action: RecallAction,
    /// Whom to ask.
    contact: String,
}

impl RecallInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<IssueRecall, Problem> {
        if self.lots.is_empty() {
            return Err(Problem::value("lots", "count", "A recall is of at least one lot. Name it."));
        }
        too_many("lots", self.lots.len(), MAX_LINES)?;
        Ok(IssueRecall {
            lots: self.lots,
            level: self.level,
            hazard: text(&self.hazard, "hazard")?,
            scope: maybe(self.scope.as_deref(), "scope")?,
            action: self.action,
            contact: text(&self.contact, "contact")?,
        })
    }
}

/// What changes in a recall.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecallChangeInput {
    /// Another level.
    #[schema(value_type = Option<String>)]
    level: Option<RecallLevel>,
    /// Another hazard.
    hazard: Option<String>,
    /// Another scope.
    scope: Option<String>,
    /// Another action.
    #[schema(value_type = Option<String>)]
    action: Option<RecallAction>,
    /// Another contact.
    contact: Option<String>,
}

impl RecallChangeInput {
    /// The command about this recall, or what is wrong with it.
    pub(crate) fn read(&self, recall: EventId) -> Result<UpdateRecall, Problem> {
        Ok(UpdateRecall {
            recall,
            level: self.level,
            hazard: maybe(self.hazard.as_deref(), "hazard")?,
            scope: maybe(self.scope.as_deref(), "scope")?,
            action: self.action,
            contact: maybe(self.contact.as_deref(), "contact")?,
        })
    }
}

/// The end of a recall.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecallEndInput {
    /// Why.
    reason: String,
}

impl RecallEndInput {
    /// The command about this recall, or what is wrong with it.
    pub(crate) fn read(&self, recall: EventId) -> Result<EndRecall, Problem> {
        Ok(EndRecall { recall, reason: text(&self.reason, "reason")? })
    }
}

/// A party says that an event is right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmationInput {
    /// How it was confirmed.
    #[schema(example = "signature on paper")]
    method: String,
    /// What shows it, by hash.
    evidence: Option<DocumentInput>,
}

impl ConfirmationInput {
    /// The command about this event, or what is wrong with it.
    pub(crate) fn read(&self, target: EventId) -> Result<ConfirmEvent, Problem> {
        let evidence = document(self.evidence.as_ref(), "evidence")?;
        Ok(ConfirmEvent { target, method: text(&self.method, "method")?, evidence })
    }
}

/// A party says that an event is wrong.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisputeInput {
    /// What is not so.
    reason: String,
    /// What shows it, by hash.
    evidence: Option<DocumentInput>,
}

impl DisputeInput {
    /// The command about this event, or what is wrong with it.
    pub(crate) fn read(&self, target: EventId) -> Result<DisputeEvent, Problem> {
        let evidence = document(self.evidence.as_ref(), "evidence")?;
        Ok(DisputeEvent { target, reason: text(&self.reason, "reason")?, evidence })
    }
}

fn document(given: Option<&DocumentInput>, field: &str) -> Result<Option<Document>, Problem> {
    given.map(|document| document.read(field)).transpose()
}
