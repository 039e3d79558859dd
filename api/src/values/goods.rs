//! Commands about goods that are collected, worked on, made of others and packed, as JSON.

use super::produce::{CodesInput, CommodityInput, DatesInput, MAX_LIST, maybe};
use super::transfer::TemperatureInput;
use super::{GradeInput, LangTextInput, QuantityInput, refused, text, too_many};
use crate::problem::Problem;
use ledger::author::{
    AssignCodes, CollectProduce, HandleProduce, PackInto, PackUnit, Portion, TransformProduce, UnpackUnit,
};
use ledger::view::ProduceRow;
use provenance::body::{Delivery, Output};
use provenance::id::SubjectId;
use provenance::payload::Payload;
use provenance::value::{Sscc, Text};
use serde::Deserialize;
use utoipa::ToSchema;

/// Deliveries that become one lot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CollectionInput {
    /// What it is, as a code of a published scheme.
    commodity: CommodityInput,
    /// What people call it: a text, or texts by language.
    name: LangTextInput,
    /// The variety.
    variety: Option<String>,
    /// Who brought how much, all in one unit; the lot holds their sum.
    deliveries: Vec<DeliveryInput>,
    /// When it was harvested.
    harvested: Option<DatesInput>,
    /// Its grade.
    grade: Option<GradeInput>,
    /// Codes on its labels.
    codes: Option<CodesInput>,
    /// Certificates that it claims, by number.
    #[serde(default)]
    claims: Vec<String>,
}

/// What one member brought.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeliveryInput {
    /// The member.
    #[schema(value_type = String)]
    member: SubjectId,
    /// Where it was grown.
    #[schema(value_type = Option<String>)]
    place: Option<SubjectId>,
    /// How much.
    quantity: QuantityInput,
    /// How good it was.
    grade: Option<GradeInput>,
    /// Number of the slip that the member got.
    slip: Option<String>,
}

impl CollectionInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<CollectProduce, Problem> {
        too_many("deliveries", self.deliveries.len(), Payload::MAX_TOUCHES)?;
        if self.deliveries.is_empty() {
            return Err(Problem::value(
                "deliveries",
                "count",
                "A collection has at least one delivery. Name a member.",
            ));
        }
        let delivery = |(index, delivery): (usize, &DeliveryInput)| {
            let field = |name| format!("deliveries[{index}].{name}");
            Ok::<_, Problem>(Delivery {
                member: delivery.member,
                place: delivery.place,
                quantity: delivery.quantity.read(&field("quantity"))?,
                grade: delivery.grade.as_ref().map(|grade| grade.read(&field("grade"))).transpose()?,
                slip: maybe(delivery.slip.as_deref(), &field("slip"))?,
            })
        };
        Ok(CollectProduce {
            commodity: self.commodity.read("commodity")?,
            name: self.name.read("name")?,
            variety: maybe(self.variety.as_deref(), "variety")?,
            deliveries: self.deliveries.iter().enumerate().map(delivery).collect::<Result<_, _>>()?,
            harvested: self.harvested.as_ref().map(|dates| dates.read("harvested")).transpose()?,
            grade: self.grade.as_ref().map(|grade| grade.read("grade")).transpose()?,
            codes: self.codes.as_ref().map(|codes| codes.read("codes")).transpose()?,
            claims: claims(&self.claims, "claims")?,
        })
    }
}

/// What was done with a lot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandlingInput {
    /// Such as cooled, washed or stored.
    #[schema(example = "cooled")]
    step: String,
    /// Where.
    #[schema(value_type = Option<String>)]
    place: Option<SubjectId>,
    /// How cold or warm.
    temperature: Option<TemperatureInput>,
    /// What else there is to say.
    remark: Option<String>,
}

impl HandlingInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(&self, lot: SubjectId) -> Result<HandleProduce, Problem> {
        Ok(HandleProduce {
            lot,
            step: text(&self.step, "step")?,
            place: self.place,
            temperature: self.temperature.as_ref().map(|limits| limits.read("temperature")).transpose()?,
            remark: maybe(self.remark.as_deref(), "remark")?,
        })
    }
}

impl CodesInput {
    /// The command that gives a lot these codes, or what is wrong with it.
    pub(crate) fn assign(&self, lot: SubjectId) -> Result<AssignCodes, Problem> {
        let codes = self.read("codes")?;
        if codes == provenance::body::Codes::default() {
            let detail = "No code is given. Give at least one of gtin, lot and traceability_lot_code.";
            return Err(Problem::value("gtin", "empty", detail));
        }
        Ok(AssignCodes { lot, codes })
    }
}

/// Lots that are made of others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransformationInput {
    /// What is done: split, merge, pack, press and so on.
    #[schema(example = "press")]
    process: String,
    /// Id of the process run, which several transformations may share; one of its own unless given.
    run: Option<String>,
    /// What goes in.
    inputs: Vec<PortionInput>,
    /// What comes out.
    outputs: Vec<OutputInput>,
    /// What is lost on the way.
    loss: Option<QuantityInput>,
    /// Where.
    #[schema(value_type = Option<String>)]
    place: Option<SubjectId>,
}

/// Some of a lot, or all of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PortionInput {
    /// The lot, or in contents a unit.
    #[schema(value_type = String)]
    lot: SubjectId,
    /// How much; all of it unless given.
    quantity: Option<QuantityInput>,
}

