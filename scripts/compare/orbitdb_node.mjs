// One OrbitDB node as its guide sets it up: libp2p over TCP with Noise, Yamux and gossipsub, Helia with its blocks
// in LevelDB. Started as a process of its own, it follows the database that its parent names.
import { mkdirSync } from "node:fs";
import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { gossipsub } from "@libp2p/gossipsub";
import { identify } from "@libp2p/identify";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { createOrbitDB } from "@orbitdb/core";
import { LevelBlockstore } from "blockstore-level";
import { createHelia } from "helia";
import { createLibp2p } from "libp2p";

export async function startNode(directory) {
  mkdirSync(directory, { recursive: true });
  const libp2p = await createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }) },
  });
  const ipfs = await createHelia({ libp2p, blockstore: new LevelBlockstore(`${directory}/blocks`) });
  const orbitdb = await createOrbitDB({ ipfs, directory: `${directory}/orbitdb` });
  return {
    libp2p,
    orbitdb,
    async stop() {
      await orbitdb.stop();
      await ipfs.stop();
    },
  };
}

/** Tells the parent of every entry that is verified and stored here, and how many there are when asked. */
async function follow(directory) {
  const node = await startNode(directory);
  let db;
  const answers = {
    async open({ peer, address }) {
      await node.libp2p.dial(multiaddr(peer));
      const begin = performance.now();
      const cpuBegin = process.cpuUsage();
      db = await node.orbitdb.open(address);
      const known = new Set();
      const tell = (hash) => {
        known.add(hash);
        const cpu = process.cpuUsage(cpuBegin);
        process.send({ stored: hash, at_ms: Date.now(), since_open_ms: performance.now() - begin, cpu_us: cpu.user + cpu.system });
      };
      db.events.on("update", async (entry) => {
        tell(entry.hash);
        // OrbitDB tells of a new head alone, also where it fetched and stored entries below it that no message brought.
        const below = [...entry.next];
        while (below.length > 0) {
          const hash = below.pop();
          if (known.has(hash)) continue;
          tell(hash);
          below.push(...(await db.log.get(hash)).next);
        }
      });
    },
    async count() {
      let entries = 0;
      for await (const _ of db.iterator()) entries += 1;
      process.send({ entries });
    },
    async stop() {
      await node.stop();
      process.exit(0);
    },
  };
  process.on("message", (message) => answers[message.ask](message));
  process.send({ ready: true });
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  await follow(process.argv[2]);
}
