//! Commands about keys as JSON: add, rotate, replace, revoke.

use super::actor::KeyInput;
use super::produce::maybe;
use super::{hex, text, too_many};
use crate::problem::Problem;
use ledger::author::{AddKey, Ends, EnrolledKey, ReplaceKey, RevokeActor, RotateKey};
use provenance::body::Custody;
use provenance::id::{EventId, PublicKey, SubjectId};
use serde::Deserialize;
use utoipa::ToSchema;

/// Most keys of one command, as the rules have it.
const MAX_KEYS: usize = 16;

/// Most later events that stand beyond one end.
const MAX_STANDING: usize = 64;

/// A further key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyAdditionInput {
    /// The key in base32; or `{"kept": true}`, which is also taken where it is not given: this node makes and keeps one.
    #[serde(default)]
    #[schema(value_type = Option<Object>, example = json!({"kept": true}))]
    key: KeyInput,
    /// Who holds its secret half; `own` for a foreign key and `kept` for one that this node keeps, unless given.
    #[schema(value_type = Option<String>)]
    custody: Option<Custody>,
    /// What it is called, such as the name of a device.
    #[schema(example = "Tablet in the packing house")]
    name: Option<String>,
    /// For a key that this node does not keep: its signature over the event's body, 64 bytes in hex.
    countersignature: Option<String>,
}

/// A key in the place of another one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationInput {
    /// The old key, which signs this; the actor's newest one unless given.
    #[schema(value_type = Option<String>)]
    old: Option<PublicKey>,
    /// The new key in base32; or `{"kept": true}`, which is also taken where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    key: KeyInput,
    /// Who holds its secret half.
    #[schema(value_type = Option<String>)]
    custody: Option<Custody>,
    /// For a key that this node does not keep: its signature over the event's body, 64 bytes in hex.
    countersignature: Option<String>,
}

/// A key in the place of all that the actor has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplacementInput {
    /// The new key in base32; or `{"kept": true}`, which is also taken where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    key: KeyInput,
    /// Who holds its secret half.
    #[schema(value_type = Option<String>)]
    custody: Option<Custody>,
    /// For a key that this node does not keep: its signature over the event's body, 64 bytes in hex.
    countersignature: Option<String>,
    /// The last events of old keys that are right; without it, all that is known here.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false)]
    last: Vec<EventId>,
    /// Old keys of which nothing is right.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false)]
    nothing_of: Vec<PublicKey>,
    /// Later events that stand nevertheless.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false)]
    stands: Vec<EventId>,
    /// Why.
    reason: Option<String>,
}

/// The end of all keys that an actor has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationInput {
    /// Why.
    reason: String,
    /// The last events of its keys that are right; without it, all that is known here.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false)]
    last: Vec<EventId>,
    /// Keys of which nothing is right.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false)]
    nothing_of: Vec<PublicKey>,
    /// Later events that stand nevertheless.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = false)]
    stands: Vec<EventId>,
}

impl KeyAdditionInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<AddKey, Problem> {
        let (key, custody) = given(self.key, self.countersignature.as_deref())?;
        Ok(AddKey { key, custody: self.custody.unwrap_or(custody), name: maybe(self.name.as_deref(), "name")? })
    }
}

impl RotationInput {
    /// The command, or what is wrong with it.
    pub(crate) fn read(self) -> Result<RotateKey, Problem> {
        let (key, custody) = given(self.key, self.countersignature.as_deref())?;
        Ok(RotateKey { old: self.old, key, custody: self.custody.unwrap_or(custody) })
    }
}

impl ReplacementInput {
    /// The command about this actor, or what is wrong with it.
    pub(crate) fn read(self, of: SubjectId) -> Result<ReplaceKey, Problem> {
        let (key, custody) = given(self.key, self.countersignature.as_deref())?;
        let ends = ends(self.last, self.nothing_of, self.stands)?;
        let reason = maybe(self.reason.as_deref(), "reason")?;
        Ok(ReplaceKey { of, key, custody: self.custody.unwrap_or(custody), ends, reason })
    }
}

impl RevocationInput {
    /// The command about this actor, or what is wrong with it.
    pub(crate) fn read(self, of: SubjectId) -> Result<RevokeActor, Problem> {
        let reason = text(&self.reason, "reason")?;
        Ok(RevokeActor { of, ends: ends(self.last, self.nothing_of, self.stands)?, reason })
    }
}

/// Where journals end; bounded before anything is looked up.
pub(super) fn ends(last: Vec<EventId>, nothing_of: Vec<PublicKey>, stands: Vec<EventId>) -> Result<Ends, Problem> {
    too_many("last", last.len(), MAX_KEYS)?;
    too_many("nothing_of", nothing_of.len(), MAX_KEYS)?;
    too_many("stands", stands.len(), MAX_STANDING)?;
    Ok(Ends { last, nothing_of, stands })
}

/// A key, and who holds it unless something else is said.
pub(super) fn given(key: KeyInput, countersignature: Option<&str>) -> Result<(EnrolledKey, Custody), Problem> {
    let countersignature = countersignature.map(|value| hex(value, "countersignature")).transpose()?;
    match (key, countersignature) {
        (KeyInput::Kept, None) => Ok((EnrolledKey::New, Custody::Kept)),
        (KeyInput::Kept, Some(_)) => {
            let detail = "This node countersigns for a key that it makes itself. Leave the countersignature out, or give the key.";
            Err(Problem::value("countersignature", "kept_key", detail))
        }
        (KeyInput::Given(key), Some(countersignature)) => {
            Ok((EnrolledKey::Foreign { key, countersignature }, Custody::Own))
        }
        (KeyInput::Given(key), None) => Ok((EnrolledKey::Held(key), Custody::Kept)),
    }
}
