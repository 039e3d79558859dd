//! `furrow place`: farms, packing houses and shops.

use crate::cli::Global;
use crate::client::Client;
use crate::command::signing::Signing;
use crate::failure::{Exit, Failure, OrExit};
use crate::names::{self, id_of};
use crate::output::{table, text};
use clap::{Args, Subcommand};
use provenance::value::Coordinates;
use serde_json::{Value, json};

/// More are not listed at once.
const MAX_LISTED: usize = 100_000;

/// Commands about places.
#[derive(Debug, Subcommand)]
pub(crate) enum Place {
    /// Make a place known
    Register(Box<Register>),
    /// Change what is told of a place; what is not given stays
    Update(Box<Update>),
    /// All places that the node knows
    List,
    /// One place
    Show {
        /// Id or name
        place: String,
    },
}

/// What to register.
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// What it is called
    #[arg(long)]
    name: String,
    /// What it is: farm, field, packing house, cold store, shop …
    #[arg(long = "type", default_value = "farm", value_name = "TYPE")]
    place_type: String,
    /// Where it is, as LATITUDE,LONGITUDE in degrees; shown to 0.01°, the exact point is sealed
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    at: Option<String>,
    /// Its Global Location Number
    #[arg(long)]
    gln: Option<String>,
    /// Its country, as two letters (ISO 3166-1)
    #[arg(long)]
    country: Option<String>,
    /// Its area in square metres
    #[arg(long, value_name = "M2")]
    area: Option<u64>,
    /// The place of which it is a part, by id or name
    #[arg(long, value_name = "PLACE")]
    parent: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// What changes.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The place, by id or name
    place: String,
    /// What it is called
    #[arg(long)]
    name: Option<String>,
    /// Where it is, as LATITUDE,LONGITUDE in degrees; shown to 0.01°, the exact point is sealed
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    at: Option<String>,
    /// Its Global Location Number
    #[arg(long)]
    gln: Option<String>,
    /// Its country, as two letters (ISO 3166-1)
    #[arg(long)]
    country: Option<String>,
    /// Its area in square metres
    #[arg(long, value_name = "M2")]
    area: Option<u64>,
    /// The place of which it is a part, by id or name
    #[arg(long, value_name = "PLACE")]
    parent: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

impl Place {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.client()?;
        match self {
            Self::Register(register) => show(global, &register.run(&client).await?),
            Self::Update(update) => show(global, &update.run(&client).await?),
            Self::List => list(global, &client).await,
            Self::Show { place } => {
                let id = names::place(&client, &place).await?;
                show(global, &client.get(&format!("/places/{id}")).await?)
            }
        }
    }
}

impl Register {
    async fn run(self, client: &Client) -> Result<Value, Failure> {
        let mut body = json!({ "place_type": self.place_type, "name": self.name });
        if let Some(at) = &self.at {
            locate(&mut body, point(at)?);
        }
        if let Some(gln) = self.gln {
            body["gln"] = gln.into();
        }
        if let Some(country) = self.country {
            body["country"] = country.to_uppercase().into();
        }
        if let Some(area) = self.area {
            body["area_m2"] = area.into();
        }
        if let Some(parent) = &self.parent {
            body["parent"] = names::place(client, parent).await?.into();
        }
        self.signing.fill(client, &mut body).await?;
        client.post("/places", &body).await
    }
}

impl Update {
    async fn run(self, client: &Client) -> Result<Value, Failure> {
        let place = names::place(client, &self.place).await?;
        let mut body = json!({});
        if let Some(at) = &self.at {
            locate(&mut body, point(at)?);
        }
        for (name, value) in
            [("name", self.name), ("gln", self.gln), ("country", self.country.map(|code| code.to_uppercase()))]
        {
            if let Some(value) = value {
                body[name] = value.into();
            }
        }
        if let Some(area) = self.area {
            body["area_m2"] = area.into();
        }
        if let Some(parent) = &self.parent {
            body["parent"] = names::place(client, parent).await?.into();
        }
        self.signing.fill(client, &mut body).await?;
        client.patch(&format!("/places/{place}"), &body).await
    }
}

/// Adds a point to a place: the open one on its grid, and the exact one to be sealed.
pub(crate) fn locate(body: &mut Value, exact: Coordinates) {
    let degrees = |point: Coordinates| {
        let (latitude, longitude) = point.degrees();
        json!({ "latitude": latitude, "longitude": longitude })
    };
    body["point"] = degrees(exact.to_open());
    if !exact.is_open() {
        body["exact_point"] = degrees(exact);
    }
}

fn point(at: &str) -> Result<Coordinates, Failure> {
    let parsed = at
        .split_once(',')
        .and_then(|(latitude, longitude)| Some((latitude.trim().parse().ok()?, longitude.trim().parse().ok()?)));
    let (latitude, longitude) = parsed.ok_or_else(|| {
        Failure::new(
            Exit::BadInput,
            format!("--at '{at}' is no point; write latitude and longitude in degrees, such as 53.5311,9.6842"),
        )
    })?;
    Coordinates::from_degrees(latitude, longitude).or_exit_with(Exit::BadInput, || "--at".to_owned())
}

async fn list(global: &Global, client: &Client) -> Result<(), Failure> {
    let places = client.all("/places?limit=200", MAX_LISTED).await?;
    let row = |place: &Value| [name(place), text(place, "/place_type"), at(place), id_of(place).to_owned()];
    let rows: Vec<_> = places.iter().map(row).collect();
    global.output().print(&Value::Array(places), || table(["name", "type", "about", "id"], &rows))?;
    Ok(())
}

fn show(global: &Global, place: &Value) -> Result<(), Failure> {
    global.output().print(place, || {
        let about =
            Some(at(place)).filter(|at| !at.is_empty()).map_or_else(String::new, |at| format!("  about  {at}\n"));
        format!("{}\n  id     {}\n  type   {}\n{about}", name(place), id_of(place), text(place, "/place_type"))
    })?;
    Ok(())
}

fn at(place: &Value) -> String {
    match (place.pointer("/point/latitude"), place.pointer("/point/longitude")) {
        (Some(latitude), Some(longitude)) => format!("{latitude}, {longitude}"),
        _ => String::new(),
    }
}

/// A name for people: in English where there is one, else in whatever language there is.
pub(crate) fn name(resource: &Value) -> String {
    let name = match resource.get("name") {
        Some(Value::Object(languages)) => languages.get("en").or_else(|| languages.values().next()),
        name => name,
    };
    name.map(|name| text(name, "")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_open_to_a_kilometre_and_sealed_exactly() {
        let mut body = json!({});
        locate(&mut body, point("53.5311, 9.6842").unwrap());
        assert_eq!(body["point"], json!({ "latitude": 53.53, "longitude": 9.68 }));
        assert_eq!(body["exact_point"], json!({ "latitude": 53.5311, "longitude": 9.6842 }));
        let failure = point("91,9").unwrap_err();
        assert!(failure.to_string().contains("latitude 91"), "{failure}");
        assert_eq!(point("here").unwrap_err().exit, Exit::BadInput);
    }

    #[test]
    fn names_are_found_in_every_form() {
        assert_eq!(name(&json!({ "name": "Jork" })), "Jork");
        assert_eq!(name(&json!({ "name": { "de": "Äpfel", "en": "Apples" } })), "Apples");
        assert_eq!(name(&json!({ "name": { "de": "Äpfel" } })), "Äpfel");
        assert_eq!(name(&json!({})), "");
    }
}
