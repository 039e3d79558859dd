//! Where passphrases come from: a file or the terminal, never the command line or the environment.

use std::fmt;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Shorter ones are guessed within days even against the keystore's slow hash.
const MIN_CHARACTERS: usize = 10;

/// A file beyond this holds something else than a passphrase.
const MAX_FILE_BYTES: u64 = 4096;

/// A passphrase; wiped from memory when dropped and never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Passphrase(Zeroizing<String>);

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassphraseError {
    /// The file cannot be read.
    #[error("cannot read the passphrase file {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds nothing, or far too much.
    #[error("the passphrase file {0} must hold one line with the passphrase and nothing else")]
    Content(PathBuf),
    /// Nobody to ask.
    #[error(
        "a passphrase is needed and there is no terminal to ask at: name a file that holds it with --passphrase-file or FURROW_PASSPHRASE_FILE"
    )]
    NoTerminal,
    /// The terminal failed.
    #[error("cannot read from the terminal")]
    Terminal(#[source] std::io::Error),
    /// Too short for a new one.
    #[error("the passphrase has fewer than {MIN_CHARACTERS} characters; four or five random words make a good one")]
    Short,
    /// Typed differently the second time.
    #[error("the two passphrases differ; start again")]
    Differ,
}

impl Passphrase {
    /// A passphrase that is known.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The passphrase of an existing keystore.
    pub(crate) fn ask(file: Option<&Path>) -> Result<Self, PassphraseError> {
        file.map_or_else(|| prompt("Passphrase of the keystore: "), read_file)
    }

    /// The passphrase for a new keystore, typed twice at the terminal.
    pub(crate) fn ask_new(file: Option<&Path>) -> Result<Self, PassphraseError> {
        let passphrase = if let Some(file) = file {
            read_file(file)?
        } else {
            let first = prompt("New passphrase for the keystore: ")?;
            if first != prompt("The same again: ")? {
                return Err(PassphraseError::Differ);
            }
            first
        };
        if passphrase.0.chars().count() < MIN_CHARACTERS {
            return Err(PassphraseError::Short);
        }
        Ok(passphrase)
    }

    /// The bytes to derive a key from.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(secret)")
    }
}

fn prompt(text: &str) -> Result<Passphrase, PassphraseError> {
    if !std::io::stdin().is_terminal() {
        return Err(PassphraseError::NoTerminal);
    }
    rpassword::prompt_password(text).map(Passphrase::new).map_err(PassphraseError::Terminal)
}

/// The file's one line, without the line's end.
fn read_file(path: &Path) -> Result<Passphrase, PassphraseError> {
    let failed = |source| PassphraseError::File { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE_BYTES {
        return Err(PassphraseError::Content(path.to_owned()));
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains('\n') {
        return Err(PassphraseError::Content(path.to_owned()));
    }
    Ok(Passphrase::new(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_with(content: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_holds_one_line() {
        for content in ["correct horse battery", "correct horse battery\n", "correct horse battery\r\n"] {
            let (_folder, path) = file_with(content);
            assert_eq!(Passphrase::ask_new(Some(&path)).unwrap(), Passphrase::new("correct horse battery"));
        }
        for content in ["", "\n", "two\nlines\n", &"x".repeat(5000)] {
            let (_folder, path) = file_with(content);
            assert!(matches!(Passphrase::ask(Some(&path)), Err(PassphraseError::Content(_))));
        }
    }

    #[test]
    fn a_new_passphrase_is_not_short() {
        let (_folder, path) = file_with("short");
        assert!(matches!(Passphrase::ask_new(Some(&path)), Err(PassphraseError::Short)));
        assert!(Passphrase::ask(Some(&path)).is_ok(), "an old one is taken as it is");
    }

    #[test]
    fn a_passphrase_is_never_shown() {
        assert!(!format!("{:?}", Passphrase::new("correct horse")).contains("horse"));
    }
}
