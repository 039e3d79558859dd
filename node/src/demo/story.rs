//! What happens in the demonstration, from the first key to the verified lot.

use super::people::{
    GROWERS, HOUSES, MARKET_STALL, PACKING_HOUSE, SHOP, SHOPS, TRADER, TRADERS, WHOLESALE_MARKET, rows,
};
use super::stage::{Node, eventually};
use super::{Report, Scene, Stage};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::harvest;
use crate::names::id_of;
use provenance::id::SubjectId;
use provenance::verification::Policy;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Nodes find each other within a second or two, on a busy machine within twenty.
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// An event goes from node to node within a tenth of a second; catching up takes seconds.
const ARRIVE_PATIENCE: Duration = Duration::from_secs(30);

/// Three seconds between anchors and two blocks of one second, with much to spare.
const ANCHOR_PATIENCE: Duration = Duration::from_secs(90);

/// More than a lot's history of the demonstration ever has.
const MOST_LISTED: usize = 10_000;

/// What the demonstration is given.
pub(crate) struct Props<'a> {
    /// The harvest's CSV file.
    pub(crate) harvest: &'a Path,
    /// The second verifier's command.
    pub(crate) verifier: &'a Path,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Told {
    /// The lot that was verified.
    pub(crate) lot: String,
    /// Its page on the third node.
    pub(crate) page: String,
    /// Seconds from the start until that lot was anchored and verified.
    pub(crate) verified_after_s: f64,
    /// What the second verifier printed.
    pub(crate) script_said: String,
    /// Each node's name, title, address, entries in its log and entries anchored.
    pub(crate) nodes: Vec<[String; 5]>,
}

/// Lets it happen, from the running chain on.
pub(crate) async fn tell(
    report: &mut Report,
    scene: &Scene,
    stage: &mut Stage,
    props: &Props<'_>,
) -> Result<Told, Failure> {
    report.step("network", found(scene, stage)).await?;
    report.step("nodes", start_nodes(scene, stage)).await?;
    report.step("connect", connect(stage)).await?;
    report.step("enrol", enrol(stage, props)).await?;
    let lots = report.step("import", import(stage, props)).await?;
    report.step("import again", import_again(stage, props)).await?;
    report.step("grade, price, move", describe(stage, &lots)).await?;
    report.step("whole lot", hand_over_whole(stage, &lots)).await?;
    let lot = report.step("part of a lot", hand_over_part(stage, &lots)).await?;
    report.step("onwards to the shop", hand_on(stage, &lots)).await?;
    report.step("refused, withdrawn", refuse_and_withdraw(stage, &lots)).await?;
    report.step("same on all nodes", converge(stage)).await?;
    report.step("anchored", anchored(stage, &lot)).await?;
    let bundled = report.step("bundle", bundle(scene, stage, &lot)).await?;
    report.step("verify (Rust)", verify(stage, &bundled)).await?;
    let script_said = report.step("verify (TypeScript)", verify_by_script(&bundled, props)).await?;
    let verified_after_s = report.elapsed_s();
    let nodes = describe_nodes(stage).await?;
    let page = format!("{}/p/{lot}", stage.node(SHOPS.name).client.base());
    Ok(Told { lot, page, verified_after_s, script_said, nodes })
}

/// Three cooperatives make their keys, found a network and pay for one contract.
async fn found(scene: &Scene, stage: &mut Stage) -> Result<((), String), Failure> {
    let folders = HOUSES.map(|house| scene.join(house.name));
    let made = futures::future::try_join_all(folders.iter().map(|folder| stage.make_keys(folder))).await?;
    let definition = scene.join("network.toml");
    let out = definition.display().to_string();
    let mut arguments = vec!["network", "create", "--name", "Elbe-Weser Fruit", "--out", &out];
    for (key, _) in &made {
        arguments.extend(["--founder", key]);
    }
    stage.command(&folders[0], &arguments).await?;
    for (folder, house) in folders.iter().zip(HOUSES) {
        stage.command(folder, &["init", "--network", &out, "--name", house.title]).await?;
    }
    let rpc = stage.rpc.clone();
    let deployed = stage.command(&folders[0], &["contract", "deploy", "--rpc", &rpc]).await?;
    stage.contract = text(&deployed, "/contract");
    let gas = text(&deployed, "/gas_used");
    Ok(((), format!("3 founders, contract {} ({gas} gas)", stage.contract)))
}

