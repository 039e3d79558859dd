//! Commands about lots as JSON: register, change, retire.

use super::{GradeInput, LangTextInput, PriceInput, QuantityInput, refused, text, too_many};
use crate::problem::Problem;
use ledger::author::{RegisterProduce, RetireProduce};
use provenance::body::{Codes, Commodity, Outcome};
use provenance::id::SubjectId;
use provenance::value::{Date, DateRange, Gtin, Text};
use serde::Deserialize;
use utoipa::ToSchema;

/// Most places and claims of a lot, as the rules have it.
pub(super) const MAX_LIST: usize = 16;

/// A lot to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProduceInput {
    /// What it is, as a code of a published scheme.
    commodity: CommodityInput,
    /// What people call it: a text, or texts by language.
    name: LangTextInput,
    /// The variety.
    #[schema(example = "Braeburn")]
    variety: Option<String>,
    /// Where it was grown: ids of places.
    #[schema(value_type = Vec<String>, required = false)]
    #[serde(default)]
    places: Vec<SubjectId>,
    /// When it was harvested.
    harvested: Option<DatesInput>,
    /// How much there is.
    quantity: QuantityInput,
    /// Its grade.
    grade: Option<GradeInput>,
    /// Codes on its labels.
    codes: Option<CodesInput>,
    /// Certificates that it claims, by number.
    #[serde(default)]
    claims: Vec<String>,
    /// Who harvested it; sealed.
    harvester: Option<String>,
    /// What it costs.
    price: Option<PriceInput>,
    /// Whether the price is sealed: only a commitment to it is published.
    #[serde(default)]
    seal_price: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommodityInput {
    /// The scheme: HS, CPC, GPC and so on.
    #[schema(example = "HS")]
    scheme: String,
    /// The code within it.
    #[schema(example = "0808.10")]
    code: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DatesInput {
    /// The first day.
    #[schema(example = "2026-09-28")]
    first: String,
    /// The last day; the first one unless given.
    last: Option<String>,
}

/// Codes on labels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodesInput {
    /// GTIN-8, -12, -13 or -14.
    gtin: Option<String>,
    /// Batch or lot number, at most 20 characters.
    lot: Option<String>,
    /// Traceability lot code.
    traceability_lot_code: Option<String>,
}

impl ProduceInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<RegisterProduce, Problem> {
        too_many("places", self.places.len(), MAX_LIST)?;
        too_many("claims", self.claims.len(), MAX_LIST)?;
        let claim = |(index, claim): (usize, &String)| text(claim, &format!("claims[{index}]"));
        Ok(RegisterProduce {
            commodity: self.commodity.read("commodity")?,
            name: self.name.read("name")?,
            variety: maybe(self.variety.as_deref(), "variety")?,
            places: self.places,
            harvested: self.harvested.as_ref().map(|dates| dates.read("harvested")).transpose()?,
            quantity: self.quantity.read("quantity")?,
            grade: self.grade.as_ref().map(|grade| grade.read("grade")).transpose()?,
            codes: self.codes.as_ref().map(|codes| codes.read("codes")).transpose()?,
            claims: self.claims.iter().enumerate().map(claim).collect::<Result<_, _>>()?,
            harvester: maybe(self.harvester.as_deref(), "harvester")?,
            price: self.price.as_ref().map(|price| price.read("price")).transpose()?,
            seal_price: self.seal_price,
        })
    }
}

impl CommodityInput {
    /// The code, or what is wrong with it.
    pub(super) fn read(&self, field: &str) -> Result<Commodity, Problem> {
        Ok(Commodity {
            scheme: text(&self.scheme, &format!("{field}.scheme"))?,
            code: text(&self.code, &format!("{field}.code"))?,
        })
    }
}

impl DatesInput {
    /// The days, or what is wrong with them.
    pub(super) fn read(&self, field: &str) -> Result<DateRange, Problem> {
        let day =
            |text: &str, name: &str| Date::parse(text).map_err(|error| refused(&format!("{field}.{name}"), &error));
        let first = day(&self.first, "first")?;
        let last = self.last.as_deref().map_or(Ok(first), |last| day(last, "last"))?;
        DateRange::new(first, last).map_err(|error| refused(field, &error))
    }
}

impl CodesInput {
    /// The codes, or what is wrong with them.
    pub(super) fn read(&self, field: &str) -> Result<Codes, Problem> {
        let gtin = self.gtin.as_deref().map(Gtin::new).transpose();
        Ok(Codes {
            gtin: gtin.map_err(|error| refused(&format!("{field}.gtin"), &error))?,
            lot: maybe(self.lot.as_deref(), &format!("{field}.lot"))?,
            traceability_lot_code: maybe(
                self.traceability_lot_code.as_deref(),
                &format!("{field}.traceability_lot_code"),
            )?,
        })
    }
}

/// What changes: each field that is given becomes an event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProduceChangeInput {
    /// The grade from now on.
    pub(crate) grade: Option<GradeInput>,
    /// The price from now on.
    pub(crate) price: Option<PriceInput>,
    /// Whether the price is sealed: only a commitment to it is published.
    #[serde(default)]
    pub(crate) seal_price: bool,
    /// The place where it is now.
    #[schema(value_type = Option<String>)]
    pub(crate) place: Option<SubjectId>,
    /// Why the grade or the price changed.
    reason: Option<String>,
}

impl ProduceChangeInput {
    /// Why.
    pub(crate) fn reason(&self) -> Result<Option<Text<512>>, Problem> {
        maybe(self.reason.as_deref(), "reason")
    }
}

/// How a lot leaves the chain.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetirementInput {
    /// How much; all of it unless given.
    quantity: Option<QuantityInput>,
    /// sold, consumed, lost or destroyed.
    #[schema(value_type = String, example = "sold")]
    outcome: Outcome,
}

impl RetirementInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(&self, lot: SubjectId) -> Result<RetireProduce, Problem> {
        let quantity = self.quantity.as_ref().map(|quantity| quantity.read("quantity")).transpose()?;
        Ok(RetireProduce { lot, quantity, outcome: self.outcome })
    }
}

/// A text that may be absent.
pub(crate) fn maybe<const MAX: usize>(value: Option<&str>, field: &str) -> Result<Option<Text<MAX>>, Problem> {
    value.map(|value| text(value, field)).transpose()
}
