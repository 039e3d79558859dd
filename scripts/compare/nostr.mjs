// nostr-rs-relay: events signed beforehand, sent over websockets, counted when the relay's OK has come.
// Usage: nostr.mjs RELAY DIRECTORY
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { schnorr } from "@noble/curves/secp256k1.js";
import WebSocket from "ws";
import { Figures, cpuSeconds, endWithThisProcess, median, quantile } from "./figures.mjs";

const [relayPath, directory] = process.argv.slice(2);
const RUNS = Number(process.env.RUNS ?? 3);
const EVENTS = Number(process.env.NOSTR_EVENTS ?? 10_000);
const KEYS = [64, 1_000];
const CONNECTIONS = [1, 8];
// The relay keeps at most 128 answers for a connection and drops what is more, so fewer than that are under way.
const WINDOW = 100;
// Events a second that are offered while the time of an acknowledgement is taken: one that the relay can take, and what
// Furrow's `ack_http` offers.
const OFFERED_PER_S = [500, 2_000];
const OFFERED_FOR_S = 5;
const PATIENCE_MS = 60_000;

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const sha256 = (text) => createHash("sha256").update(text).digest();

/** A note of about 370 bytes as JSON, on one of some lots; a tag of one letter is what relays index. */
function note(index, keys) {
  const secret = keys[index % keys.length];
  const pubkey = secret.pubkey;
  const created_at = 1_760_000_000 + index;
  const tags = [["t", `lot-${String(index % Math.ceil(EVENTS / 10)).padStart(5, "0")}`]];
  const content = "12.5 kg, grade A";
  const digest = sha256(JSON.stringify([0, pubkey, created_at, 1, tags, content]));
  const sig = hex(schnorr.sign(digest, secret.key, new Uint8Array(32)));
  return { id: hex(digest), pubkey, created_at, kind: 1, tags, content, sig };
}

/** The events of a run, the same on every machine, signed once and kept. */
function corpus(keyCount) {
  const path = `${directory}/nostr-${EVENTS}-by-${keyCount}.jsonl`;
  if (!existsSync(path)) {
    const keys = Array.from({ length: keyCount }, (_, index) => {
      const key = sha256(`key ${index}`);
      return { key, pubkey: hex(schnorr.getPublicKey(key)) };
    });
    const events = Array.from({ length: EVENTS }, (_, index) => JSON.stringify(note(index, keys)));
    writeFileSync(`${path}.partial`, `${events.join("\n")}\n`);
    renameSync(`${path}.partial`, path);
  }
  return readFileSync(path, "utf8").trimEnd().split("\n");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A relay with an empty database and the settings of its own config.toml, save where it listens. */
class Relay {
  static async start() {
    const relay = new Relay();
    relay.home = `${directory}/run/nostr`;
    rmSync(relay.home, { recursive: true, force: true });
    mkdirSync(relay.home, { recursive: true });
    const port = await freePort();
    relay.url = `ws://127.0.0.1:${port}`;
    writeFileSync(`${relay.home}/config.toml`, `[network]\naddress = "127.0.0.1"\nport = ${port}\n[options]\nreject_future_seconds = 1800\n`);
    // Its log of every event would be time that no operator needs to spend.
    const env = { ...process.env, RUST_LOG: "warn" };
    const options = ["--db", relay.home, "--config", `${relay.home}/config.toml`];
    relay.child = endWithThisProcess(spawn(relayPath, options, { stdio: ["ignore", 2, 2], env }));
    for (let waited_ms = 0; ; waited_ms += 50) {
      if (relay.child.exitCode !== null) throw new Error("the relay ended before it listened");
      if (waited_ms > PATIENCE_MS) throw new Error("the relay does not listen");
      try {
        (await connect(relay.url)).close();
        return relay;
      } catch {
        await sleep(50);
      }
    }
  }

  /** Bytes of the database, in which all is once the relay has closed it. */
  databaseBytes() {
    return statSync(`${this.home}/nostr.db`).size;
  }

  async stop() {
    this.child.kill();
    await once(this.child, "exit");
  }
}

async function connect(url) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  return socket;
}

/** Sends over one connection, never more than `WINDOW` unanswered, until all are acknowledged. */
async function sendAll(url, events) {
  const socket = await connect(url);
  await new Promise((resolve, reject) => {
    let sent = 0;
    let acknowledged = 0;
    const send = () => socket.send(`["EVENT",${events[sent++]}]`);
    socket.on("message", (data) => {
      const [type, id, saved, why] = JSON.parse(data);
      if (type !== "OK" || !saved) return reject(new Error(`the relay answered ${type} ${id} ${why ?? ""}`));
      acknowledged += 1;
      if (acknowledged === events.length) return resolve();
      if (sent < events.length) send();
    });
    socket.on("close", () => reject(new Error("the relay closed the connection")));
    while (sent < Math.min(WINDOW, events.length)) send();
  });
  socket.removeAllListeners("close");
  socket.close();
}

