// Verifies the whole history of one lot, without any code of the node that serves it.
//
//   node demo/verify.mjs --node http://127.0.0.1:7400 --lot ID --rpc http://127.0.0.1:8545 --network network.toml
//
// The node is asked for evidence only. Hashes, signatures, the hash chains of the lot's lanes, the
// enrolments up to a founder, the log's Merkle proofs and the commitments are computed here; the
// commitments are read from the contract through --rpc. Ends with 1 where anything does not hold.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { Contract, JsonRpcProvider, getAddress, keccak256, toBeHex, zeroPadValue } from 'ethers';
import { Tagged, concat, decode, encode } from './cbor.mjs';

const CONTENT_TYPE = 'application/vnd.furrow.event+cbor';
const ENROLLED = 10;
const UPDATED = 11;
const MAX_EVENTS = 10_000;
const MAX_DEPTH = 16;
const ABI = [
  'event Anchored(address indexed sender, bytes32 previous, uint256 blockNumber, uint256 timestamp, uint64 size, bytes32 logRoot, bytes32 stateRoot)',
  'function commitmentOf(address sender) view returns (bytes32)',
];

const { values: options } = parseArgs({
  options: {
    node: { type: 'string' },
    lot: { type: 'string' },
    rpc: { type: 'string' },
    network: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
for (const name of ['node', 'lot', 'rpc', 'network']) {
  if (!options[name]) {
    console.error(`--${name} is missing; see the top of this file`);
    process.exit(2);
  }
}

const checks = [];
const holds = (check, detail) => checks.push({ check, detail });
const must = (condition, message) => {
  if (!condition) throw new Error(message);
};

// ---- bytes and names

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const same = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

function base32(bytes) {
  let out = '';
  let bits = 0n;
  let count = 0;
  for (const byte of bytes) {
    bits = (bits << 8n) | BigInt(byte);
    count += 8;
    while (count >= 5) {
      count -= 5;
      out += ALPHABET[Number((bits >> BigInt(count)) & 31n)];
    }
  }
  return count > 0 ? out + ALPHABET[Number((bits << BigInt(5 - count)) & 31n)] : out;
}

function fromBase32(text) {
  must(/^[a-z2-7]{52}$/.test(text), `'${text}' is not an id`);
  let bits = 0n;
  for (const letter of text) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(letter));
  must((bits & 15n) === 0n, `'${text}' is not an id`);
  return Buffer.from((bits >> 4n).toString(16).padStart(64, '0'), 'hex');
}

// ---- what the node serves

async function get(path, accept = 'application/hal+json') {
  const response = await fetch(new URL(path, options.node), { headers: { accept } });
  must(response.ok, `the node answers ${response.status} to ${path}`);
  return accept === 'application/cose' ? new Uint8Array(await response.arrayBuffer()) : response.json();
}

async function all(path) {
  const items = [];
  for (let next = path; next; ) {
    const page = await get(next);
    const found = page._embedded?.item ?? [];
    items.push(...found);
    must(items.length <= MAX_EVENTS, 'the list is longer than this script reads');
    next = found.length > 0 ? page._links?.next?.href : undefined;
  }
  return items;
}

// ---- the network

function readNetwork() {
  const text = readFileSync(options.network, 'utf8');
  const field = (name) => {
    const value = text.match(new RegExp(`^${name}\\s*=\\s*(".*")\\s*$`, 'm'));
    must(value, `${options.network} has no ${name}`);
    return JSON.parse(value[1]);
  };
  const list = text.match(/^founders\s*=\s*\[([^\]]*)\]/m);
  must(list, `${options.network} has no founders`);
  const founders = [...list[1].matchAll(/"([a-z2-7]{52})"/g)].map((match) => fromBase32(match[1]));
  const definition = [field('name'), new Uint8Array(Buffer.from(field('nonce'), 'hex')), founders.map((key) => new Uint8Array(key))];
  const id = sha256(encode(['furrow/network/1', definition]));
  must(base32(id) === field('id'), 'the definition of the network does not make its id');
  return { id, founders };
}

// ---- events

const known = new Map();

/** Fetches an event by its id, checks hash, form and signature, and remembers it. */
async function event(id) {
  if (known.has(id)) return known.get(id);
  const bytes = await get(`/api/v1/events/${id}`, 'application/cose');
  must(base32(sha256(bytes)) === id, `event ${id}: the bytes have another SHA-256`);
  const outer = decode(bytes);
  must(outer instanceof Tagged && outer.tag === 18 && outer.value.length === 4, `event ${id} is no COSE_Sign1`);
  const [header, unprotected, payloadBytes, signature] = outer.value;
  must(unprotected instanceof Map && unprotected.size === 0, `event ${id} has an unprotected header`);
  const fields = decode(header);
  const key = fields.get(4);
  must(fields.get(1) === -8 && fields.get(3) === CONTENT_TYPE && key?.length === 32, `event ${id} has another header`);
  const signed = concat([Uint8Array.of(0x84), encode('Signature1'), encode(header), encode(new Uint8Array()), encode(payloadBytes)]);
  must(signature.length === 64 && ed25519.verify(signature, signed, key, { zip215: true }), `event ${id}: the signature does not hold`);
  const payload = decode(payloadBytes);
  must(same(payload.get(3), network.id), `event ${id} belongs to another network`);
  const read = { id, key, kind: payload.get(2), touches: payload.get(7), basis: payload.get(8), body: payload.get(9) };
  known.set(id, read);
  return read;
}

/** The id of the subject of a touch: the one that is named, or the one that is created here. */
function subject(of, index) {
  const named = of.touches[index][0];
  if (named) return base32(named);
  const number = Buffer.alloc(4);
  number.writeUInt32BE(index);
  return base32(sha256(concat([fromBase32(of.id), number])));
}

/** Follows the enrolments from an event's signer up to a founder. */
async function founderAbove(of, depth = 0) {
  if (network.founders.some((founder) => same(founder, of.key))) return depth;
  must(depth < MAX_DEPTH, 'the tree of enrolments is too deep');
  for (const id of of.basis.map(base32)) {
    if (id === base32(network.id)) continue;
    const basis = await event(id);
    if (basis.kind === ENROLLED && same(basis.body.get(1), of.key)) return founderAbove(basis, depth + 1);
  }
  throw new Error(`event ${of.id}: nobody enrolled the key that signed it`);
}

// ---- the log (RFC 9162)

const nodeHash = (left, right) => sha256(concat([Uint8Array.of(1), left, right]));

function rootFrom(entry, index, size, proof) {
  must(Number.isSafeInteger(index) && index >= 0 && index < size, 'the entry lies outside the log');
  let [node, last] = [BigInt(index), BigInt(size - 1)];
  let hash = sha256(concat([Uint8Array.of(0), entry]));
  for (const sibling of proof) {
    must(last > 0n, 'the proof is too long');
    if (node % 2n === 1n || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2n === 0n && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  must(last === 0n, 'the proof is too short');
  return hash;
}

// ---- the chain

/** Reads an anchor back from the chain and checks every value of it. */
async function checkAnchor(provider, anchor) {
  const { chainId } = await provider.getNetwork();
  must(chainId === BigInt(anchor.chain_id), `--rpc serves chain ${chainId}, the anchor is on ${anchor.chain_id}`);
  const contract = new Contract(anchor.contract, ABI, provider);
  const receipt = await provider.getTransactionReceipt(anchor.block.transaction);
  must(receipt?.status === 1, 'the transaction of the anchor was not mined, or failed');
  const log = receipt.logs.find((entry) => getAddress(entry.address) === getAddress(anchor.contract));
  const told = log && contract.interface.parseLog(log);
  must(told?.name === 'Anchored' && told.args.sender === getAddress(anchor.sender), 'the contract tells of no anchor of this sender');
  const block = await provider.getBlock(receipt.blockNumber);
  must(told.args.blockNumber === BigInt(block.number) && told.args.timestamp === BigInt(block.timestamp), 'the block is another');
  must(told.args.size === BigInt(anchor.size) && told.args.logRoot === `0x${anchor.log_root}`, 'size or root on the chain are others');
  const commitment = keccak256(log.data);
  const slot = keccak256(concat([Buffer.from(zeroPadValue(anchor.sender, 32).slice(2), 'hex'), new Uint8Array(32)]));
  const stored = zeroPadValue(toBeHex(BigInt(await provider.getStorage(anchor.contract, slot, block.number))), 32);
  must(stored === commitment, 'the contract stored another commitment at that block');

  // From there every later anchor of the sender follows, up to what the contract holds now.
  const later = await contract.queryFilter(contract.filters.Anchored(anchor.sender), block.number);
  let present = commitment;
  for (const entry of later.filter((entry) => entry.transactionHash !== anchor.block.transaction)) {
    must(entry.args.previous === present, 'the line of anchors is broken');
    must(entry.args.size > BigInt(anchor.size), 'a later anchor covers a shorter log');
    present = keccak256(entry.data);
  }
  must((await contract.commitmentOf(anchor.sender)) === present, 'the contract holds another commitment now');
  return { commitment, block: block.number, time: new Date(block.timestamp * 1000).toISOString() };
}

/** Finds the enrolled node that names this chain, contract and sender as its line of anchors. */
async function checkLine(anchor) {
  for (const actor of await all('/api/v1/actors?limit=200')) {
    if (!actor.node) continue;
    const events = await all(`/api/v1/actors/${actor.id}/events?limit=200`);
    const enrolment = typeof actor.enrolment === 'string' ? actor.enrolment : actor.enrolment?.id;
    const ids = events.filter((entry) => entry.kind === 'actor.updated').map((entry) => entry.id).concat(enrolment ?? []);
    for (const id of ids) {
      const told = await event(id);
      const details = told.kind === ENROLLED ? told.body.get(9) : told.kind === UPDATED ? told.body.get(4) : undefined;
      const line = details?.get(3);
      if (!line || BigInt(line[0]) !== BigInt(anchor.chain_id)) continue;
      if (hex(line[1]) !== anchor.contract.slice(2).toLowerCase() || hex(line[2]) !== anchor.sender.slice(2).toLowerCase()) continue;
      await founderAbove(told);
      return actor.display_name;
    }
  }
  throw new Error(`no enrolled node names ${anchor.sender} as the account of its log`);
}

// ---- the lot

let network;

async function verify() {
  network = readNetwork();
  holds('network', `its definition makes the id ${base32(network.id)}`);

  const history = await all(`/api/v1/produces/${options.lot}/history`);
  must(history.length > 0, 'the lot has no history');
  const events = [];
  for (const entry of history) events.push(await event(entry.id));
  holds('bytes', `${events.length} events, each with the SHA-256 that is its id`);
  holds('signatures', `${events.length} signatures hold (Ed25519, ZIP 215)`);

  let deepest = 0;
  for (const one of events) deepest = Math.max(deepest, await founderAbove(one));
  holds('signers', `each was enrolled, at most ${deepest} steps below a founder`);

  // The lot's id commits to its origin, and every link leads to an event that is shown: first for the
  // lot itself, then for the lot of which it was a part, and so on.
  const shown = new Set(events.map((one) => one.id));
  const lots = new Set([options.lot]);
  let links = 0;
  for (const lot of lots) {
    let created = false;
    for (const one of events) {
      const touched = one.touches.map(([named, , prev], index) => ({ id: subject(one, index), named, prev: prev.map(base32) }));
      for (const { id, named, prev } of touched) {
        if (id !== lot) continue;
        for (const link of prev) must(shown.has(link), `event ${one.id} extends ${link}, which the node does not show`);
        links += prev.length;
        if (named) continue;
        created = true;
        const parents = touched.filter((touch) => touch.named && touch.prev.every((link) => shown.has(link)));
        must(parents.length > 0 || !touched.some((touch) => touch.named), `the history of the lot from which ${lot} was taken is missing`);
        for (const parent of parents) lots.add(parent.id);
      }
    }
    must(created, `no event of the history creates lot ${lot}`);
  }
  holds('lanes', `${lots.size} lot ids commit to their origin, and ${links} links lead back without a gap`);

  const provider = new JsonRpcProvider(options.rpc, undefined, { staticNetwork: true });
  const anchors = new Map();
  for (const entry of history) {
    must(Number.isInteger(entry.proof?.anchor), `event ${entry.id} is not anchored yet`);
    const sequence = entry.proof.anchor;
    if (!anchors.has(sequence)) anchors.set(sequence, await get(`/api/v1/anchors/${sequence}`));
    const anchor = anchors.get(sequence);
    const proof = await get(`/api/v1/log/inclusion?event=${entry.id}&size=${anchor.size}`);
    const root = rootFrom(fromBase32(entry.id), proof.index, anchor.size, proof.proof.map((hash) => Buffer.from(hash, 'hex')));
    must(hex(root) === anchor.log_root, `event ${entry.id}: the proof leads to another root than the anchor's`);
  }
  holds('log', `${history.length} inclusion proofs (RFC 9162) lead to the roots of ${anchors.size} anchors`);

  for (const anchor of anchors.values()) {
    const name = await checkLine(anchor);
    const found = await checkAnchor(provider, anchor);
    holds('anchor', `${found.commitment} of ${name}, in block ${found.block} of ${found.time}, as the contract stored it`);
  }
  provider.destroy();
}

let failure;
try {
  await verify();
} catch (error) {
  failure = error.message;
}
if (options.json) {
  console.log(JSON.stringify({ lot: options.lot, verified: failure === undefined, failure, checks }));
} else {
  for (const { check, detail } of checks) console.log(`  ok      ${check.padEnd(11)} ${detail}`);
  console.log(failure === undefined ? `Lot ${options.lot} is verified.` : `  FAILED  ${failure}`);
}
process.exit(failure === undefined ? 0 : 1);
