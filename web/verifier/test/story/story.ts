/**
 * A story that ends in a bundle: a founder enrols a node, a cosigning node, a farmer and a buyer; the farmer registers a
 * lot at a place, part of it is sold. The log is anchored twice, first with storage evidence.
 */
import { encodeRlp } from "ethers/utils";
import { bigEndian, concat, fromHex, idText, sha256, toBase64, toHex, utf8 } from "../../src/bytes.js";
import { type Cbor, CborMap, encode } from "../../src/cbor.js";
import { anchorWords } from "../../src/checks/anchors.js";
import { keccak } from "../../src/keccak.js";
import { keyId } from "../../src/note.js";
import { type Key, type Made, type Said, ascending, keyOf, map, sign, signEvent } from "./signing.js";
import {
  type StateEntries,
  consistencyProof,
  inclusionPath,
  logRoot,
  stateProof,
  stateRoot,
  trieProof,
} from "./trees.js";

/** An actor of the story. */
export interface Actor {
  id: Uint8Array;
  key: Key;
  /** What its events name as their right. */
  basis: Uint8Array[];
  /** Its last event. */
  journal: Uint8Array;
  /** What gave the key; the network id for a founder. */
  keyEvent: Uint8Array;
  /** What was signed with the key, in order. */
  signed: Uint8Array[];
  enrolment: Uint8Array | undefined;
}

/** What is told, but for what the teller's own past settles. */
export type Telling = Omit<Said, "journal" | "basis"> & { extra?: Uint8Array[] };

export const CHAIN = 31_337;
export const CONTRACT = new Uint8Array(20).fill(0xc0);
export const SENDER = new Uint8Array(20).fill(0x5e);

/** Events in the order of the log, and the lanes that they make. */
export class Story {
  readonly founderKeys: Key[];
  readonly nonce = new Uint8Array(16).fill(7);
  readonly definition: Cbor[];
  readonly network: Uint8Array;
  readonly log: Uint8Array[];
  readonly events: { made: Made; said: Said }[] = [];
  readonly founders: Actor[];
  readonly founder: Actor;
  time = 1_790_000_000_000;

  /** A network with these founders. */
  constructor(names: string[] = ["founder"]) {
    this.founderKeys = names.map(keyOf);
    this.definition = ["Valle Verde", this.nonce, this.founderKeys.map((key) => key.public)];
    this.network = sha256(encode(["furrow/network/1", this.definition]));
    this.log = [this.network];
    this.founders = this.founderKeys.map((key, index) =>
      this.actor(key, sha256(this.network, bigEndian(index, 4)), this.network, undefined),
    );
    this.founder = this.founders[0]!;
  }

  private actor(key: Key, id: Uint8Array, keyEvent: Uint8Array, enrolment: Uint8Array | undefined): Actor {
    const basis = enrolment === undefined || enrolment === keyEvent ? [keyEvent] : [keyEvent, enrolment];
    return { id, key, basis, journal: keyEvent, keyEvent, signed: [], enrolment };
  }

  /** A body that gives a key, countersigned by it. */
  gives(kind: number, key: Key, actor: Uint8Array, fields: Record<number, Cbor | undefined> = {}): CborMap {
    const body = { 1: key.public, 2: 0n, ...fields };
    const signed = encode(["furrow/countersign/1", this.network, actor, BigInt(kind), map(body)]);
    return map({ ...body, 10: sign(key, signed) });
  }

  /** A further key of an actor, or the one that follows; the actor as it signs with it. */
  addKey(actor: Actor, name: string, kind: 12 | 13 = 12): Actor {
    const key = keyOf(name);
    const fields = kind === 13 ? { 3: [BigInt(actor.signed.length), logRoot(actor.signed)] } : {};
    const body = this.gives(kind, key, actor.id, fields);
    const prev = this.tipsOf(actor.id, 0n);
    const made = this.tell(actor, { kind, touches: [[actor.id, 0n, prev]], body });
    return this.actor(key, actor.id, made.id, actor.enrolment);
  }

  /** From above an actor gets another key, and old ones end. */
  replaceKey(by: Actor, actor: Actor, name: string, cuts: Cbor[]): Actor {
    const key = keyOf(name);
    const body = this.gives(14, key, actor.id, { 4: cuts });
    const touches: Said["touches"] = [[actor.id, 0n, this.tipsOf(actor.id, 0n)]];
    const made = this.tell(by, { kind: 14, touches, extra: [actor.enrolment!], body });
    return this.actor(key, actor.id, made.id, actor.enrolment);
  }

  /** The end of a key's journal after its first `count` events, but for later ones that stand. */
  cutAfter(actor: Actor, count: number, later: Uint8Array[] = []): Cbor[] {
    const kept = actor.signed.slice(0, count);
    return [actor.keyEvent, kept.at(-1) ?? actor.keyEvent, BigInt(count), logRoot(kept), ascending(later)];
  }

