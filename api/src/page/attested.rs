//! What others say of a lot: inspections, measurements, recalls, statements about events, decisions.

use super::words;
use provenance::body::{Analyte, Body, InspectionVerdict};

/// Analytes that are told one by one; the rest is in the records.
const ANALYTES: usize = 12;

/// Title and further lines of such an event, signed for `by`; nothing for one of another kind.
pub(super) fn told(body: &Body, by: &str) -> Option<(String, Vec<String>)> {
    Some(match body {
        Body::ProduceInspected(body) => {
            let verdict = match body.verdict {
                InspectionVerdict::Passed => "passed",
                InspectionVerdict::Failed => "failed",
                InspectionVerdict::Inconclusive => "nothing can be said",
            };
            let mut lines = vec![format!("Sample {} by {}", body.sample.as_str(), body.method.as_str())];
            lines.extend(body.analytes.iter().take(ANALYTES).map(analyte));
            (format!("Inspected by {by}: {verdict}"), lines)
        }
        Body::ConditionMeasured(body) => {
            let property = words::capitalised(&body.property.as_str().replace('_', " "));
            let range = format!("{} to {}", words::measure(&body.lowest), words::measure(&body.highest));
            let from = format!(
                "From {} to {} UTC",
                words::moment(body.period.start.ms()),
                words::moment(body.period.end.ms())
            );
            (format!("{property} measured by {by}: {range}"), vec![from])
        }
        Body::RecallIssued(body) => {
            (format!("Recalled by {by}"), vec![body.hazard.as_str().to_owned(), words::advice(body.action).to_owned()])
        }
        Body::RecallUpdated(body) => {
            let hazard = body.hazard.iter().map(|hazard| hazard.as_str().to_owned());
            (format!("Recall changed by {by}"), hazard.collect())
        }
        Body::RecallEnded(body) => (format!("Recall ended by {by}"), vec![body.reason.as_str().to_owned()]),
        Body::EventConfirmed(body) => {
            (format!("A record was confirmed by {by}"), vec![body.method.as_str().to_owned()])
        }
        Body::EventDisputed(body) => (format!("A record was doubted by {by}"), vec![body.reason.as_str().to_owned()]),
        Body::DisputeResolved(body) => {
            (format!("A dispute was settled by {by}"), vec![body.reason.as_str().to_owned()])
        }
        Body::DeviceAttached(_) => (format!("A measuring device was attached by {by}"), Vec::new()),
        Body::DeviceDetached(_) => (format!("A measuring device was taken off by {by}"), Vec::new()),
        _ => return None,
    })
}

fn analyte(analyte: &Analyte) -> String {
    let value = analyte.value.as_ref().map_or_else(|| "not detected".to_owned(), words::measure);
    let limit = analyte.limit.as_ref().map_or_else(String::new, |limit| format!(", limit {}", words::measure(limit)));
    format!("{}: {value}{limit}", analyte.name.as_str())
}