async fn start_nodes(scene: &Scene, stage: &mut Stage) -> Result<((), String), Failure> {
    let mut addresses = Vec::new();
    for house in &HOUSES {
        let folder = scene.join(house.name);
        let address = stage.configure(&folder, &addresses)?;
        addresses.push(address);
        stage.start_node(house.name, house.title, folder).await?;
    }
    Ok(((), "3 processes, each with its own keys, store and log".to_owned()))
}

async fn connect(stage: &Stage) -> Result<((), String), Failure> {
    for node in &stage.nodes {
        eventually("the nodes are connected", CONNECT_PATIENCE, || async {
            let peers = node.client.get("/peers").await?;
            Ok((peers["count"] == json!(stage.nodes.len() - 1)).then_some(()))
        })
        .await?;
    }
    Ok(((), "every node is connected with the two others".to_owned()))
}

/// Each cooperative enrols its node and its members.
async fn enrol(stage: &Stage, props: &Props<'_>) -> Result<((), String), Failure> {
    let rows = harvest::read(&std::fs::read(props.harvest)?)
        .map_err(|faults| Failure::new(Exit::BadInput, format!("{}: {}", props.harvest.display(), faults[0])))?;
    let farmers: Vec<&str> = harvest::farmers(&rows).into_iter().collect();
    for node in &stage.nodes {
        let name = format!("Node of {}", node.title);
        let cooperative = text(&node.client.get("/status").await?, "/node/actor");
        stage.command(&node.folder, &["actor", "update", &cooperative, "--name", node.title]).await?;
        stage.command(&node.folder, &["actor", "enrol", "--this-node", "--name", &name]).await?;
    }
    for farmer in &farmers {
        let body = json!({ "key": { "kept": true }, "display_name": farmer, "roles": ["farmer"] });
        client(stage, GROWERS.name).post("/actors", &body).await?;
    }
    for (house, name, role) in [(TRADERS, TRADER, "trader"), (SHOPS, SHOP, "retailer")] {
        let body = json!({ "key": { "kept": true }, "display_name": name, "roles": [role] });
        client(stage, house.name).post("/actors", &body).await?;
    }
    for (house, (name, at), place_type) in [
        (GROWERS, PACKING_HOUSE, "packing house"),
        (TRADERS, WHOLESALE_MARKET, "wholesale market"),
        (SHOPS, MARKET_STALL, "market stall"),
    ] {
        let folder = &stage.node(house.name).folder;
        stage
            .command(
                folder,
                &["place", "register", "--name", name, "--type", place_type, "--at", at, "--country", "de"],
            )
            .await?;
    }
    Ok(((), format!("3 nodes, {} farmers, a trader, a shop, 3 places", farmers.len())))
}

/// The lots by the keys of their rows.
struct Lots(Value);

impl Lots {
    fn of(&self, key: &str) -> Result<String, Failure> {
        let lots = ["registered", "known"].into_iter().flat_map(|list| self.0[list].as_array().into_iter().flatten());
        let lot = lots.clone().find(|lot| lot["key"] == key).map(|lot| text(lot, "/lot"));
        lot.ok_or_else(|| {
            Failure::new(Exit::BadInput, format!("the harvest has no row with the key {key}, which the story needs"))
        })
    }
}

async fn import(stage: &Stage, props: &Props<'_>) -> Result<(Lots, String), Failure> {
    let imported = run_import(stage, props).await?;
    let count = imported["registered"].as_array().map_or(0, Vec::len);
    Ok((Lots(imported), format!("{count} lots from {}", file_name(props.harvest))))
}

/// A second import must register nothing.
async fn import_again(stage: &Stage, props: &Props<'_>) -> Result<((), String), Failure> {
    let imported = run_import(stage, props).await?;
    let (registered, known) =
        (imported["registered"].as_array().map_or(0, Vec::len), imported["known"].as_array().map_or(0, Vec::len));
    if registered > 0 || known == 0 {
        return Err(Failure::new(Exit::Failed, format!("a second import registered {registered} lots again")));
    }
    Ok(((), format!("{known} lots are known, none is registered twice")))
}

