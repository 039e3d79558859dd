//! Signed notes (C2SP signed-note): a text and below it the lines of those who signed it.

use crate::id::{PublicKey, sha256};
use data_encoding::BASE64;
use std::fmt;

/// Starts each signature line.
const EM_DASH: &str = "\u{2014} ";

/// A note: text and signature lines, well-formed but not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    /// Name of the key: not empty, without spaces and plus signs.
    pub name: String,
    /// Distinguishes keys of the same name; see [`key_id`].
    pub key_id: [u8; 4],
    /// The signature, in the form that belongs to its type; not empty.
    pub signature: Vec<u8>,
}

/// Why a text is not a signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than a note may have.
    #[error("the note is longer than 64 KiB")]
    Length,
    /// A character that has no place in a note.
    #[error("the note contains a control character other than the line feed")]
    Control,
    /// Text and signatures cannot be told apart.
    #[error("the note must be a text that ends its last line, an empty line, and one signature line or more")]
    Parts,
    /// A line that is not a signature line.
    #[error("signature line {0} of the note is not '— <name> <base64 of key id and signature>'")]
    Line(usize),
    /// More signatures than anybody verifies.
    #[error("the note has more than 256 signature lines")]
    Signatures,
}

impl Note {
    /// Most bytes of a note: room for a checkpoint with 256 cosignatures of 222 bytes.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// Most signature lines, so that a note costs a verifier little; the specification asks for 16.
    pub const MAX_SIGNATURES: usize = 256;