/// A lot that comes out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OutputInput {
    /// What it is; what the first input is, unless given.
    commodity: Option<CommodityInput>,
    /// What people call it; as the first input, unless given.
    name: Option<LangTextInput>,
    /// The variety; that of the first input where the commodity is not given either.
    variety: Option<String>,
    /// How much there is.
    quantity: QuantityInput,
    /// Its grade.
    grade: Option<GradeInput>,
    /// Codes on its labels.
    codes: Option<CodesInput>,
    /// Certificates that it claims, by number.
    #[serde(default)]
    claims: Vec<String>,
}

impl TransformationInput {
    /// The lot that goes in first: outputs are what it is, where they are not said to be anything else.
    pub(crate) fn first_input(&self) -> Result<SubjectId, Problem> {
        self.inputs.first().map(|input| input.lot).ok_or_else(|| {
            Problem::value("inputs", "count", "Something comes from something. Name at least one lot that goes in.")
        })
    }

    /// The command, or what is wrong with it.
    pub(crate) fn read(&self, first: &ProduceRow) -> Result<TransformProduce, Problem> {
        if self.outputs.is_empty() {
            let detail = "Name at least one lot that comes out; what leaves the chain is retired instead.";
            return Err(Problem::value("outputs", "count", detail));
        }
        too_many("outputs", self.outputs.len(), Payload::MAX_TOUCHES)?;
        let output = |(index, output): (usize, &OutputInput)| output.read(&format!("outputs[{index}]"), first);
        Ok(TransformProduce {
            run: maybe(self.run.as_deref(), "run")?,
            process: text(&self.process, "process")?,
            inputs: portions(&self.inputs, "inputs")?,
            outputs: self.outputs.iter().enumerate().map(output).collect::<Result<_, _>>()?,
            loss: self.loss.as_ref().map(|loss| loss.read("loss")).transpose()?,
            place: self.place,
        })
    }
}

impl OutputInput {
    fn read(&self, field: &str, first: &ProduceRow) -> Result<Output, Problem> {
        let inner = |name| format!("{field}.{name}");
        let variety = maybe(self.variety.as_deref(), &inner("variety"))?;
        Ok(Output {
            variety: if self.commodity.is_none() { variety.or_else(|| first.variety.clone()) } else { variety },
            commodity: match &self.commodity {
                Some(commodity) => commodity.read(&inner("commodity"))?,
                None => first.commodity.clone(),
            },
            name: match &self.name {
                Some(name) => name.read(&inner("name"))?,
                None => first.name.clone(),
            },
            quantity: self.quantity.read(&inner("quantity"))?,
            grade: self.grade.as_ref().map(|grade| grade.read(&inner("grade"))).transpose()?,
            codes: self.codes.as_ref().map(|codes| codes.read(&inner("codes"))).transpose()?,
            claims: Some(claims(&self.claims, &inner("claims"))?),
        })
    }
}

/// Goods that are packed into a new unit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackingInput {
    /// Its serial shipping container code.
    #[schema(example = "106141411234567897")]
    sscc: Option<String>,
    /// Lots or smaller units that are put in.
    contents: Vec<PortionInput>,
    /// Where.
    #[schema(value_type = Option<String>)]
    place: Option<SubjectId>,
}

impl PackingInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(&self) -> Result<PackUnit, Problem> {
        let sscc = self.sscc.as_deref().map(Sscc::new).transpose().map_err(|error| refused("sscc", &error))?;
        Ok(PackUnit { into: PackInto::New(sscc), contents: contents(&self.contents)?, place: self.place })
    }
}

/// Goods that are put into a unit that is there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContentsInput {
    /// Lots or smaller units that are put in.
    contents: Vec<PortionInput>,
    /// Where.
    #[schema(value_type = Option<String>)]
    place: Option<SubjectId>,
}

impl ContentsInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(&self, unit: SubjectId) -> Result<PackUnit, Problem> {
        Ok(PackUnit { into: PackInto::Unit(unit), contents: contents(&self.contents)?, place: self.place })
    }
}

/// What is taken out of a unit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnpackingInput {
    /// Lots or smaller units; all that lies in it unless given.
    #[schema(value_type = Option<Vec<String>>)]
    pub(crate) contents: Option<Vec<SubjectId>>,
    /// Where.
    #[schema(value_type = Option<String>)]
    place: Option<SubjectId>,
}

impl UnpackingInput {
    /// The command.
    pub(crate) fn read(&self, unit: SubjectId, contents: Vec<SubjectId>) -> Result<UnpackUnit, Problem> {
        too_many("contents", contents.len(), Payload::MAX_TOUCHES - 1)?;
        Ok(UnpackUnit { unit, contents, place: self.place })
    }
}

fn contents(given: &[PortionInput]) -> Result<Vec<Portion>, Problem> {
    if given.is_empty() {
        return Err(Problem::value("contents", "count", "Nothing is packed. Name at least one lot or unit."));
    }
    portions(given, "contents")
}

fn portions(given: &[PortionInput], field: &str) -> Result<Vec<Portion>, Problem> {
    too_many(field, given.len(), Payload::MAX_TOUCHES)?;
    let portion = |(index, portion): (usize, &PortionInput)| {
        let quantity = portion.quantity.as_ref();
        let quantity = quantity.map(|quantity| quantity.read(&format!("{field}[{index}].quantity"))).transpose()?;
        Ok(Portion { lot: portion.lot, quantity })
    };
    given.iter().enumerate().map(portion).collect()
}

fn claims(given: &[String], field: &str) -> Result<Vec<Text<128>>, Problem> {
    too_many(field, given.len(), MAX_LIST)?;
    given.iter().enumerate().map(|(index, claim)| text(claim, &format!("{field}[{index}]"))).collect()
}
