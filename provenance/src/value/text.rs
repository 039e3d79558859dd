//! Bounded texts, and maps whose keys are texts in the order of deterministic CBOR.

use super::{ValueError, checked};
use minicbor::{Decode, Decoder, Encode, Encoder};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A text of 1 to `MAX` bytes of UTF-8, without control characters and without blanks at its ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Checks length and characters.
    pub fn new(text: impl Into<String>) -> Result<Self, ValueError> {
        let text = text.into();
        let ok =
            (1..=MAX).contains(&text.len()) && !text.chars().any(is_unprintable) && text.trim().len() == text.len();
        if ok { Ok(Self(text)) } else { Err(ValueError::Text { max: MAX }) }
    }

    /// What claims to be such a text; [`Text::new`] tells whether it is.
    pub(crate) fn unchecked(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, and the marks that turn the direction of writing: with them a name could
/// be shown as another one.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl<const MAX: usize> std::fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> serde::Serialize for Text<MAX> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<C, const MAX: usize> Encode<C> for Text<MAX> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C, const MAX: usize> Decode<'b, C> for Text<MAX> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        checked(Self::new(d.str()?), position)
    }
}

/// A text key, ordered as its CBOR encoding is: shorter first, then by bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key(String);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A map from text to `V` with one deterministic encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextMap<V>(BTreeMap<Key, V>);

impl<V> TextMap<V> {
    /// Most entries of a map: more languages or extensions in 16 KiB would serve nobody.
    pub const MAX_ENTRIES: usize = 32;

    /// A map of these entries; refuses none, too many, and keys that are empty or hold control characters.
    pub fn new(entries: impl IntoIterator<Item = (String, V)>) -> Result<Self, ValueError> {
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            Text::<256>::new(key.as_str())?;
            map.insert(Key(key), value);
        }
        if map.is_empty() || map.len() > Self::MAX_ENTRIES {
            return Err(ValueError::Entries(Self::MAX_ENTRIES));
        }
        Ok(Self(map))
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.0.get(&Key(key.to_owned()))
    }

    /// All entries, in the order of their encoding.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(key, value)| (key.0.as_str(), value))
    }
}

impl<V: serde::Serialize> serde::Serialize for TextMap<V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<C, V: Encode<C>> Encode<C> for TextMap<V> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.map(self.0.len() as u64)?;
        for (key, value) in self.iter() {
            e.str(key)?;
            value.encode(e, ctx)?;
        }
        Ok(())
    }
}

impl<'b, C, V: Decode<'b, C>> Decode<'b, C> for TextMap<V> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        let len = d.map()?.unwrap_or(0);
        let mut entries = Vec::new();
        for _ in 0..len {
            entries.push((d.str()?.to_owned(), d.decode_with(ctx)?));
        }
        checked(Self::new(entries), position)
    }
}

/// Text for people in one or more languages: BCP 47 tag → text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LangText(TextMap<Text<512>>);

impl LangText {
    /// Checks every tag and text.
    pub fn new(entries: impl IntoIterator<Item = (String, Text<512>)>) -> Result<Self, ValueError> {
        let map = TextMap::new(entries)?;
        for (tag, _) in map.iter() {
            language_tag(tag)?;
        }
        Ok(Self(map))
    }

    /// One text in one language.
    pub fn single(tag: &str, text: &str) -> Result<Self, ValueError> {
        Self::new([(tag.to_owned(), Text::new(text)?)])
    }

    /// The text in the first of the wanted languages that is there, else in any.
    pub fn best(&self, wanted: &[&str]) -> &str {
        let exact = wanted.iter().find_map(|tag| self.0.get(tag));
        exact.or_else(|| self.0.iter().next().map(|(_, text)| text)).map_or("", Text::as_str)
    }

    /// All languages with their text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(tag, text)| (tag, text.as_str()))
    }
}

/// The shape of a BCP 47 tag (RFC 5646 §2.1): a language of 2 or 3 letters, then subtags.
fn language_tag(tag: &str) -> Result<(), ValueError> {
    let mut parts = tag.split('-');
    let language =
        parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    let subtags = parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    if language && subtags && tag.len() <= 35 {
        Ok(())
    } else {
        Err(ValueError::LanguageTag(tag.chars().take(40).collect()))
    }
}

impl serde::Serialize for LangText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<C> Encode<C> for LangText {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.0.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for LangText {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let position = d.position();
        let map = TextMap::<Text<512>>::decode(d, ctx)?;
        checked(Self::new(map.iter().map(|(tag, text)| (tag.to_owned(), text.clone()))), position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_and_printable() {
        assert!(Text::<4>::new("abcd").is_ok());
        for wrong in ["", "abcde", " a", "a\n", "a\u{202e}b"] {
            assert!(Text::<4>::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn language_tags_have_the_shape_of_bcp_47() {
        for right in ["en", "pt-BR", "zh-Hant-TW", "gsw"] {
            assert!(LangText::single(right, "x").is_ok(), "{right}");
        }
        for wrong in ["", "e", "english", "en_US", "en-", "12"] {
            assert!(LangText::single(wrong, "x").is_err(), "{wrong}");
        }
    }
}
