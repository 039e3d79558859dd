//! Options that every command has which makes an event: who signs it, for whom, and what belongs to it.

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::names;
use clap::Args;
use serde_json::{Value, json};

/// Who signs, and for whom.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Who signs")]
pub(crate) struct Signing {
    /// The actor that signs, by id or name; this node must keep its key [default: the cooperative]
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// The member for whom the cooperative records
    #[arg(long, value_name = "ACTOR")]
    on_behalf_of: Option<String>,
    /// Who typed it in
    #[arg(long, value_name = "ACTOR")]
    captured_by: Option<String>,
    /// A business document that belongs to it, such as 'purchase order=4711'; may be repeated
    #[arg(long = "ref", value_name = "TYPE=NUMBER", value_parser = reference)]
    refs: Vec<(String, String)>,
}

impl Signing {
    /// Adds the options to a command's body.
    pub(crate) async fn fill(&self, client: &Client, body: &mut Value) -> Result<(), Failure> {
        for (name, actor) in
            [("actor", &self.actor), ("on_behalf_of", &self.on_behalf_of), ("captured_by", &self.captured_by)]
        {
            if let Some(actor) = actor {
                body[name] = names::actor(client, actor).await?.into();
            }
        }
        if !self.refs.is_empty() {
            let refs = self
                .refs
                .iter()
                .map(|(document_type, number)| json!({ "document_type": document_type, "number": number }));
            body["refs"] = refs.collect();
        }
        Ok(())
    }
}

fn reference(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((kind, number)) if !kind.is_empty() && !number.is_empty() => Ok((kind.to_owned(), number.to_owned())),
        _ => Err("write it as TYPE=NUMBER, such as 'purchase order=4711'".to_owned()),
    }
}

/// A quantity as people type it: `1250.5 KGM`, `1250.5KGM` or `40 BX`; with packages `1250 KGM/100`.
pub(crate) fn quantity(text: &str) -> Result<Value, Failure> {
    let wrong = || {
        let message = format!(
            "'{text}' is no quantity; write number and unit such as '1250.5 KGM', with packages '1250.5 KGM/100'"
        );
        Failure::new(Exit::BadInput, message)
    };
    let (amount, packages) = text.split_once('/').map_or((text, None), |(amount, packages)| (amount, Some(packages)));
    let split = amount.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (value, unit) = amount.split_at(split);
    if !value.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(wrong());
    }
    let mut quantity = json!({ "value": value.trim(), "unit": unit.trim() });
    if let Some(packages) = packages {
        quantity["packages"] = packages.trim().parse::<u32>().map_err(|_| wrong())?.into();
    }
    Ok(quantity)
}

/// A price as people type it: `250 EUR` in the minor unit, or `250 EUR/KGM`.
pub(crate) fn price(text: &str) -> Result<Value, Failure> {
    let wrong = || {
        let message = format!(
            "'{text}' is no price; write it in the minor unit, such as '250 EUR/KGM' for 2.50 euros a kilogram"
        );
        Failure::new(Exit::BadInput, message)
    };
    let (amount, per) = text.split_once('/').map_or((text, None), |(amount, per)| (amount, Some(per)));
    let (minor, currency) = amount.trim().split_once(' ').ok_or_else(wrong)?;
    let mut price = json!({ "amount_minor": minor.trim(), "currency": currency.trim() });
    if let Some(per) = per {
        price["per"] = per.trim().into();
    }
    Ok(price)
}

/// A grade as people type it: `A`, or `SCHEME:VALUE`.
pub(crate) fn grade(text: &str) -> Value {
    match text.split_once(':') {
        Some((scheme, value)) => json!({ "scheme": scheme.trim(), "value": value.trim() }),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read() {
        assert_eq!(quantity("1250.5 KGM").unwrap(), json!({ "value": "1250.5", "unit": "KGM" }));
        assert_eq!(quantity("12KGM/100").unwrap(), json!({ "value": "12", "unit": "KGM", "packages": 100 }));
        for text in ["", "12", "12 KGM/many"] {
            assert_eq!(quantity(text).unwrap_err().exit, Exit::BadInput, "{text}");
        }
    }

    #[test]
    fn prices_and_grades_are_read() {
        assert_eq!(price("250 EUR/KGM").unwrap(), json!({ "amount_minor": "250", "currency": "EUR", "per": "KGM" }));
        assert_eq!(price("250 EUR").unwrap(), json!({ "amount_minor": "250", "currency": "EUR" }));
        assert!(price("250").is_err());
        assert_eq!(grade("A"), json!("A"));
        assert_eq!(grade("UNECE FFV-50:Extra"), json!({ "scheme": "UNECE FFV-50", "value": "Extra" }));
    }
}
