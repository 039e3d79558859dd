//! `furrow inspect`: what an inspector saw or a laboratory found.

use crate::cli::Global;
use crate::command::said::{measure, said, set};
use crate::command::signing::Signing;
use crate::failure::{Exit, Failure};
use crate::names;
use clap::Args;
use serde_json::{Value, json};

/// Tell what an inspection of a lot found
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The lot
    lot: String,
    /// The sample
    #[arg(long)]
    sample: String,
    /// By which method, such as 'EN 15662'
    #[arg(long)]
    method: String,
    /// What came out: passed, failed or inconclusive
    #[arg(long)]
    verdict: String,
    /// What was looked for: 'NAME=VALUE UNIT', with the limit 'NAME=VALUE UNIT<VALUE UNIT'; 'NAME' alone where it was
    /// not detected; may be repeated
    #[arg(long = "analyte", value_name = "ANALYTE")]
    analytes: Vec<String>,
    /// Where, by id or name
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Inspect {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        let analytes = self.analytes.iter().map(|text| analyte(text)).collect::<Result<Vec<_>, _>>()?;
        let mut body = json!({
            "sample": self.sample,
            "method": self.method,
            "verdict": self.verdict,
            "analytes": analytes,
        });
        if let Some(place) = &self.place {
            set(&mut body, "place", Some(names::place(&client, place).await?));
        }
        self.signing.fill(&client, &mut body).await?;
        said(global, &client.post(&format!("/produces/{}/inspections", self.lot), &body).await?)
    }
}

/// `captan=0.02 mg/kg<10 mg/kg`.
fn analyte(text: &str) -> Result<Value, Failure> {
    let (told, limit) = text.split_once('<').map_or((text, None), |(told, limit)| (told, Some(limit)));
    let (name, value) = told.split_once('=').map_or((told, None), |(name, value)| (name, Some(value)));
    if name.trim().is_empty() {
        return Err(Failure::new(Exit::BadInput, format!("'{text}' names no analyte; write 'captan=0.02 mg/kg'")));
    }
    let mut analyte = json!({ "name": name.trim() });
    set(&mut analyte, "value", value.map(measure).transpose()?);
    set(&mut analyte, "limit", limit.map(measure).transpose()?);
    Ok(analyte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn analytes_are_read() {
        let full = analyte("captan=0.02 mg/kg<10 mg/kg").unwrap();
        assert_eq!((&full["value"]["value"], &full["limit"]["value"]), (&json!("0.02"), &json!("10")));
        assert_eq!(analyte("captan").unwrap(), json!({ "name": "captan" }));
        assert!(analyte("captan<10 mg/kg").unwrap().get("value").is_none());
        assert!(analyte("=1 mg/kg").is_err() && analyte("captan=1").is_err());
    }
}