  /** That an event of the actor's journal lies before the end that the cutter makes after `count` events. */
  survival(cutter: Uint8Array, actor: Actor, event: Uint8Array, count: number): Cbor[] {
    const index = actor.signed.findIndex((id) => toHex(id) === toHex(event));
    return [cutter, actor.keyEvent, event, BigInt(index), inclusionPath(index, actor.signed.slice(0, count))];
  }

  /** The events of a lane that no other names. */
  tipsOf(subject: Uint8Array, lane: Cbor): Uint8Array[] {
    const tips = new Set<string>();
    for (const { made, said } of this.events) {
      said.touches.forEach(([, on, prev], index) => {
        if (toHex(made.subject(index)) !== toHex(subject) || toHex(encode(on)) !== toHex(encode(lane))) return;
        prev.forEach((id) => tips.delete(toHex(id)));
        tips.add(toHex(made.id));
      });
    }
    return [...tips].sort().map(fromHex);
  }

  /** Signs and logs an event; its basis holds the signer's right and `extra`. */
  tell(by: Actor, said: Telling): Made {
    const { extra = [], ...rest } = said;
    const basis = [...new Map([...by.basis, ...extra].map((id) => [toHex(id), id])).values()];
    const full: Said = { time: (this.time += 1000), ...rest, basis, journal: by.journal };
    const made = signEvent(this.network, by.key, full);
    by.journal = made.id;
    by.signed.push(made.id);
    this.log.push(made.id);
    this.events.push({ made, said: full });
    return made;
  }

  enrol(
    name: string,
    roles: number[],
    node?: { key: Key; anchors: boolean },
    by = this.founder,
    mayGive: number[] = [],
  ): Actor {
    const key = keyOf(name);
    const anchoring = node?.anchors ? [BigInt(CHAIN), CONTRACT, SENDER] : undefined;
    const body = {
      1: key.public,
      2: 0n,
      3: roles.map(BigInt),
      4: mayGive.map(BigInt),
      5: name,
      9: node && map({ 1: node.key.public, 2: `12D3KooW${name}`, 3: anchoring }),
    };
    const signed = encode(["furrow/countersign/1", this.network, by.id, 10n, map(body)]);
    const made = this.tell(by, {
      kind: 10,
      touches: [[null, 0n, []]],
      body: map({ ...body, 10: sign(key, signed) }),
    });
    return this.actor(key, made.subject(), made.id, made.id);
  }

  /** The state map after the first `size` entries of the log. */
  state(size = this.log.length): StateEntries {
    const lanes = new Map<string, Map<string, { lane: Cbor; tips: Set<string> }>>();
    for (const { made, said } of this.events.slice(0, size - 1)) {
      said.touches.forEach(([, lane, prev], index) => {
        const subject = toHex(made.subject(index));
        const ofSubject = lanes.get(subject) ?? new Map();
        lanes.set(subject, ofSubject);
        const name = toHex(encode(lane));
        const line = ofSubject.get(name) ?? { lane, tips: new Set() };
        ofSubject.set(name, line);
        prev.forEach((id) => line.tips.delete(toHex(id)));
        line.tips.add(toHex(made.id));
      });
    }
    const value = (lines: Map<string, { lane: Cbor; tips: Set<string> }>) =>
      sha256(encode(new CborMap([...lines.values()].map(({ lane, tips }) => [lane, [...tips].sort().map(fromHex)]))));
    return new Map([...lanes].map(([subject, lines]) => [subject, value(lines)]));
  }

  origin(logKey: Key): string {
    return `furrow/${idText(toHex(this.network))}/${idText(toHex(logKey.public))}`;
  }

  note(logKey: Key, cosigners: Key[]): string {
    return this.noteOn(logKey, stateRoot(this.state()), cosigners);
  }

  /** The checkpoint of the log as it is, with this root of the state map. */
  noteOn(logKey: Key, state: Uint8Array, cosigners: Key[] = []): string {
    const root = toBase64(logRoot(this.log));
    const text = `${this.origin(logKey)}\n${this.log.length}\n${root}\nfurrow/state/1 ${toBase64(state)}\n`;
    const line = (key: Key, type: number, signature: Uint8Array) =>
      `\u2014 ${this.origin(key)} ${toBase64(concat(keyId(this.origin(key), type, key.public), signature))}\n`;
    const cosigned = cosigners.map((key, index) => {
      const time = 1_790_000_500 + index;
      const message = utf8(`cosignature/v1\ntime ${time}\n${text}`);
      return line(key, 4, concat(bigEndian(time, 8), sign(key, message)));
    });
    return `${text}\n${line(logKey, 1, sign(logKey, utf8(text)))}${cosigned.join("")}`;
  }