async fn run_import(stage: &Stage, props: &Props<'_>) -> Result<Value, Failure> {
    let file = props.harvest.display().to_string();
    stage.command(&stage.node(GROWERS.name).folder, &["import", &file]).await
}

async fn describe(stage: &Stage, lots: &Lots) -> Result<((), String), Failure> {
    let growers = client(stage, GROWERS.name);
    let packing_house = place(growers, PACKING_HOUSE.0).await?;
    for key in [rows::TRAVELS, rows::DIVIDED] {
        let lot = lots.of(key)?;
        let path = format!("/produces/{lot}");
        let farmer = text(&growers.get(&path).await?, "/holder/id");
        let price = json!({ "amount_minor": "79", "currency": "EUR", "per": "KGM" });
        for change in [
            json!({ "actor": farmer, "place": packing_house }),
            json!({ "actor": farmer, "grade": "Premium", "reason": "sorted by size and colour" }),
            json!({ "actor": farmer, "price": price, "reason": "graded up" }),
        ] {
            growers.patch(&path, &change).await?;
        }
    }
    Ok(((), "2 lots moved to the packing house, graded up, priced anew".to_owned()))
}

/// A farmer hands a whole lot to the trader, who keeps its key on another node.
async fn hand_over_whole(stage: &Stage, lots: &Lots) -> Result<((), String), Failure> {
    let lot = lots.of(rows::TRAVELS)?;
    let offer = offer(stage, GROWERS.name, json!({ "lot": lot }), TRADER).await?;
    answer(stage, TRADERS.name, &offer, "acceptance", json!({})).await?;
    holder_is(stage, GROWERS.name, &lot, TRADER).await?;
    Ok(((), format!("Hof Quast → {TRADER}, offered on {}, accepted on {}", GROWERS.name, TRADERS.name)))
}

/// A farmer hands over a part, of which the trader rejects a little. Returns the part-lot.
async fn hand_over_part(stage: &Stage, lots: &Lots) -> Result<(String, String), Failure> {
    let lot = lots.of(rows::DIVIDED)?;
    let line = json!({ "lot": lot, "quantity": kilograms("1500", 100) });
    let offer = offer(stage, GROWERS.name, line, TRADER).await?;
    let lines =
        json!([{ "received": kilograms("1485", 99), "rejected": kilograms("15", 1), "reason": "one crate bruised" }]);
    let accepted = answer(stage, TRADERS.name, &offer, "acceptance", json!({ "lines": lines })).await?;
    let part = text(&accepted, "/lines/0/item");
    holder_is(stage, GROWERS.name, &part, TRADER).await?;
    Ok((part, "1500 of 6120 kg offered, 1485 kg received, 15 kg rejected".to_owned()))
}

/// The trader hands a part on to the shop, which sells some of it.
async fn hand_on(stage: &Stage, lots: &Lots) -> Result<((), String), Failure> {
    let lot = lots.of(rows::TRAVELS)?;
    let line = json!({ "lot": lot, "quantity": kilograms("900", 60) });
    let offer = offer(stage, TRADERS.name, line, SHOP).await?;
    let accepted = answer(stage, SHOPS.name, &offer, "acceptance", json!({})).await?;
    let part = text(&accepted, "/lines/0/item");
    let shops = client(stage, SHOPS.name);
    let seller = text(&shops.get(&format!("/produces/{part}")).await?, "/holder/id");
    let sold = json!({ "actor": seller, "quantity": kilograms("120", 8), "outcome": "sold" });
    shops.post(&format!("/produces/{part}/retirement"), &sold).await?;
    Ok(((), format!("900 kg {TRADER} → {SHOP}, 120 kg sold to consumers")))
}