    /// A text with its first signature.
    pub fn new(text: String, signature: SignatureLine) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || text.contains("\n\n") {
            return Err(NoteError::Parts);
        }
        let mut note = Self { text, signatures: Vec::new() };
        note.add_signature_line(signature)?;
        if has_control(&note.text) { Err(NoteError::Control) } else { Ok(note) }
    }

    /// Reads a note, and all of its signature lines.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > Self::MAX_BYTES {
            return Err(NoteError::Length);
        }
        if has_control(note) {
            return Err(NoteError::Control);
        }
        let end = note.rfind("\n\n").ok_or(NoteError::Parts)? + 1;
        let (text, lines) = (&note[..end], &note[end + 1..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Parts)?;
        let mut signatures = Vec::new();
        for (index, line) in lines.split('\n').enumerate() {
            if index == Self::MAX_SIGNATURES {
                return Err(NoteError::Signatures);
            }
            signatures.push(SignatureLine::parse(line).ok_or(NoteError::Line(index + 1))?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The signed text, with the line feed that ends its last line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in their order.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Adds a line at the end; one that is already there is not repeated.
    pub fn add_signature_line(&mut self, line: SignatureLine) -> Result<(), NoteError> {
        if self.signatures.contains(&line) {
            return Ok(());
        }
        if !line.is_well_formed() {
            return Err(NoteError::Line(self.signatures.len() + 1));
        }
        if self.signatures.len() == Self::MAX_SIGNATURES {
            return Err(NoteError::Signatures);
        }
        self.signatures.push(line);
        if self.to_string().len() > Self::MAX_BYTES {
            self.signatures.pop();
            return Err(NoteError::Length);
        }
        Ok(())
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(EM_DASH)?.split_once(' ')?;
        let bytes = BASE64.decode(encoded.as_bytes()).ok()?;
        let (key_id, signature) = bytes.split_first_chunk()?;
        let line = Self { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() };
        line.is_well_formed().then_some(line)
    }

    fn is_well_formed(&self) -> bool {
        let wrong = |c: char| c.is_whitespace() || c == '+' || c < ' ';
        !self.name.is_empty() && !self.name.contains(wrong) && !self.signature.is_empty()
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id, self.signature.as_slice()].concat();
        write!(f, "{EM_DASH}{} {}", self.name, BASE64.encode(&bytes))
    }
}

/// First four bytes of SHA-256(name ‖ line feed ‖ type ‖ key), as signed-note recommends and
/// tlog-cosignature requires.
pub fn key_id(name: &str, signature_type: u8, key: &PublicKey) -> [u8; 4] {
    let [a, b, c, d, ..] = sha256(&[name.as_bytes(), b"\n", &[signature_type], key.as_bytes()]);
    [a, b, c, d]
}

fn has_control(text: &str) -> bool {
    text.contains(|c| c < ' ' && c != '\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of C2SP signed-note: its text has an empty line.
    const POEM: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\
        \u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

    #[test]
    fn the_example_of_the_specification_is_read() {
        let note = Note::parse(POEM).unwrap();
        assert!(note.text().ends_with("ed è subito sera.\n"));
        assert_eq!(note.signatures()[0].name, "quasimodo.example/salvatore");
        assert_eq!(note.signatures()[0].key_id, [0x36, 0x7b, 0xa0, 0x4b]);
        assert_eq!(note.signatures()[0].signature.len(), 64);
        assert_eq!(note.to_string(), POEM);
    }

    #[test]
    fn malformed_notes_are_refused() {
        let good = "a\n\n\u{2014} n AAAAAAA=\n";
        assert_eq!(Note::parse(good).unwrap().to_string(), good);
        for (wrong, error) in [
            ("", NoteError::Parts),
            ("a\n", NoteError::Parts),
            ("a\n\n", NoteError::Parts),
            ("a\n\n\u{2014} n AAAAAAA=", NoteError::Parts),
            ("a\n\n\u{2014} n AAAAAAA=\n\n", NoteError::Parts),
            ("a\r\n\n\u{2014} n AAAAAAA=\n", NoteError::Control),
            ("a\n\n- n AAAAAAA=\n", NoteError::Line(1)),
            ("a\n\n\u{2014} n AAAAAA==\n", NoteError::Line(1)),
            ("a\n\n\u{2014} n AAAAAAA\n", NoteError::Line(1)),
            ("a\n\n\u{2014} n AAAAAAB=\n", NoteError::Line(1)),
            ("a\n\n\u{2014}  AAAAAAA=\n", NoteError::Line(1)),
            ("a\n\n\u{2014} n+m AAAAAAA=\n", NoteError::Line(1)),
            ("a\n\n\u{2014} n\u{a0}m AAAAAAA=\n", NoteError::Line(1)),
            ("a\n\n\u{2014} n AAAAAAA=\n\u{2014} n\n", NoteError::Line(2)),
        ] {
            assert_eq!(Note::parse(wrong), Err(error), "{wrong:?}");
        }
        let line = "\u{2014} n AAAAAAA=\n";
        assert!(Note::parse(&format!("a\n\n{}", line.repeat(256))).is_ok());
        assert_eq!(Note::parse(&format!("a\n\n{}", line.repeat(257))), Err(NoteError::Signatures));
        assert_eq!(Note::parse(&format!("{}\n\n{line}", "a".repeat(65_536))), Err(NoteError::Length));
    }

    #[test]
    fn lines_are_added_within_bounds() {
        let line = |number: u16, length| SignatureLine {
            name: "n".into(),
            key_id: [0; 4],
            signature: [&number.to_be_bytes()[..], &vec![0; length]].concat(),
        };
        let mut note = Note::new("a\n".into(), line(0, 8)).unwrap();
        note.add_signature_line(line(0, 8)).unwrap();
        assert_eq!(note.signatures().len(), 1, "a line is not repeated");
        assert_eq!(note.add_signature_line(line(1, 50_000)), Err(NoteError::Length));
        for number in 1..256 {
            note.add_signature_line(line(number, 8)).unwrap();
        }
        assert_eq!(note.add_signature_line(line(256, 8)), Err(NoteError::Signatures));
        assert_eq!(Note::parse(&note.to_string()), Ok(note));
        let wrong = SignatureLine { name: "a b".into(), ..line(0, 8) };
        assert_eq!(Note::new("a\n".into(), wrong), Err(NoteError::Line(1)));
        assert_eq!(Note::new("a".into(), line(0, 8)), Err(NoteError::Parts));
        assert_eq!(Note::new("a\tb\n".into(), line(0, 8)), Err(NoteError::Control));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_alike(text in "[an \\n\\u{2014}A=+]{0,80}") {
            for text in [text.clone(), format!("a\n\n{text}"), format!("a\n\n\u{2014} n {text}\n")] {
                if let Ok(note) = Note::parse(&text) {
                    prop_assert_eq!(note.to_string(), text);
                }
            }
        }
    }
}
