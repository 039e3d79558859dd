// OrbitDB: signed entries appended at one node, and how soon a second node on the same machine has them.
// Usage: orbitdb.mjs DIRECTORY
import { fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Figures, endWithThisProcess, installedVersion, median, quantile } from "./figures.mjs";
import { startNode } from "./orbitdb_node.mjs";

const directory = process.argv[2];
const RUNS = Number(process.env.RUNS ?? 3);
const ENTRIES = Number(process.env.ORBITDB_ENTRIES ?? 1_000);
// Far below what a node can append, so that the time is that of the way and not that of a queue.
const OFFERED_PER_S = 50;
const OFFERED_FOR_S = 10;
// A catch-up that makes no headway for so long has failed.
const PATIENCE_MS = 300_000;

/** What an event of a lot says, without what OrbitDB adds to sign it. */
function observation(index) {
  const lot = `lot-${String(index % 500).padStart(5, "0")}`;
  return { lot, kind: "produce.collected", quantity: "12.5 kg", grade: "A", index };
}

class Follower {
  #child;
  #stored = new Map();
  #waiting = new Map();
  #counted;

  static async start(directory) {
    const follower = new Follower();
    const program = new URL("orbitdb_node.mjs", import.meta.url);
    follower.#child = endWithThisProcess(fork(program, [directory], { stdio: ["ignore", 2, 2, "ipc"] }));
    await once(follower.#child, "message");
    follower.#child.on("message", (message) => {
      if (message.entries !== undefined) return follower.#counted(message.entries);
      follower.#stored.set(message.stored, message);
      follower.#waiting.get(message.stored)?.(message);
    });
    return follower;
  }

  open(peer, address) {
    this.#child.send({ ask: "open", peer, address });
  }

  /** When the entry was stored at the follower. */
  async has(hash) {
    if (this.#stored.has(hash)) return this.#stored.get(hash);
    const timeout = AbortSignal.timeout(PATIENCE_MS);
    return new Promise((resolve, reject) => {
      this.#waiting.set(hash, resolve);
      timeout.addEventListener("abort", () => reject(new Error(`the second node never had entry ${hash}`)));
    });
  }

  async mustHave(expected) {
    const counted = new Promise((resolve) => (this.#counted = resolve));
    this.#child.send({ ask: "count" });
    const entries = await counted;
    if (entries !== expected) throw new Error(`the second node has ${entries} of ${expected} entries`);
  }

  async stop() {
    this.#child.send({ ask: "stop" });
    await once(this.#child, "exit");
  }
}

async function append(db, from, count) {
  let hash;
  for (let index = from; index < from + count; index += 1) hash = await db.add(observation(index));
  return hash;
}

async function run(number) {
  const home = `${directory}/run-${number}`;
  const source = await startNode(`${home}/source`);
  const db = await source.orbitdb.open("season");

  const cpuBefore = process.cpuUsage();
  const appendBegin = performance.now();
  const head = await append(db, 0, ENTRIES);
  const append_s = (performance.now() - appendBegin) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const bytes = (await db.log.storage.get(head)).length;

  const follower = await Follower.start(`${home}/follower`);
  follower.open(String(source.libp2p.getMultiaddrs()[0]), db.address);
  const caughtUp = await follower.has(head);
  await follower.mustHave(ENTRIES);

  const liveBegin = Date.now();
  const last = await append(db, ENTRIES, ENTRIES);
  const live_s = ((await follower.has(last)).at_ms - liveBegin) / 1000;
  await follower.mustHave(2 * ENTRIES);

  const delays_ms = [];
  const waits = [];
  for (let index = 0; index < OFFERED_PER_S * OFFERED_FOR_S; index += 1) {
    const sent_ms = Date.now();
    const arrived = db.add(observation(index)).then((hash) => follower.has(hash));
    waits.push(arrived.then(({ at_ms }) => delays_ms.push(at_ms - sent_ms)));
    await sleep(1000 / OFFERED_PER_S);
  }
  await Promise.all(waits);

  await follower.stop();
  await source.stop();
  rmSync(home, { recursive: true });
  return {
    append: ENTRIES / append_s,
    append_cpu_us: (cpu.user + cpu.system) / ENTRIES,
    bytes,
    catch_up: (ENTRIES * 1000) / caughtUp.since_open_ms,
    catch_up_cpu_us: caughtUp.cpu_us / ENTRIES,
    live: ENTRIES / live_s,
    delays_ms,
  };
}

rmSync(directory, { recursive: true, force: true });
const versions = ["@orbitdb/core", "helia", "libp2p"].map((name) => `${name} ${installedVersion(name)}`);
const figures = new Figures("orbitdb", `${versions.join(", ")}, Node.js ${process.version}`);
figures.addLoad();
const runs = [];
for (let number = 0; number < RUNS; number += 1) runs.push(await run(number));
const of = (pick) => median(runs.map(pick));
const delays_ms = runs.flatMap((result) => result.delays_ms);

const one = `${ENTRIES} signed entries appended by one node, one after the other`;
const whole = `a second node opens the log of ${ENTRIES} entries and has all, each signature checked`;
const live = `${ENTRIES} entries appended at full speed while the second node listens, until it has the last`;
const way = `from append at one node until the second has it, ${OFFERED_PER_S} entries/s offered for ${OFFERED_FOR_S} s`;
figures.add("append", of((result) => result.append), "entries/s", `${one}; the disk is not waited for`);
figures.add("append_cpu", of((result) => result.append_cpu_us), "µs/entry", "CPU time of that node for an entry");
figures.add("entry", of((result) => result.bytes), "bytes", "the last of those entries, as it is stored and sent");
figures.add("catch_up", of((result) => result.catch_up), "entries/s", whole);
figures.add("catch_up_cpu", of((result) => result.catch_up_cpu_us), "µs/entry", "CPU time of the second node for an entry");
figures.add("live", of((result) => result.live), "entries/s", live);
figures.add("propagate_p50", quantile(delays_ms, 0.5), "ms", way);
figures.add("propagate_p95", quantile(delays_ms, 0.95), "ms", way);
figures.print();
