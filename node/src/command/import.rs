//! `furrow import`: register the lots of a CSV file, each row once and for all.

use crate::cli::Global;
use crate::client::Client;
use crate::command::place::locate;
use crate::failure::{Exit, Failure, OrExit};
use crate::harvest::{self, Fault, Row};
use crate::names::{Directory, id_of};
use crate::output::{Output, table};
use clap::Args;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;

/// The type of business document under which a row's key stands in its event.
const ROW_REFERENCE: &str = "import row";

/// The same for the farms that rows name.
const FARM_REFERENCE: &str = "import farm";

/// Events that one signer may have made before; beyond this it is time for a second key.
const MAX_EVENTS: usize = 1_000_000;

/// Larger files are split, which also keeps a mistake small.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Register the lots of a CSV file; a second run registers nothing twice
///
/// Every row is checked first; if there is a fault anywhere, all faults are told with line, column
/// and rule, and nothing is stored. Each lot carries the key of its row, so that a second run, also
/// of a file with further rows, registers nothing twice. The columns are: key, farmer, place,
/// latitude, longitude, country, commodity, name, variety, harvested, quantity, unit, packages,
/// grade, price, currency, gtin, lot, claim.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file, as UTF-8 with commas, with the columns' names in its first line
    file: PathBuf,
    /// Only check the file and the farmers' names
    #[arg(long)]
    check: bool,
}

/// Who signs for a farmer's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signer {
    actor: String,
    on_behalf_of: Option<String>,
}

