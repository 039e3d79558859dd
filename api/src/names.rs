//! Names of actors and places, as views show them now; each is looked up once in an answer.

use crate::problem::Problem;
use crate::refusal::storage;
use crate::state::ApiState;
use ledger::view::Views;
use provenance::id::SubjectId;
use provenance::value::{Coordinates, LangText};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::HashMap;
use utoipa::ToSchema;

/// An actor by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Party {
    /// The actor.
    #[schema(value_type = String)]
    pub(crate) id: SubjectId,
    /// Its display name; none where its enrolment is not here.
    pub(crate) name: Option<String>,
}

impl Party {
    /// Its name, or else the first characters of its id.
    pub(crate) fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("actor {}…", &self.id.to_string()[..8]))
    }
}

/// A place by id and name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct PlaceName {
    /// The place.
    #[schema(value_type = String)]
    pub(crate) id: SubjectId,
    /// Its names by language; none where its registration is not here.
    #[schema(value_type = Option<Object>)]
    pub(crate) name: Option<LangText>,
    /// Where it is, to about a kilometre.
    #[schema(value_type = Option<Object>)]
    pub(crate) point: Option<Coordinates>,
}

/// Looks names up, and remembers them for the length of one answer.
pub(crate) struct Names {
    views: Views,
    actors: RefCell<HashMap<SubjectId, Party>>,
    places: RefCell<HashMap<SubjectId, PlaceName>>,
}

impl Names {
    /// Remembers nothing yet.
    pub(crate) fn of(state: &ApiState) -> Self {
        Self { views: state.views(), actors: RefCell::default(), places: RefCell::default() }
    }

    /// An actor.
    pub(crate) fn actor(&self, id: &SubjectId) -> Result<Party, Problem> {
        if let Some(known) = self.actors.borrow().get(id) {
            return Ok(known.clone());
        }
        let name = self.views.actor(id).map_err(storage)?.map(|row| row.display_name.as_str().to_owned());
        let party = Party { id: *id, name };
        self.actors.borrow_mut().insert(*id, party.clone());
        Ok(party)
    }

    /// A place.
    pub(crate) fn place(&self, id: &SubjectId) -> Result<PlaceName, Problem> {
        if let Some(known) = self.places.borrow().get(id) {
            return Ok(known.clone());
        }
        let row = self.views.place(id).map_err(storage)?;
        let (name, point) = row.map_or((None, None), |row| (Some(row.name), row.point));
        let place = PlaceName { id: *id, name, point };
        self.places.borrow_mut().insert(*id, place.clone());
        Ok(place)
    }
}