async function ingest(events, connections) {
  const relay = await Relay.start();
  let result;
  try {
    const shares = Array.from({ length: connections }, (_, part) => events.filter((_, index) => index % connections === part));
    const relayCpu = cpuSeconds(relay.child.pid);
    const ownCpu = process.cpuUsage();
    const begin = performance.now();
    await Promise.all(shares.map((share) => sendAll(relay.url, share)));
    const s = (performance.now() - begin) / 1000;
    const own = process.cpuUsage(ownCpu);
    const relay_us = ((cpuSeconds(relay.child.pid) - relayCpu) * 1e6) / events.length;
    result = { rate: events.length / s, relay_us, client_us: (own.user + own.system) / events.length };
  } finally {
    await relay.stop();
  }
  return { ...result, bytes: relay.databaseBytes() / events.length };
}

/** Time from send to OK at a fixed offered rate over 8 connections, whether or not the relay keeps up. */
async function acknowledge(events, offeredPerS) {
  const relay = await Relay.start();
  try {
    const sockets = await Promise.all(Array.from({ length: 8 }, () => connect(relay.url)));
    const sentAt = new Map();
    const delays_ms = [];
    for (const socket of sockets) {
      socket.on("message", (data) => delays_ms.push(performance.now() - sentAt.get(JSON.parse(data)[1])));
    }
    const begin = performance.now();
    let sent = 0;
    while (sent < events.length) {
      const due = Math.min(events.length, Math.floor(((performance.now() - begin) / 1000) * offeredPerS));
      for (; sent < due; sent += 1) {
        // Ids stand at the front of the JSON that `note` makes.
        sentAt.set(events[sent].slice(7, 71), performance.now());
        sockets[sent % sockets.length].send(`["EVENT",${events[sent]}]`);
      }
      await sleep(1);
    }
    for (let waited_ms = 0; delays_ms.length < events.length && waited_ms < PATIENCE_MS; waited_ms += 20) await sleep(20);
    for (const socket of sockets) socket.close();
    if (delays_ms.length < events.length) throw new Error(`the relay answered ${delays_ms.length} of ${events.length} events`);
    return delays_ms;
  } finally {
    await relay.stop();
  }
}

/** How often a second this disk can make an append durable, one after the other: the ceiling of a relay that did. */
function syncsPerSecond() {
  const path = `${directory}/run/sync`;
  const file = openSync(path, "w");
  const page = Buffer.alloc(4096, 1);
  const begin = performance.now();
  let syncs = 0;
  for (; performance.now() - begin < 2_000; syncs += 1) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
  closeSync(file);
  rmSync(path);
  return syncs / ((performance.now() - begin) / 1000);
}

const version = execFileSync(relayPath, ["--version"], { encoding: "utf8" }).trim();
const figures = new Figures("nostr", `${version}, its own SQLite, settings of its release`);
const corpora = new Map(KEYS.map((keyCount) => [keyCount, corpus(keyCount)]));
figures.addLoad();
figures.add("event", median([...corpora.get(KEYS[0])].map((event) => event.length)), "bytes", "an event as JSON");
for (const keyCount of KEYS) {
  for (const connections of CONNECTIONS) {
    const runs = [];
    for (let run = 0; run < RUNS; run += 1) runs.push(await ingest(corpora.get(keyCount), connections));
    const of = (pick) => median(runs.map(pick));
    const name = `ingest_${keyCount}_keys_${connections}_conn`;
    const what = `${EVENTS} events by ${keyCount} keys over ${connections} connection${connections === 1 ? "" : "s"}`;
    figures.add(name, of((run) => run.rate), "events/s", `${what}, acknowledged; the disk is not waited for`);
    const client = `the client took ${Math.round(of((run) => run.client_us))} µs beside it`;
    figures.add(`${name}_cpu`, of((run) => run.relay_us), "µs/event", `CPU time of the relay for an event; ${client}`);
    if (keyCount === KEYS.at(-1) && connections === CONNECTIONS.at(-1)) {
      figures.add("bytes_per_event", of((run) => run.bytes), "bytes", "of the database after that run, with its indexes");
    }
  }
}
for (const offeredPerS of OFFERED_PER_S) {
  const offered = corpora.get(KEYS.at(-1)).slice(0, offeredPerS * OFFERED_FOR_S);
  const delays_ms = [];
  for (let run = 0; run < RUNS; run += 1) delays_ms.push(...(await acknowledge(offered, offeredPerS)));
  for (const percent of [50, 95, 99]) {
    const what = `from send to acknowledgement, ${offeredPerS} events/s offered for ${OFFERED_FOR_S} s over 8 connections`;
    figures.add(`ack_${offeredPerS}_p${percent}`, quantile(delays_ms, percent / 100), "ms", what);
  }
}
const syncsWhat = "4 KiB appended and synced, one after the other: a relay that synced every event could take no more";
figures.add("disk_syncs", syncsPerSecond(), "syncs/s", syncsWhat);
figures.print();