  entries(): Cbor[] {
    return this.events.map(({ made }, at) => [BigInt(at + 1), made.bytes, inclusionPath(at + 1, this.log)]);
  }

  subjects(ids: Uint8Array[]): Cbor[] {
    const state = this.state();
    return ascending(ids).map((id) => {
      const { siblings, other } = stateProof(state, toHex(id));
      if (state.has(toHex(id))) return [id, siblings];
      return [id, siblings, other && [fromHex(other[0]), other[1]]];
    });
  }

  /** A bundle without anchors: these events, counted from 0, and these whole subjects. */
  bundle(
    lot: Uint8Array,
    whole: Uint8Array[],
    logKey: Key,
    events: (at: number) => boolean = () => true,
  ): Record<number, Cbor> {
    return {
      1: 1n,
      2: this.definition,
      3: lot,
      4: this.entries().filter((_, at) => events(at)),
      5: this.subjects(whole),
      6: this.note(logKey, []),
      7: [],
      8: [],
    };
  }

  anchor(
    size: number,
    number: number,
    previous: Uint8Array,
  ): { fields: Record<number, Cbor>; commitment: Uint8Array; words: Uint8Array } {
    const timestamp = 1_790_000_000 + (number - 100) * 12;
    const root = logRoot(this.log.slice(0, size));
    const state = stateRoot(this.state(size));
    const parts = {
      previous,
      number,
      timestamp,
      size,
      logRoot: root,
      stateRoot: state,
      consistency: undefined,
      evidence: undefined,
    };
    const words = anchorWords(parts);
    const fields = {
      1: previous,
      2: BigInt(number),
      3: BigInt(timestamp),
      4: BigInt(size),
      5: root,
      6: state,
      7: consistencyProof(size, this.log),
    };
    return { fields, commitment: keccak(words), words };
  }
}

/** RLP of a header with these fields in their places, and otherwise plausible ones. */
export function header(fields: {
  state?: Uint8Array;
  receipts?: Uint8Array;
  number: number;
  timestamp: number;
}): Uint8Array {
  const items: string[] = Array.from({ length: 17 }, () => `0x${"11".repeat(32)}`);
  const integer = (value: number) => `0x${toHex(bigEndian(value, 8)).replace(/^(00)+/, "")}`;
  if (fields.state) items[3] = `0x${toHex(fields.state)}`;
  if (fields.receipts) items[5] = `0x${toHex(fields.receipts)}`;
  items[8] = integer(fields.number);
  items[11] = integer(fields.timestamp);
  return fromHex(encodeRlp(items).slice(2));
}

/** Storage evidence that the contract holds `commitment` for the sender. */
export function storageEvidence(
  commitment: Uint8Array,
  number: number,
  timestamp: number,
): { evidence: Cbor; hash: string } {
  const slot = keccak(concat(new Uint8Array(12), SENDER, new Uint8Array(32)));
  const others = Array.from({ length: 40 }, (_, at): [string, Uint8Array] => [
    toHex(keccak(Uint8Array.of(at))),
    Uint8Array.of(at + 1),
  ]);
  const stored = fromHex(encodeRlp(commitment).slice(2));
  const storage = trieProof(new Map([...others, [toHex(keccak(slot)), stored]]), toHex(keccak(slot)));
  const account = fromHex(encodeRlp(["0x01", "0x", `0x${toHex(storage.root)}`, `0x${"22".repeat(32)}`]).slice(2));
  const accounts = trieProof(new Map([...others, [toHex(keccak(CONTRACT)), account]]), toHex(keccak(CONTRACT)));
  const block = header({ state: accounts.root, number, timestamp });
  return { evidence: [block, accounts.nodes, storage.nodes], hash: `0x${toHex(keccak(block))}` };
}

/** Receipt evidence that the contract told of the anchor with these words, as transaction 3 and log 1. */
export function receiptEvidence(
  words: Uint8Array,
  number: number,
  timestamp: number,
): { evidence: Cbor; hash: string } {
  const hex = (bytes: Uint8Array) => `0x${toHex(bytes)}`;
  const topic = keccak(utf8("Anchored(address,bytes32,uint256,uint256,uint64,bytes32,bytes32)"));
  const log = [hex(CONTRACT), [hex(topic), hex(concat(new Uint8Array(12), SENDER))], hex(words)];
  const foreign = [hex(SENDER), [], "0x"];
  const list = encodeRlp(["0x01", "0x5208", `0x${"00".repeat(256)}`, [foreign, log]] as never);
  const receipt = concat(Uint8Array.of(2), fromHex(list.slice(2)));
  const receipts = trieProof(
    new Map([
      ["01", Uint8Array.of(9)],
      ["02", Uint8Array.of(8, 8)],
      ["03", receipt],
      ["80", Uint8Array.of(7)],
    ]),
    "03",
  );
  const block = header({ receipts: receipts.root, number, timestamp });
  return { evidence: [block, receipts.nodes, 3n, 1n], hash: hex(keccak(block)) };
}

