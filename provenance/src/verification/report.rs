//! Runs one check after the other, and writes down what became of each.

use super::verdict::{Check, CheckLine, CheckResult};
use crate::id::{EventId, SubjectId};

/// The lines of the checks that ran.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: Vec<CheckLine>,
}

/// A check that found nothing wrong.
pub(super) struct Passed<T> {
    /// What later checks need of it.
    pub value: T,
    /// What it proves here.
    pub proves: String,
    /// Whom one has to believe for that.
    pub rests_on: String,
    /// What is missing, where it stays open.
    pub open: Option<Open>,
}

/// What an auditor can bring.
pub(super) struct Open {
    pub reason: &'static str,
    pub detail: String,
}

/// What a check found wrong first.
#[derive(Debug)]
pub(super) struct Failure {
    reason: &'static str,
    event: Option<EventId>,
    subject: Option<SubjectId>,
    detail: String,
}

/// What mathematics shows, nobody has to be believed for.
pub(super) const MATHEMATICS: &str = "mathematics alone";

impl<T> Passed<T> {
    pub(super) fn new(value: T, proves: String, rests_on: impl Into<String>) -> Self {
        Self { value, proves, rests_on: rests_on.into(), open: None }
    }

    pub(super) fn open(self, reason: &'static str, detail: impl Into<String>) -> Self {
        Self { open: Some(Open { reason, detail: detail.into() }), ..self }
    }
}

impl Failure {
    pub(super) fn new(reason: &'static str, detail: impl ToString) -> Self {
        Self { reason, event: None, subject: None, detail: detail.to_string() }
    }

    pub(super) fn of_event(self, event: EventId) -> Self {
        Self { event: Some(event), ..self }
    }

    pub(super) fn of_subject(self, subject: SubjectId) -> Self {
        Self { subject: Some(subject), ..self }
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }
}

impl Report {
    /// Runs a check; gives nothing where it failed.
    pub(super) fn run<T>(&mut self, check: Check, body: impl FnOnce() -> Result<Passed<T>, Failure>) -> Option<T> {
        match body() {
            Ok(Passed { value, proves, rests_on, open }) => {
                let result = if open.is_some() { CheckResult::Open } else { CheckResult::Passed };
                let (reason, detail) = open.map(|open| (open.reason, open.detail)).unzip();
                let line = CheckLine { check, result, proves, rests_on, reason, event: None, subject: None, detail };
                self.lines.push(line);
                Some(value)
            }
            Err(Failure { reason, event, subject, detail }) => {
                let line = CheckLine {
                    result: CheckResult::Failed,
                    reason: Some(reason),
                    event,
                    subject,
                    detail: Some(detail),
                    ..skipped(check)
                };
                self.lines.push(line);
                None
            }
        }
    }

    /// All checks; those that did not run are skipped.
    pub(super) fn into_lines(mut self) -> Vec<CheckLine> {
        self.lines.extend(Check::ALL[self.lines.len()..].iter().map(|check| skipped(*check)));
        self.lines
    }
}

/// A check of which nothing is known but what it is for.
fn skipped(check: Check) -> CheckLine {
    let (proves, rests_on) = claim(check);
    CheckLine {
        check,
        result: CheckResult::Skipped,
        proves: proves.to_owned(),
        rests_on: rests_on.to_owned(),
        reason: None,
        event: None,
        subject: None,
        detail: None,
    }
}

/// What each check would prove, and on what that would rest.
fn claim(check: Check) -> (&'static str, &'static str) {
    match check {
        Check::Format => ("The bytes are a bundle in the one form that its content has.", MATHEMATICS),
        Check::Network => ("The bundle belongs to the expected network.", MATHEMATICS),
        Check::Signatures => ("Nobody changed a word of any event since its signer signed it.", MATHEMATICS),
        Check::Rules => ("Every event keeps the rules of the network.", MATHEMATICS),
        Check::Scope => ("The bundle holds all that belongs to the lot, and nothing else.", MATHEMATICS),
        Check::Checkpoint => ("The node signed the state of its log.", "the log key of the node"),
        Check::Cosignatures => ("As many other nodes as wanted confirm that state.", "the words of these nodes"),
        Check::Log => ("Every event stands in the log at its index.", MATHEMATICS),
        Check::Whole => ("No event of these histories is withheld.", "the word of the node, and of its cosigners"),
        Check::Anchors => ("What was anchored are earlier states of this very log.", MATHEMATICS),
        Check::Chain => ("Blocks of the chain hold what was anchored.", "the block hashes that you brought"),
        Check::Openings => ("The opened values are those that the signers sealed.", MATHEMATICS),
    }
}
