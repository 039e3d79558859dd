//! The lines of an event: what it does to one lot after the other, and the parts that it creates.

use super::{Case, Outcome, Rule};
use crate::custody::{Effect, LotState};

/// The touches of an event, gathered line by line.
///
/// A line that breaks a rule takes the part that it creates with it. Admission then refuses the event;
/// counting goes on with the other lines.
pub(super) struct Lines<'a> {
    case: &'a Case<'a>,
    named: Outcome,
    parts: Outcome,
}

/// What one line does: to the lanes that it names, in their order, and the part that it creates.
pub(super) struct LineDone {
    pub named: Vec<(Effect, LotState)>,
    pub part: Option<LotState>,
}

impl<'a> Lines<'a> {
    pub fn new(case: &'a Case<'a>) -> Self {
        let touches = case.event.payload().touches.len();
        Self { case, named: Vec::with_capacity(touches), parts: Vec::new() }
    }

    /// The touch at which the next line begins.
    pub fn next(&self) -> usize {
        self.named.len()
    }

    /// Begins with the touch of what all lines have in common. Until [`Lines::finish_common`] tells what becomes of
    /// it, it stands for nothing.
    pub fn with_common(case: &'a Case<'a>) -> Self {
        let mut lines = Self::new(case);
        lines.named.push(Ok(None));
        lines
    }

    /// Adds a line that names `touches` lanes. `created` tells whether it created a part when it was
    /// admitted: then it must do so still.
    pub fn push(&mut self, touches: usize, created: Option<bool>, line: Result<LineDone, Rule>) {
        let kept = line.and_then(|line| match created {
            Some(created) if created != line.part.is_some() => Err(Rule::Touches),
            _ => Ok(line),
        });
        match kept {
            Ok(LineDone { named, part }) => {
                debug_assert_eq!(named.len(), touches, "every lane of the line has an effect");
                self.named.extend(named.into_iter().map(|done| Ok(Some(done))));
                self.parts.extend(part.map(|part| Ok(Some((Effect::Create, part)))));
            }
            Err(rule) => {
                self.named.extend((0..touches).map(|_| Err(rule)));
                self.parts.extend((created == Some(true)).then_some(Err(rule)));
            }
        }
    }

    /// All touches of an event whose lines name one lot each, and have the first touch in common, which stands whatever
    /// becomes of the lines: who follows the unit need not know all that lay in it.
    pub fn finish_common(mut self, common: (Effect, LotState)) -> Result<Outcome, Rule> {
        self.named[0] = Ok(Some(common));
        self.finish()
    }

    /// All touches, if the event has exactly as many.
    pub fn finish(mut self) -> Result<Outcome, Rule> {
        if self.case.admitted.is_none()
            && let Some(Err(rule)) = self.named.iter().find(|done| done.is_err())
        {
            return Err(*rule);
        }
        self.named.append(&mut self.parts);
        if self.named.len() == self.case.before.len() { Ok(self.named) } else { Err(Rule::Touches) }
    }
}

impl Case<'_> {
    /// Whether touch `at` drew a part when the event was admitted; nothing while it is being admitted.
    pub(super) fn drew(&self, at: usize) -> Option<bool> {
        let admitted = self.admitted?;
        Some(admitted.lines.get(at).is_some_and(|line| matches!(line.effect, Some(Effect::Draw(_)))))
    }
}
