//! Composing unit.packed and unit.unpacked.

use super::command::PackInto;
use super::draft::{Command, Draft};
use super::{AuthorError, PackUnit, UnpackUnit};
use provenance::body::{Body, Content, UnitPacked, UnitUnpacked};
use provenance::id::SubjectId;
use std::cmp::Ordering;

impl Command for PackUnit {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        let sscc = match &self.into {
            PackInto::New(sscc) => {
                draft.creates();
                sscc.clone()
            }
            PackInto::Unit(unit) => {
                draft.extends_lot("unit", *unit)?;
                None
            }
        };
        let (mut contents, mut parts) = (Vec::with_capacity(self.contents.len()), 0);
        for content in &self.contents {
            let lot = draft.extends_lot("contents.lot", content.lot)?;
            let quantity = content.quantity.unwrap_or(lot.balance);
            // Two units that cannot be compared mint nothing; admission names the rule.
            parts += usize::from(quantity.compare(&lot.balance) == Ok(Ordering::Less));
            contents.push(Content { lot: content.lot, quantity });
        }
        (0..parts).for_each(|_| draft.creates());
        names_where(draft, self.place.as_ref())?;
        Ok(Body::UnitPacked(UnitPacked { sscc, contents, place: self.place }))
    }
}

impl Command for UnpackUnit {
    fn compose(&self, draft: &mut Draft<'_>) -> Result<Body, AuthorError> {
        draft.extends_lot("unit", self.unit)?;
        for content in &self.contents {
            draft.extends_lot("contents", *content)?;
        }
        names_where(draft, self.place.as_ref())?;
        Ok(Body::UnitUnpacked(UnitUnpacked { contents: self.contents.clone(), place: self.place }))
    }
}

fn names_where(draft: &mut Draft<'_>, place: Option<&SubjectId>) -> Result<(), AuthorError> {
    place.map_or(Ok(()), |place| draft.names_place("place", place))
}