/** A finished story, and its bundle's fields by number. */
export interface Told {
  story: Story;
  fields: Record<number, Cbor>;
  blocks: string[];
  actors: Record<"node" | "witness" | "farmer" | "buyer", Actor>;
  lot: Uint8Array;
  part: Uint8Array;
}

const KG = (value: number) => [BigInt(value), 1n, "KGM"];

/** Tells the whole story; `updates` more prices make it longer. */
export function tellStory(updates = 1): Told {
  const story = new Story();
  const [logKey, witnessKey] = [keyOf("log of the node"), keyOf("log of the witness")];
  const node = story.enrol("node", [3], { key: logKey, anchors: true });
  const witness = story.enrol("witness", [3], { key: witnessKey, anchors: false });
  const farmer = story.enrol("farmer", [2]);
  const buyer = story.enrol("buyer", [6]);
  const place = story.tell(farmer, {
    kind: 20,
    touches: [[null, 0n, []]],
    body: map({ 1: "farm", 2: new CborMap([["en", "Upper Field"]]), 4: [441_200_000n, -9_900_000n], 9: "ES" }),
  });
  const early = story.log.length;
  const first = story.anchor(early, 100, new Uint8Array(32));
  const salt = new Uint8Array(16).fill(9);
  const price = encode([125n, "EUR", "KGM"]);
  const sealed = sha256(encode(["furrow/seal/1", farmer.key.public, farmer.journal, [11n], salt, price]));
  const produce = story.tell(farmer, {
    kind: 30,
    touches: [[null, 0n, []]],
    extra: [place.id],
    after: [BigInt(CHAIN), first.commitment],
    body: map({
      1: ["HS", "0808.10"],
      2: new CborMap([
        ["en", "Apples"],
        ["es", "Manzanas"],
      ]),
      4: [place.subject()],
      5: [20_700n, 20_701n],
      6: [10_000n, 1n, "KGM", 50n],
      7: ["furrow", "A"],
      8: map({ 1: "06291041500213", 2: "L-7" }),
      11: sealed,
    }),
  });
  const lot = produce.subject();
  let tip = produce;
  for (let at = 0; at < updates; at++) {
    tip = story.tell(farmer, {
      kind: 35,
      touches: [[lot, 0n, [tip.id]]],
      body: map({ 1: [BigInt(100 + at), "EUR", "KGM"] }),
    });
  }
  const offer = story.tell(farmer, {
    kind: 50,
    touches: [
      [lot, 0n, [tip.id]],
      [null, 0n, []],
    ],
    extra: [buyer.enrolment!],
    body: map({ 1: [[lot, KG(4_000)]], 2: [0n, buyer.id], 3: 3n, 9: 1_790_000_000_000n }),
  });
  const part = offer.subject(1);
  const accepted = story.tell(buyer, {
    kind: 51,
    touches: [
      [part, 0n, [offer.id]],
      [null, 0n, []],
    ],
    body: map({ 1: offer.id, 2: [map({ 1: KG(3_500), 2: KG(500), 4: "bruised" })] }),
  });
  story.tell(buyer, { kind: 38, touches: [[part, 0n, [accepted.id]]], body: map({ 1: KG(100), 2: 1n }) });
  story.tell(farmer, {
    kind: 100,
    touches: [[lot, farmer.id, []]],
    body: map({ 1: produce.id, 2: "wrong variety", 3: map({ 3: "Reineta" }) }),
  });
  const size = story.log.length;
  const second = story.anchor(size, 200, first.commitment);
  const storage = storageEvidence(second.commitment, 201, 1_790_002_500);
  const receipt = receiptEvidence(first.words, 100, 1_790_000_000);
  // The proof of consistency leads to the log as it is now.
  const { fields: firstFields } = story.anchor(early, 100, new Uint8Array(32));
  const anchors = [map({ ...firstFields, 8: receipt.evidence }), map({ ...second.fields, 8: storage.evidence })];
  const whole = [part, lot, story.network, story.founder.id, farmer.id, buyer.id, node.id, witness.id];
  const fields: Record<number, Cbor> = {
    1: 1n,
    2: story.definition,
    3: part,
    4: story.entries(),
    5: story.subjects(whole),
    6: story.note(logKey, [witnessKey]),
    7: [[node.id, [BigInt(CHAIN), CONTRACT, SENDER], anchors]],
    8: [[produce.id, [11n], salt, price]],
  };
  return { story, fields, blocks: [receipt.hash, storage.hash], actors: { node, witness, farmer, buyer }, lot, part };
}

/** The bytes of a bundle. */
export function bundleOf(fields: Record<number, Cbor>): Uint8Array {
  return encode(map(fields));
}
