//! Checks 1 and 2: the bytes are a bundle, of the expected network.

use super::Policy;
use super::report::{Failure, MATHEMATICS, Passed};
use crate::bundle::{Bundle, BundleError, NetworkDefinition};
use crate::network::Network;

pub(super) fn format(bytes: &[u8]) -> Result<Passed<Bundle>, Failure> {
    let bundle = Bundle::decode(bytes).map_err(|error| match error {
        BundleError::NewerVersion(_) => Failure::new("newer_version", error),
        _ => Failure::new("not_a_bundle", error),
    })?;
    let proves = format!("The {} bytes are a bundle in the one form that its content has.", bytes.len());
    Ok(Passed::new(bundle, proves, MATHEMATICS))
}

pub(super) fn network(definition: &NetworkDefinition, policy: &Policy) -> Result<Passed<Network>, Failure> {
    let network = definition.check().map_err(|error| Failure::new("malformed_network", error))?;
    let id = network.id();
    match policy.network {
        Some(expected) if expected != id => {
            Err(Failure::new("other_network", format!("the bundle belongs to network {id}, not to {expected}")))
        }
        Some(_) => {
            let proves = format!("The bundle belongs to the network {id}, which you expected.");
            Ok(Passed::new(network, proves, MATHEMATICS))
        }
        None => {
            let proves = format!("The bundle belongs to the network {id}, which calls itself '{}'.", network.name());
            Ok(Passed::new(network, proves, "you, who know whether this is the network meant"))
        }
    }
}
