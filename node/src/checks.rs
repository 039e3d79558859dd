//! Checks as a command tells them: what was checked, whether it holds, and on whose word it rests.

use crate::output::printable;
use serde::Serialize;

/// On whose word a check rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// Nobody's: computed here.
    Own,
    /// Computed here from the network's definition in a file of the caller.
    NetworkFile,
    /// The node's that was asked.
    Node,
    /// An Ethereum endpoint's, by its address.
    Endpoint(String),
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What is checked.
    #[serde(rename = "check")]
    pub(crate) name: &'static str,
    /// Whether it holds.
    pub(crate) holds: bool,
    /// What was found.
    pub(crate) detail: String,
    /// On whose word it rests.
    pub(crate) rests_on: Word,
}

/// The checks so far; the first that fails ends the way, because the next ones build on it.
#[derive(Debug, Default)]
pub(crate) struct Checks(pub(crate) Vec<Check>);

/// Ends the way after a failed check.
#[derive(Debug)]
pub(crate) struct Stop;

impl Check {
    /// Two lines for people: what was found, and on whose word that rests.
    pub(crate) fn lines(&self) -> String {
        let mark = if self.holds { "ok    " } else { "FAILED" };
        let word = match &self.rests_on {
            Word::Own => "computed here".to_owned(),
            Word::NetworkFile => "computed here, from network.toml".to_owned(),
            Word::Node => "the node's word".to_owned(),
            Word::Endpoint(url) => format!("the word of {url}"),
        };
        format!("  {mark} {:<15} {}\n{:24} ({word})\n", self.name, printable(&self.detail), "")
    }
}

impl Checks {
    /// Writes down a check: what was found, or what is wrong.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        rests_on: Word,
        result: Result<String, String>,
    ) -> Result<(), Stop> {
        let holds = result.is_ok();
        let detail = result.unwrap_or_else(|reason| reason);
        self.0.push(Check { name, holds, detail, rests_on });
        if holds { Ok(()) } else { Err(Stop) }
    }

    /// Whether all hold.
    pub(crate) fn hold(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|check| check.holds)
    }

    /// All of them for people.
    pub(crate) fn lines(&self) -> String {
        self.0.iter().map(Check::lines).collect()
    }

    /// The reason why the last check does not hold.
    pub(crate) fn refuted(&self) -> Option<&str> {
        self.0.last().filter(|check| !check.holds).map(|check| check.detail.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failed_check_is_told_and_nothing_holds_without_checks() {
        let mut checks = Checks::default();
        assert!(!checks.hold());
        assert!(checks.add("bytes", Word::Own, Ok("fine".into())).is_ok() && checks.hold());
        assert_eq!(checks.refuted(), None);
        assert!(checks.add("signature", Word::Own, Err("broken".into())).is_err() && !checks.hold());
        assert_eq!(checks.refuted(), Some("broken"));
        assert!(checks.lines().contains("FAILED signature       broken"));
    }
}
