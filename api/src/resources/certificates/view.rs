//! The representation of a certificate.

use crate::hal::{Action, Links, Resource};
use crate::links;
use crate::names::{Names, Party};
use crate::problem::Problem;
use crate::state::ApiState;
use ledger::view::{CertificateRow, CertificateStanding};
use provenance::value::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// A certificate: who may sell what under a scheme.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct CertificateView {
    /// Scheme, number, for whom and what it holds, and its changes.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    row: CertificateRow,
    /// Who issued it.
    certifier: Party,
    /// `not_yet_valid`, valid, suspended, withdrawn or expired, at the moment `at`.
    #[schema(value_type = String, example = "valid")]
    standing: CertificateStanding,
    /// For which moment the standing is told: now, unless another one was asked for.
    #[schema(value_type = String)]
    at: Timestamp,
}

/// The certificate as it stands at a moment, with its links, and its actions for a caller who may write.
pub(crate) fn resource(
    state: &ApiState,
    names: &Names,
    row: CertificateRow,
    at: Timestamp,
    may_write: bool,
) -> Result<Resource<CertificateView>, Problem> {
    let (id, issuer) = (row.id, row.issuer);
    let certifier = names.actor(&issuer)?;
    let links = Links::to_self(links::certificate(&id))
        .and("collection", links::certificates())
        .titled("issuer", links::actor(&issuer), certifier.name.clone())
        .and("created-by", links::event(&row.event))
        .many("operator", row.operators.iter().map(|operator| (links::actor(operator), None)))
        .many("place", row.places.iter().map(|place| (links::place(place), None)))
        .many("event", row.steps.iter().map(|step| (links::event(&step.event), None)));
    let standing = row.standing(at);
    let resource = Resource::new(CertificateView { row, certifier, standing, at }, links);
    if !may_write || !state.keeps(&issuer) {
        return Ok(resource);
    }
    Ok(resource.offering(
        Action::new("change-status", "Suspend, withdraw or reinstate", "POST", links::certificate_status(&id))
            .needs("state", "suspended, withdrawn or reinstated")
            .needs("from", "Since when")
            .takes("reason", "Why"),
    ))
}

/// This moment.
pub(super) fn now() -> Timestamp {
    let ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
    Timestamp::new(ms).expect("the clock shows a year before 10000")
}
