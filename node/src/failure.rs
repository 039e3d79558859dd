//! How a command ends: the exit codes for scripts, and errors as a clerk reads them.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Why a command failed, as its exit code. Zero is success; these numbers never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Something went wrong, or the node refused.
    Failed = 1,
    /// The command line, a file or a value is not as it should be; nothing was done.
    BadInput = 2,
    /// The node, or the Ethereum endpoint, cannot be reached.
    Unreachable = 3,
    /// A proof or a check does not hold.
    Unverified = 4,
    /// The keystore cannot be opened: wrong passphrase, no passphrase, damaged or in use.
    Keystore = 5,
    /// The node cannot start: its port or its data are in use, or its data are damaged.
    CannotStart = 6,
    /// A bundle in which nothing is wrong, but not everything is proven.
    Incomplete = 7,
}

/// What the help says about exit codes.
pub(crate) const EXIT_CODES: &str = "Exit codes:
  0  done
  1  something went wrong, or the node refused
  2  the command line, a file or a value is not as it should be; nothing was done
  3  the node or the Ethereum endpoint cannot be reached
  4  a proof or a check does not hold
  5  the keystore cannot be opened (wrong passphrase, damaged, in use)
  6  the node cannot start (port or data in use, data damaged)
  7  nothing in the bundle is wrong, but not everything is proven";

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    /// A failure that is told in one sentence.
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, error: anyhow::Error::msg(message.to_string()) }
    }

    /// An error with its exit code.
    pub(crate) fn of(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    /// What the shell gets to see.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }

    /// Tells the person at the terminal, or the script, what was wrong.
    pub(crate) fn report(&self, json: bool) {
        if json {
            let problem = serde_json::json!({ "error": self.to_string(), "exit_code": self.exit as u8 });
            eprintln!("{problem}");
        } else {
            eprintln!("furrow: {self}");
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_sources(self.error.as_ref()))
    }
}

/// An error with all that led to it, each once.
pub(crate) fn with_sources(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // Some libraries repeat the cause in their own message.
        if !text.contains(cause.trim()) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text.trim_end().to_owned()
}

/// Whatever is not said to be something else has simply gone wrong.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::Failed, error: error.into() }
    }
}

/// Gives an error its exit code.
pub(crate) trait OrExit<T> {
    /// Ends the command with this code if there is an error.
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
    /// The same, and says before the error what was being done.
    fn or_exit_with(self, exit: Exit, context: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: error.into() })
    }

    fn or_exit_with(self, exit: Exit, context: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: error.into().context(context()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_code() {
        let all =
            [Exit::Failed, Exit::BadInput, Exit::Unreachable, Exit::Unverified, Exit::Keystore, Exit::CannotStart];
        for (index, exit) in all.into_iter().enumerate() {
            assert_eq!(exit as usize, index + 1, "numbers never change");
            assert!(EXIT_CODES.contains(&format!("\n  {}  ", exit as u8)));
        }
    }

    #[test]
    fn an_error_says_what_was_done_and_why_it_failed() {
        let error: Result<(), _> = Err(std::io::Error::other("disk on fire"));
        let failure = error.or_exit_with(Exit::BadInput, || "cannot read harvest.csv".into()).unwrap_err();
        assert_eq!(failure.exit, Exit::BadInput);
        assert_eq!(failure.to_string(), "cannot read harvest.csv: disk on fire");
        let repeated =
            anyhow::Error::new(std::io::Error::other("disk on fire")).context("writing failed: disk on fire");
        assert_eq!(Failure::of(Exit::Failed, repeated).to_string(), "writing failed: disk on fire");
    }
}
