//! Which language a reader wants: Accept-Language (RFC 9110 §12.5.4) and the lookup of RFC 4647 §3.4.

use axum::http::{HeaderMap, header};
use provenance::value::LangText;

/// Languages that are looked at; browsers send fewer.
const MAX_LANGUAGES: usize = 16;

/// What a reader wants, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Languages(Vec<String>);

/// A text with the language that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Localised {
    /// BCP 47 tag.
    pub(crate) tag: String,
    /// The text.
    pub(crate) text: String,
}

impl Languages {
    /// From the headers of a request; English is the last resort.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut ranges: Vec<(u16, &str)> = value.split(',').take(MAX_LANGUAGES).filter_map(range).collect();
        // Stable: of equal weight, the first named is wanted first.
        ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let mut tags: Vec<String> = ranges.into_iter().map(|(_, tag)| tag.to_ascii_lowercase()).collect();
        tags.push("en".to_owned());
        Self(tags)
    }

    /// The text in the language wanted most; in any, where none is there.
    pub(crate) fn pick(&self, text: &LangText) -> Localised {
        let found = self.0.iter().find_map(|wanted| lookup(text, wanted));
        let (tag, text) = found.or_else(|| text.iter().next()).unwrap_or(("en", ""));
        Localised { tag: tag.to_owned(), text: text.to_owned() }
    }
}

/// One language range with its weight in thousandths; none where it is refused or no language.
fn range(part: &str) -> Option<(u16, &str)> {
    let mut parameters = part.split(';').map(str::trim);
    let tag = parameters.next().filter(|tag| !tag.is_empty() && *tag != "*")?;
    let weight =
        parameters.find_map(|parameter| parameter.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
    // A weight is between 0 and 1, so it fits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (weight > 0.0 && weight <= 1.0).then_some(((weight * 1000.0) as u16, tag))
}

/// The wanted tag, or else its shorter and shorter beginnings.
fn lookup<'a>(text: &'a LangText, wanted: &str) -> Option<(&'a str, &'a str)> {
    let mut wanted = wanted;
    loop {
        if let Some(found) = text.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(wanted)) {
            return Some(found);
        }
        wanted = wanted.rsplit_once('-')?.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provenance::value::Text;

    fn pick(accept: &str) -> String {
        let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, accept.parse().unwrap())]);
        let texts = [("fr", "Pommes"), ("de", "Äpfel"), ("en", "Apples")];
        let text = LangText::new(texts.map(|(tag, text)| (tag.to_owned(), Text::new(text).unwrap()))).unwrap();
        Languages::of(&headers).pick(&text).text
    }

    #[test]
    fn the_language_wanted_most_is_shown() {
        assert_eq!(pick("de"), "Äpfel");
        assert_eq!(pick("fr-CA, en;q=0.5"), "Pommes");
        assert_eq!(pick("en;q=0.3, DE;q=0.9, fr;q=0"), "Äpfel");
        for last_resort in ["", "*", "sw", "de;q=x", ";;,,", "fr;q=0"] {
            assert_eq!(pick(last_resort), "Apples", "{last_resort}");
        }
    }
}
