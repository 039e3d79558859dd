//! `furrow produce collect`, `handle`, `codes` and `transform`: goods that are taken in, worked on and made into others.

use crate::client::Client;
use crate::command::signing::{Signing, grade, quantity};
use crate::failure::{Exit, Failure};
use crate::names;
use clap::Args;
use serde_json::{Value, json};

/// What members brought.
#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// What people call it
    #[arg(long)]
    name: String,
    /// What it is, as a code of a published scheme, such as HS:0808.10 for apples
    #[arg(long, value_name = "SCHEME:CODE")]
    commodity: String,
    /// A delivery: who brought how much, and where it was grown, such as 'Anna=60.5 KGM@Hillside'; may be repeated
    #[arg(long = "delivery", required = true, value_name = "MEMBER=QUANTITY[@PLACE]")]
    deliveries: Vec<String>,
    /// The variety
    #[arg(long)]
    variety: Option<String>,
    /// The grade: A, B, C or Premium, or SCHEME:VALUE
    #[arg(long)]
    grade: Option<String>,
    /// A certificate that the lot claims, by its number; may be repeated
    #[arg(long = "claim", value_name = "NUMBER")]
    claims: Vec<String>,
    #[command(flatten)]
    signing: Signing,
}

/// What was done with a lot.
#[derive(Debug, Args)]
pub(crate) struct Handle {
    /// The lot's id
    lot: String,
    /// What was done, such as cooled, washed or stored
    step: String,
    /// Where, by id or name
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    /// Lowest and highest temperature in degrees Celsius, such as 1.5..4
    #[arg(long, value_name = "MIN..MAX", allow_hyphen_values = true)]
    temperature: Option<String>,
    /// What else there is to say
    #[arg(long)]
    remark: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// Codes on labels.
#[derive(Debug, Args)]
#[group(required = false, multiple = true)]
pub(crate) struct Codes {
    /// The lot's id
    lot: String,
    /// GS1 trade item number
    #[arg(long)]
    gtin: Option<String>,
    /// Lot number on the labels
    #[arg(long = "lot-number", value_name = "NUMBER")]
    lot_number: Option<String>,
    /// Traceability lot code
    #[arg(long, value_name = "CODE")]
    traceability_lot_code: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// Lots that are made of others.
#[derive(Debug, Args)]
pub(crate) struct Transform {
    /// A lot that goes in, or LOT=QUANTITY for a part of it; may be repeated
    #[arg(required = true, value_name = "LOT[=QUANTITY]")]
    inputs: Vec<String>,
    /// What is done: split, merge, pack, press and so on
    #[arg(long)]
    process: String,
    /// What comes out: how much, and where it is something else than the first input, its name and code, such as
    /// '70 LTR', or '70 LTR Apple juice HS:2009.71'; may be repeated
    #[arg(long = "output", required = true, value_name = "QUANTITY [NAME SCHEME:CODE]")]
    outputs: Vec<String>,
    /// What is lost on the way
    #[arg(long, value_name = "QUANTITY")]
    loss: Option<String>,
    /// Id of the process run, where several transformations belong to one [default: one of its own]
    #[arg(long)]
    run: Option<String>,
    /// Where, by id or name
    #[arg(long, value_name = "PLACE")]
    place: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Collect {
    /// The new lot.
    pub(crate) async fn run(self, client: &Client) -> Result<Value, Failure> {
        let mut deliveries = Vec::new();
        for text in &self.deliveries {
            let (member, amount, place) = delivery(text)?;
            let mut entry = json!({ "member": names::actor(client, member).await?, "quantity": quantity(amount)? });
            if let Some(place) = place {
                entry["place"] = names::place(client, place).await?.into();
            }
            deliveries.push(entry);
        }
        let mut body = json!({ "name": self.name, "commodity": commodity(&self.commodity)?, "deliveries": deliveries });
        if let Some(variety) = self.variety {
            body["variety"] = variety.into();
        }
        if let Some(text) = &self.grade {
            body["grade"] = grade(text);
        }
        if !self.claims.is_empty() {
            body["claims"] = self.claims.into();
        }
        self.signing.fill(client, &mut body).await?;
        client.post("/collections", &body).await
    }
}

impl Handle {
    /// The lot as it is then.
    pub(crate) async fn run(self, client: &Client) -> Result<Value, Failure> {
        let mut body = json!({ "step": self.step });
        if let Some(place) = &self.place {
            body["place"] = names::place(client, place).await?.into();
        }
        if let Some(range) = &self.temperature {
            body["temperature"] = temperature(range)?;
        }
        if let Some(remark) = self.remark {
            body["remark"] = remark.into();
        }
        self.signing.fill(client, &mut body).await?;
        client.post(&format!("/produces/{}/handlings", self.lot), &body).await
    }
}

impl Codes {
    /// The lot as it is then.
    pub(crate) async fn run(self, client: &Client) -> Result<Value, Failure> {
        let mut body = json!({});
        for (name, code) in
            [("gtin", self.gtin), ("lot", self.lot_number), ("traceability_lot_code", self.traceability_lot_code)]
        {
            if let Some(code) = code {
                body[name] = code.into();
            }
        }
        self.signing.fill(client, &mut body).await?;
        client.post(&format!("/produces/{}/codes", self.lot), &body).await
    }
}

impl Transform {
    /// The transformation.
    pub(crate) async fn run(self, client: &Client) -> Result<Value, Failure> {
        let mut body = json!({
            "process": self.process,
            "inputs": self.inputs.iter().map(|input| portion(input)).collect::<Result<Vec<_>, _>>()?,
            "outputs": self.outputs.iter().map(|text| output(text)).collect::<Result<Vec<_>, _>>()?,
        });
        if let Some(run) = self.run {
            body["run"] = run.into();
        }
        if let Some(loss) = &self.loss {
            body["loss"] = quantity(loss)?;
        }
        if let Some(place) = &self.place {
            body["place"] = names::place(client, place).await?.into();
        }
        self.signing.fill(client, &mut body).await?;
        client.post("/transformations", &body).await
    }
}

/// A lot or unit, or `LOT=QUANTITY` for a part of it.
pub(crate) fn portion(text: &str) -> Result<Value, Failure> {
    Ok(match text.split_once('=') {
        Some((lot, part)) => json!({ "lot": lot.trim(), "quantity": quantity(part)? }),
        None => json!({ "lot": text.trim() }),
    })
}

fn commodity(text: &str) -> Result<Value, Failure> {
    let (scheme, code) = text.split_once(':').ok_or_else(|| {
        Failure::new(Exit::BadInput, format!("commodity '{text}' has no scheme; write it as HS:0808.10"))
    })?;
    Ok(json!({ "scheme": scheme.trim(), "code": code.trim() }))
}

fn delivery(text: &str) -> Result<(&str, &str, Option<&str>), Failure> {
    let (member, rest) = text.split_once('=').ok_or_else(|| {
        let message = format!("'{text}' is no delivery; write who brought how much, such as 'Anna=60.5 KGM@Hillside'");
        Failure::new(Exit::BadInput, message)
    })?;
    let (amount, place) = rest.split_once('@').map_or((rest, None), |(amount, place)| (amount, Some(place.trim())));
    Ok((member.trim(), amount.trim(), place))
}

/// `70 LTR`, or `70 LTR Apple juice HS:2009.71`.
fn output(text: &str) -> Result<Value, Failure> {
    let mut words = text.split_whitespace();
    let amount: Vec<&str> = words.by_ref().take(2).collect();
    let mut out = json!({ "quantity": quantity(&amount.join(" "))? });
    let rest: Vec<&str> = words.collect();
    match rest.as_slice() {
        [] => {}
        [name @ .., code] if !name.is_empty() && code.contains(':') => {
            out["name"] = name.join(" ").into();
            out["commodity"] = commodity(code)?;
        }
        _ => {
            let message = format!(
                "'{text}' is no output; write it as '70 LTR', or with name and code as '70 LTR Juice HS:2009.71'"
            );
            return Err(Failure::new(Exit::BadInput, message));
        }
    }
    Ok(out)
}

/// `1.5..4` in degrees Celsius.
fn temperature(text: &str) -> Result<Value, Failure> {
    let wrong = || {
        let message = format!("'{text}' is no range of temperatures; write it in degrees Celsius, such as 1.5..4");
        Failure::new(Exit::BadInput, message)
    };
    let centi = |degrees: &str| -> Option<i16> {
        let degrees: f64 = degrees.trim().parse().ok()?;
        let centi = (degrees * 100.0).round();
        #[allow(clippy::cast_possible_truncation)] // It lies within the range.
        (f64::from(i16::MIN)..=f64::from(i16::MAX)).contains(&centi).then_some(centi as i16)
    };
    let (min, max) = text.split_once("..").ok_or_else(wrong)?;
    let (min, max) = (centi(min).ok_or_else(wrong)?, centi(max).ok_or_else(wrong)?);
    Ok(json!({ "min_centicelsius": min, "max_centicelsius": max }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_outputs_and_temperatures_are_read() {
        assert_eq!(delivery("Anna = 60.5 KGM @ Hillside").unwrap(), ("Anna", "60.5 KGM", Some("Hillside")));
        assert_eq!(delivery("Anna=4 KGM").unwrap(), ("Anna", "4 KGM", None));
        assert_eq!(delivery("Anna").unwrap_err().exit, Exit::BadInput);
        let juice = output("70 LTR Apple juice HS:2009.71").unwrap();
        assert_eq!((&juice["name"], &juice["commodity"]["code"]), (&json!("Apple juice"), &json!("2009.71")));
        assert_eq!(output("70 LTR").unwrap(), json!({ "quantity": { "value": "70", "unit": "LTR" } }));
        assert_eq!(output("70 LTR Apple juice").unwrap_err().exit, Exit::BadInput);
        assert_eq!(temperature("-1.5..4").unwrap(), json!({ "min_centicelsius": -150, "max_centicelsius": 400 }));
        assert_eq!(temperature("cold").unwrap_err().exit, Exit::BadInput);
        assert_eq!(portion("abc=4 KGM").unwrap()["quantity"]["value"], "4");
    }
}
