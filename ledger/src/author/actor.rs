//! Composing actor.enrolled and actor.updated.

use super::draft::{Command, Draft};
use super::{AuthorError, EnrolActor, EnrolledKey, UpdateActor};
use minicbor::bytes::ByteArray;
use provenance::admission::Rule;
use provenance::body::{ActorEnrolled, ActorUpdated, Body, Role};
use provenance::seal;

impl Command for EnrolActor {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.creates();
        if matches!(self.key, EnrolledKey::Foreign { .. }) && self.personal_name.is_some() {
            return Err(AuthorError::ForeignPersonalName);
        }
        let (roles, may_give) = (ascending(&self.roles), ascending(&self.may_give));
        // Admission looks at these again; a key is only made for an enrolment that passes them.
        let given = draft.may_give()?;
        if roles.is_empty() || !roles.iter().chain(&may_give).all(|role| given.contains(role)) {
            return Err(AuthorError::Rule(Rule::RolesGiven));
        }
        if roles.contains(&Role::Node) != self.node.is_some() {
            return Err(AuthorError::Rule(Rule::NodeDetails));
        }
        let keyring = draft.desk().means.keyring.clone();
        let key = match self.key {
            EnrolledKey::New => keyring.create_key(self.display_name.as_str())?,
            EnrolledKey::Held(key) | EnrolledKey::Foreign { key, .. } => key,
        };
        let mut body = ActorEnrolled {
            key,
            custody: self.custody,
            roles,
            may_give,
            display_name: self.display_name.clone(),
            personal_name: self.personal_name.as_ref().map(|name| draft.seals(seal::PERSONAL_NAME, name)),
            gln: self.gln.clone(),
            gs1_prefixes: (!self.gs1_prefixes.is_empty()).then(|| ascending(&self.gs1_prefixes)),
            node: self.node.clone(),
            countersignature: ByteArray::from([0; 64]),
        };
        body.countersignature = ByteArray::from(match self.key {
            EnrolledKey::Foreign { countersignature, .. } => countersignature,
            EnrolledKey::New | EnrolledKey::Held(_) => {
                keyring.countersign(&key, &body.countersigned_bytes(&draft.desk().network_id, &draft.signer()))?
            }
        });
        Ok(Body::ActorEnrolled(body))
    }
}

impl Command for UpdateActor {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.extends_own_lane()?;
        Ok(Body::ActorUpdated(ActorUpdated {
            display_name: self.display_name.clone(),
            gln: self.gln.clone(),
            gs1_prefixes: self.gs1_prefixes.as_deref().map(ascending),
            node: self.node.clone(),
        }))
    }
}

/// Lists in signed bytes are ascending and distinct.
pub(super) fn ascending<T: Clone + Ord>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    list
}