async fn refuse_and_withdraw(stage: &Stage, lots: &Lots) -> Result<((), String), Failure> {
    let refused = offer(stage, GROWERS.name, json!({ "lot": lots.of(rows::REFUSED)? }), TRADER).await?;
    answer(stage, TRADERS.name, &refused, "refusal", json!({ "reason": "no room in the cold store" })).await?;
    let withdrawn = offer(stage, GROWERS.name, json!({ "lot": lots.of(rows::WITHDRAWN)? }), TRADER).await?;
    answer(stage, GROWERS.name, &withdrawn, "cancellation", json!({ "reason": "sold locally" })).await?;
    Ok(((), "both lots are back with their farmers".to_owned()))
}

/// All nodes must hold the same events and show the same lots, as no new write happens.
async fn converge(stage: &Stage) -> Result<((), String), Failure> {
    let (size, lots) = eventually("all nodes hold the same", ARRIVE_PATIENCE, || async {
        let mut seen = Vec::new();
        for node in &stage.nodes {
            let size = node.client.get("/status").await?["log"]["size"].as_u64().unwrap_or_default();
            seen.push((size, holdings(&node.client).await?));
        }
        let same = seen.windows(2).all(|pair| pair[0] == pair[1]);
        Ok(same.then(|| (seen[0].0, seen[0].1.len())))
    })
    .await?;
    Ok(((), format!("{} events, {lots} lots with the same holder, balance and state", size - 1)))
}

/// Every lot with its holder, balance and state, in the order of ids.
async fn holdings(client: &Client) -> Result<Vec<[String; 4]>, Failure> {
    let lots = client.all("/produces?limit=200", MOST_LISTED).await?;
    let row = |lot: &Value| {
        [id_of(lot).to_owned(), text(lot, "/holder/id"), text(lot, "/balance/value"), text(lot, "/state")]
    };
    let mut rows: Vec<_> = lots.iter().map(row).collect();
    rows.sort();
    Ok(rows)
}

/// Waits until the third node has anchored the lot's whole history.
async fn anchored(stage: &Stage, lot: &str) -> Result<((), String), Failure> {
    let shops = client(stage, SHOPS.name);
    let path = format!("/produces/{lot}/history");
    let events = eventually("the lot's history is anchored", ANCHOR_PATIENCE, || async {
        let events = shops.all(&path, MOST_LISTED).await?;
        let anchored = !events.is_empty() && events.iter().all(|event| event["proof"]["anchor"].is_u64());
        Ok(anchored.then_some(events))
    })
    .await?;
    let sequence = &events[events.len() - 1]["proof"]["anchor"];
    let anchor = shops.get(&format!("/anchors/{sequence}")).await?;
    let result = format!("{} events, block {}, {} gas", events.len(), anchor["block"]["number"], anchor["gas_used"]);
    Ok(((), result))
}

/// Waits until the third node's bundle of the lot is anchored for good and cosigned by both other nodes, and saves it.
async fn bundle(scene: &Scene, stage: &Stage, lot: &str) -> Result<(Bundled, String), Failure> {
    let file = scene.join("lot.bundle");
    let folder = &stage.node(SHOPS.name).folder;
    let out = file.display().to_string();
    let verdict = eventually("the lot's bundle is anchored and cosigned", ANCHOR_PATIENCE, || async {
        stage.command(folder, &["bundle", "make", lot, "--out", &out]).await?;
        let verdict = provenance::verification::verify(&std::fs::read(&file)?, &Policy::default());
        let anchored = !verdict.events.is_empty() && verdict.events.iter().all(|event| event.before.is_some());
        let cosigned = verdict.as_of.as_ref().is_some_and(|as_of| as_of.cosigned_by.len() + 1 == stage.nodes.len());
        Ok((anchored && cosigned).then_some(verdict))
    })
    .await?;
    let numbers: Vec<u64> = verdict.blocks.iter().map(|block| block.number).collect();
    let hashes = anchoring::block_hashes(&stage.rpc, verdict.blocks[0].chain_id, &numbers).await?.unwrap_or_default();
    let hashes = hashes.iter().flat_map(|hash| ["--block-hash".to_owned(), hash.to_string()]).collect();
    let bytes = std::fs::metadata(&file)?.len();
    let result = format!("{} events in {bytes} bytes, cosigned by 2 nodes", verdict.events.len());
    Ok((Bundled { file, hashes }, result))
}

/// A bundle's file, and the options that bring the hashes of its blocks.
struct Bundled {
    file: PathBuf,
    hashes: Vec<String>,
}

