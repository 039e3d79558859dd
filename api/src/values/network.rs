//! Commands of founders and resolvers as JSON: amend the network, decide over a lot.

use super::command::any;
use super::key::ends;
use super::produce::maybe;
use super::{hex, text, too_many};
use crate::problem::Problem;
use ledger::author::{AmendNetwork, LeavingFounder, LotDecision, ResolveDispute};
use provenance::body::{Contract, Parameters};
use provenance::id::{EventId, SubjectId};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Most contracts, and most ids that an amendment or a decision names.
const MAX_LIST: usize = 16;

/// Most parameters that one amendment sets.
const MAX_PARAMETERS: usize = 32;

/// A change of the network.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AmendmentInput {
    /// What it follows; what is in force unless given.
    #[schema(value_type = Option<Vec<String>>)]
    follows: Option<Vec<EventId>>,
    /// All contracts to which nodes may anchor from now on.
    contracts: Option<Vec<ContractInput>>,
    /// Parameters that are set; null takes one away.
    #[schema(value_type = Option<Object>)]
    parameters: Option<Map<String, Value>>,
    /// The version of the rules by which events are judged from now on.
    rules: Option<u64>,
    /// A founder that leaves.
    leaves: Option<LeavingInput>,
    /// A decision over a lot that no resolver can take.
    decision: Option<LotDecisionInput>,
    /// Why.
    reason: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ContractInput {
    /// EIP-155 chain id.
    chain_id: u64,
    /// Its address.
    #[schema(example = "0x5FbDB2315678afecb367f032d93F642f64180aa3")]
    address: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LeavingInput {
    /// The founder's actor.
    #[schema(value_type = String)]
    founder: SubjectId,
    /// Its last event that is right; the last one that is known here unless given.
    #[schema(value_type = Option<String>)]
    last: Option<EventId>,
    /// Later events that stand nevertheless.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false)]
    stands: Vec<EventId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LotDecisionInput {
    /// The lot.
    #[schema(value_type = String)]
    lot: SubjectId,
    /// The events that cannot all stand; those in conflict unless given.
    #[schema(value_type = Option<Vec<String>>)]
    branches: Option<Vec<EventId>>,
    /// Those of them that stand.
    #[schema(value_type = Vec<String>)]
    stands: Vec<EventId>,
}

/// A decision over a lot that was given away more than once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionInput {
    /// The events that cannot all stand; those in conflict unless given.
    #[schema(value_type = Option<Vec<String>>)]
    branches: Option<Vec<EventId>>,
    /// Those of them that stand; may be empty.
    #[schema(value_type = Vec<String>)]
    stands: Vec<EventId>,
    /// Why.
    reason: String,
    /// The decision that this one replaces; the signer's own earlier one unless given.
    #[schema(value_type = Option<String>)]
    replaces: Option<EventId>,
}

impl AmendmentInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<AmendNetwork, Problem> {
        too_many("follows", self.follows.as_ref().map_or(0, Vec::len), MAX_LIST)?;
        too_many("contracts", self.contracts.as_ref().map_or(0, Vec::len), MAX_LIST)?;
        too_many("parameters", self.parameters.as_ref().map_or(0, Map::len), MAX_PARAMETERS)?;
        let contract = |(index, given): (usize, &ContractInput)| {
            let address = hex(&given.address, &format!("contracts[{index}].address"))?;
            Ok::<_, Problem>(Contract { chain_id: given.chain_id, address })
        };
        let contracts = self.contracts.as_ref().map(|all| all.iter().enumerate().map(contract).collect());
        let parameter = |(name, value): (&String, &Value)| {
            let field = format!("parameters.{name}");
            Ok::<_, Problem>((text(name, &field)?, any(value, &field)?))
        };
        let parameters = self.parameters.as_ref().map(|all| all.iter().map(parameter).collect::<Result<Vec<_>, _>>());
        let leaves = self.leaves.map(|leaves| {
            let ends = ends(leaves.last.into_iter().collect(), Vec::new(), leaves.stands)?;
            Ok::<_, Problem>(LeavingFounder { founder: leaves.founder, ends })
        });
        let decision = self.decision.map(|given| decision(given.lot, given.branches, given.stands)).transpose()?;
        Ok(AmendNetwork {
            follows: self.follows,
            contracts: contracts.transpose()?,
            parameters: parameters.transpose()?.map(Parameters::new),
            rules: self.rules,
            leaves: leaves.transpose()?,
            decision,
            reason: maybe(self.reason.as_deref(), "reason")?,
        })
    }
}

impl DecisionInput {
    /// The command about this lot, or what is wrong with it.
    pub(crate) fn read(self, lot: SubjectId) -> Result<ResolveDispute, Problem> {
        let decision = decision(lot, self.branches, self.stands)?;
        Ok(ResolveDispute { decision, reason: text(&self.reason, "reason")?, replaces: self.replaces })
    }
}

fn decision(lot: SubjectId, branches: Option<Vec<EventId>>, stands: Vec<EventId>) -> Result<LotDecision, Problem> {
    too_many("branches", branches.as_ref().map_or(0, Vec::len), MAX_LIST)?;
    too_many("stands", stands.len(), MAX_LIST)?;
    Ok(LotDecision { lot, branches, stands })
}