impl Import {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let output = global.output();
        let rows = self.read()?;
        let rows = rows.or_else(|faults| refuse(output, &faults))?;
        let client = global.client()?;
        let signers = match signers(&client, &rows).await? {
            Ok(signers) => signers,
            Err(faults) => return refuse(output, &faults),
        };
        if self.check {
            let value = json!({ "rows": rows.len(), "faults": [] });
            output.print(&value, || format!("{} rows are good; nothing was stored.", rows.len()))?;
            return Ok(());
        }
        let _alone = lock(global)?;
        let bar = output.progress(rows.len(), "importing");
        let mut known_rows = KnownRows::read(&client, &signers).await?;
        let (mut registered, mut known) = (Vec::new(), Vec::new());
        for row in &rows {
            let signer = &signers[&row.farmer];
            let done = register(&client, row, signer, &mut known_rows).await;
            match done.map_err(|failure| at_line(row, failure, registered.len()))? {
                Registered::Now(lot) => registered.push((row, lot)),
                Registered::Before(lot) => known.push((row, lot)),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        report(output, &registered, &known)
    }

    fn read(&self) -> Result<Result<Vec<Row>, Vec<Fault>>, Failure> {
        let name = || format!("cannot read {}", self.file.display());
        let length = std::fs::metadata(&self.file).or_exit_with(Exit::BadInput, name)?.len();
        if length > MAX_FILE_BYTES {
            return Err(Failure::new(
                Exit::BadInput,
                format!("{} is larger than 64 MiB; split it", self.file.display()),
            ));
        }
        Ok(harvest::read(&std::fs::read(&self.file).or_exit_with(Exit::BadInput, name)?))
    }
}

/// Finds out who signs for each farmer: the farmer, where this node keeps the key, else the cooperative.
async fn signers(
    client: &Client,
    rows: &[Row],
) -> Result<Result<BTreeMap<Option<String>, Signer>, Vec<Fault>>, Failure> {
    let status = client.get("/status").await?;
    let cooperative = status.pointer("/node/actor").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut signers = BTreeMap::from([(None, Signer { actor: cooperative.clone(), on_behalf_of: None })]);
    let names = harvest::farmers(rows);
    if names.is_empty() {
        return Ok(Ok(signers));
    }
    let directory = Directory::actors(client).await?;
    let mut faults = Vec::new();
    for name in names {
        match directory.find(name) {
            Ok(farmer) => {
                let id = id_of(farmer).to_owned();
                let signer = if farmer.get("kept_here") == Some(&Value::Bool(true)) {
                    Signer { actor: id, on_behalf_of: None }
                } else {
                    Signer { actor: cooperative.clone(), on_behalf_of: Some(id) }
                };
                signers.insert(Some(name.to_owned()), signer);
            }
            Err(failure) => {
                let of_farmer = rows.iter().filter(|row| row.farmer.as_deref() == Some(name));
                faults.extend(of_farmer.map(|row| Fault {
                    line: row.line,
                    column: "farmer",
                    rule: failure.to_string(),
                }));
            }
        }
    }
    faults.sort();
    Ok(if faults.is_empty() { Ok(signers) } else { Err(faults) })
}

enum Registered {
    Now(String),
    Before(String),
}

/// What the signers have registered by imports: by who acts, the type of reference, and its number.
struct KnownRows(HashMap<(String, &'static str, String), String>);

impl KnownRows {
    /// Reads the signers' events once; each bears the key of the row from which it was made.
    async fn read(client: &Client, signers: &BTreeMap<Option<String>, Signer>) -> Result<Self, Failure> {
        let mut known = Self(HashMap::new());
        let actors: BTreeSet<&str> = signers.values().map(|signer| signer.actor.as_str()).collect();
        for actor in actors {
            for event in client.all(&format!("/actors/{actor}/events?limit=200"), MAX_EVENTS).await? {
                known.note(&event);
            }
        }
        Ok(known)
    }

    fn note(&mut self, event: &Value) {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let (Some(signer), Some(created)) = (text("/signer/id"), text("/created/0")) else { return };
        let acting = text("/on_behalf_of/id").unwrap_or(signer);
        for reference in event.get("refs").and_then(Value::as_array).into_iter().flatten() {
            let field = |name: &str| reference.get(name).and_then(Value::as_str);
            let kind = [ROW_REFERENCE, FARM_REFERENCE].into_iter().find(|kind| field("document_type") == Some(kind));
            if let (Some(kind), Some(number)) = (kind, field("number")) {
                self.0.insert((acting.to_owned(), kind, number.to_owned()), created.to_owned());
            }
        }
    }

    fn get(&self, signer: &Signer, kind: &'static str, number: &str) -> Option<&String> {
        self.0.get(&(signer.acting().to_owned(), kind, number.to_owned()))
    }

    fn insert(&mut self, signer: &Signer, kind: &'static str, number: &str, created: &str) {
        self.0.insert((signer.acting().to_owned(), kind, number.to_owned()), created.to_owned());
    }
}

impl Signer {
    /// On whose account the events stand.
    fn acting(&self) -> &str {
        self.on_behalf_of.as_ref().unwrap_or(&self.actor)
    }
}

/// Registers one row, unless an event on the same account bears its key already.
async fn register(client: &Client, row: &Row, signer: &Signer, known: &mut KnownRows) -> Result<Registered, Failure> {
    if let Some(lot) = known.get(signer, ROW_REFERENCE, &row.key) {
        return Ok(Registered::Before(lot.clone()));
    }
    let place = place(client, row, signer, known).await?;
    let mut body = row.lot.clone();
    body["places"] = json!([place]);
    sign(&mut body, signer, ROW_REFERENCE, &row.key);
    let lot = id_of(&client.post("/produces", &body).await?).to_owned();
    known.insert(signer, ROW_REFERENCE, &row.key, &lot);
    Ok(Registered::Now(lot))
}

/// The farm's place, registered where it is not yet.
async fn place(client: &Client, row: &Row, signer: &Signer, known: &mut KnownRows) -> Result<String, Failure> {
    let farm = &row.farm;
    if let Some(place) = known.get(signer, FARM_REFERENCE, &farm.name) {
        return Ok(place.clone());
    }
    let mut body = json!({ "place_type": "farm", "name": farm.name });
    locate(&mut body, farm.point);
    if let Some(country) = &farm.country {
        body["country"] = country.as_str().into();
    }
    sign(&mut body, signer, FARM_REFERENCE, &farm.name);
    let place = id_of(&client.post("/places", &body).await?).to_owned();
    known.insert(signer, FARM_REFERENCE, &farm.name, &place);
    Ok(place)
}

fn sign(body: &mut Value, signer: &Signer, document_type: &str, number: &str) {
    body["actor"] = signer.actor.as_str().into();
    if let Some(member) = &signer.on_behalf_of {
        body["on_behalf_of"] = member.as_str().into();
    }
    body["refs"] = json!([{ "document_type": document_type, "number": number }]);
}

fn refuse<T>(output: Output, faults: &[Fault]) -> Result<T, Failure> {
    let value = json!({
        "faults": faults.iter().map(|fault| json!({ "line": fault.line, "column": fault.column, "rule": fault.rule })).collect::<Vec<_>>(),
    });
    let row = |fault: &Fault| [fault.line.to_string(), fault.column.to_owned(), fault.rule.clone()];
    output.print(&value, || table(["line", "column", "what is wrong"], &faults.iter().map(row).collect::<Vec<_>>()))?;
    let noun = if faults.len() == 1 { "fault" } else { "faults" };
    Err(Failure::new(
        Exit::BadInput,
        format!("{} {noun}; nothing was stored. Correct the file and import it again", faults.len()),
    ))
}

fn at_line(row: &Row, failure: Failure, registered: usize) -> Failure {
    let message = format!(
        "line {} was not registered ({registered} lots before it were; run the import again to go on from here)",
        row.line
    );
    Failure { exit: failure.exit, error: failure.error.context(message) }
}

fn report(output: Output, registered: &[(&Row, String)], known: &[(&Row, String)]) -> Result<(), Failure> {
    let list = |lots: &[(&Row, String)]| {
        lots.iter().map(|(row, lot)| json!({ "line": row.line, "key": row.key, "lot": lot })).collect::<Vec<_>>()
    };
    let value = json!({ "registered": list(registered), "known": list(known) });
    output.print(&value, || {
        let mut text = format!("{} lots registered", registered.len());
        if !known.is_empty() {
            let _ = write!(text, ", {} were registered before", known.len());
        }
        text + "."
    })?;
    Ok(())
}

/// Held until the import ends; released by the system if it does not end well.
fn lock(global: &Global) -> Result<Option<File>, Failure> {
    let folder = global.data_dir()?;
    // An import into a node elsewhere has no folder to lock.
    let Ok(file) = OpenOptions::new().create(true).truncate(false).write(true).open(folder.import_lock()) else {
        return Ok(None);
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::new(Exit::Failed, "another import into this node is running; wait until it has ended"))
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_known_on_the_account_on_which_it_was_registered() {
        let event = |number: &str| {
            json!({
                "signer": { "id": "coop" },
                "on_behalf_of": { "id": "quast" },
                "created": ["lot"],
                "refs": [{ "document_type": ROW_REFERENCE, "number": number }],
            })
        };
        let mut known = KnownRows(HashMap::new());
        known.note(&event("S-1"));
        known.note(&json!({ "signer": { "id": "coop" }, "created": [], "refs": [] }));
        let of = |member: &str| Signer { actor: "coop".to_owned(), on_behalf_of: Some(member.to_owned()) };
        assert_eq!(known.get(&of("quast"), ROW_REFERENCE, "S-1").map(String::as_str), Some("lot"));
        assert_eq!(known.get(&of("quast"), ROW_REFERENCE, "S-2"), None);
        assert_eq!(known.get(&of("quast"), FARM_REFERENCE, "S-1"), None);
        assert_eq!(known.get(&of("feindt"), ROW_REFERENCE, "S-1"), None);
    }

    #[test]
    fn the_help_names_every_column() {
        use clap::CommandFactory;
        let mut command = crate::cli::Arguments::command();
        let help = command.find_subcommand_mut("import").unwrap().render_long_help().to_string().replace('\n', " ");
        assert!(harvest::COLUMNS.iter().all(|column| help.contains(column.name)));
    }
}