/// Verifies the bundle by the program itself, which asks nobody.
async fn verify(stage: &Stage, bundled: &Bundled) -> Result<((), String), Failure> {
    let file = bundled.file.display().to_string();
    let mut arguments = vec!["verify", &file, "--cosigners", "2"];
    arguments.extend(bundled.hashes.iter().map(String::as_str));
    let verdict = stage.command(&stage.node(SHOPS.name).folder, &arguments).await?;
    let checks = verdict["checks"].as_array().map_or(0, Vec::len);
    Ok(((), format!("{}: {checks} checks, from the file and block hashes alone", text(&verdict, "/verdict"))))
}

/// Verifies it again by the second verifier, which shares no code with this program.
async fn verify_by_script(bundled: &Bundled, props: &Props<'_>) -> Result<(String, String), Failure> {
    let output = Command::new("node")
        .arg(props.verifier)
        .arg(&bundled.file)
        .args(["--cosigners", "2"])
        .args(&bundled.hashes)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| {
            Failure::new(Exit::BadInput, format!("cannot start Node.js ({error}); install it, version 20 or newer"))
        })?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(Exit::Unverified, format!("furrow-verify does not verify the lot: {said}{complaint}")));
    }
    Ok((said, "valid, by the verifier in TypeScript".to_owned()))
}

/// Offers on behalf of whoever holds the lot, to an actor of this name, who may be of another node.
async fn offer(stage: &Stage, from: &str, line: Value, to: &str) -> Result<String, Failure> {
    let client = client(stage, from);
    let lot = text(&line, "/lot");
    let holder = text(&client.get(&format!("/produces/{lot}")).await?, "/holder/id");
    let to = eventually("the addressee is known", ARRIVE_PATIENCE, || actor(client, to)).await?;
    let body = json!({ "actor": holder, "lines": [line], "to": { "actor": to } });
    Ok(id_of(&client.post("/transfers", &body).await?).to_owned())
}

/// Answers an offer on another node, once it has come there.
async fn answer(stage: &Stage, on: &str, offer: &str, how: &str, body: Value) -> Result<Value, Failure> {
    let client = client(stage, on);
    let path = format!("/transfers/{offer}");
    eventually("the offer has come to the addressee's node", ARRIVE_PATIENCE, || client.find(&path)).await?;
    client.post(&format!("{path}/{how}"), &body).await
}

/// Waits until a node shows that somebody of this name holds the lot.
async fn holder_is(stage: &Stage, on: &str, lot: &str, name: &str) -> Result<(), Failure> {
    let client = client(stage, on);
    eventually("the handover has come back", ARRIVE_PATIENCE, || async {
        let found = client.find(&format!("/produces/{lot}")).await?;
        Ok(found.filter(|lot| lot["holder"]["name"] == name).map(|_| ()))
    })
    .await
}

async fn actor(client: &Client, name: &str) -> Result<Option<SubjectId>, Failure> {
    let actors = client.all("/actors?limit=200", MOST_LISTED).await?;
    let found = actors.iter().find(|actor| actor["display_name"] == name);
    Ok(found.and_then(|actor| id_of(actor).parse().ok()))
}

async fn place(client: &Client, name: &str) -> Result<String, Failure> {
    crate::names::place(client, name).await
}

async fn describe_nodes(stage: &Stage) -> Result<Vec<[String; 5]>, Failure> {
    let mut nodes = Vec::new();
    for Node { name, title, client, .. } in &stage.nodes {
        let status = client.get("/status").await?;
        let (size, anchored) = (text(&status, "/log/size"), text(&status, "/anchoring/anchored_size"));
        nodes.push([(*name).to_owned(), (*title).to_owned(), client.base().to_owned(), size, anchored]);
    }
    Ok(nodes)
}

fn client<'a>(stage: &'a Stage, name: &str) -> &'a Client {
    &stage.node(name).client
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn kilograms(value: &str, packages: u32) -> Value {
    json!({ "value": value, "unit": "KGM", "packages": packages })
}

fn text(value: &Value, pointer: &str) -> String {
    crate::output::text(value, pointer)
}
