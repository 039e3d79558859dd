/** The bundle as it lies in a file (docs/bundle.cddl): its parts, unpacked and bounded, not yet believed. */
import { type Hex, toHex } from "./bytes.js";
import { Reader } from "./cbor.js";
import { Malformed, demand } from "./malformed.js";
import { byText, isAscending } from "./shape.js";

/** That an event lies before the end of its key's journal. */
export interface Survival {
  /** The event that ends the journal. */
  cutter: Hex;
  /** The event that gave the key; the network id for a founder's. */
  keyEvent: Hex;
  event: Hex;
  /** In the journal. */
  index: number;
  path: Uint8Array[];
}

/** What a bundle holds. */
export interface Bundle {
  network: NetworkParts;
  lot: Hex;
  entries: Entry[];
  subjects: SubjectProof[];
  checkpoint: string;
  lines: AnchorLine[];
  openings: Opening[];
  /** Parent lots whose histories are left out; absent unless the bundle is shallow. */
  leftOut: Hex[] | undefined;
  survivals: Survival[];
}

/** The definition of a network. */
export interface NetworkParts {
  name: string;
  nonce: Uint8Array;
  founders: Uint8Array[];
}

/** An event with its place in the log. */
export interface Entry {
  index: number;
  event: Uint8Array;
  path: Uint8Array[];
}

/** What leads from a subject to the root of the state map. */
export interface SubjectProof {
  subject: Hex;
  siblings: Uint8Array[];
  /** Absent where the subject is there; null where its place is empty; else the leaf that stands there. */
  absence: undefined | null | { key: Uint8Array; value: Uint8Array };
}

/** Anchors of one sender, oldest first. */
export interface AnchorLine {
  node: Hex;
  chain: number;
  contract: Uint8Array;
  sender: Uint8Array;
  anchors: Anchor[];
}

/** What a sender committed to. */
export interface Anchor {
  previous: Uint8Array;
  number: number;
  timestamp: number;
  size: number;
  logRoot: Uint8Array;
  stateRoot: Uint8Array;
  consistency: Uint8Array[] | undefined;
  evidence: Evidence | undefined;
}

/** What ties an anchor to a block. */
export type Evidence =
  | { kind: "storage"; header: Uint8Array; account: Uint8Array[]; slot: Uint8Array[] }
  | { kind: "receipt"; header: Uint8Array; receipt: Uint8Array[]; transaction: number; log: number };

/** What opens a sealed field. */
export interface Opening {
  event: Hex;
  path: number[];
  salt: Uint8Array;
  value: Uint8Array;
}

/** Most bytes of a bundle. */
export const MAX_BUNDLE_BYTES = 32 * 1024 * 1024;

/** Most events, subjects and openings: what 32 MiB can hold, rounded up. */
const MAX_ENTRIES = 65_536;

/** Longest Merkle path: a tree of 2^64 leaves. */
const MAX_PATH = 64;

/** A bundle of a version that this program does not know. */
export class NewerVersion extends Malformed {}

/** Reads a bundle; throws `Malformed`, or `NewerVersion` where its first field is a version above 1. */
export function readBundle(bytes: Uint8Array): Bundle {
  demand(bytes.length <= MAX_BUNDLE_BYTES, `the bundle has ${bytes.length} bytes, more than 32 MiB`);
  const reader = new Reader(bytes);
  const parts: Partial<Bundle> = {};
  let version: number | undefined;
  reader.fields((key) => {
    demand(key === 1 || version !== undefined, "a bundle begins with field 1, its version");
    switch (key) {
      case 1:
        version = readVersion(reader);
        break;
      case 2:
        parts.network = readNetwork(reader);
        break;
      case 3:
        parts.lot = hash32(reader);
        break;
      case 4:
        parts.entries = reader.list(1, MAX_ENTRIES, () => readEntry(reader));
        break;
      case 5:
        parts.subjects = reader.list(1, MAX_ENTRIES, () => readSubject(reader));
        break;
      case 6:
        parts.checkpoint = reader.textString(1, 65_536);
        break;
      case 7:
        parts.lines = reader.list(0, 64, () => readLine(reader));
        break;
      case 8:
        parts.openings = reader.list(0, MAX_ENTRIES, () => readOpening(reader));
        break;
      case 9:
        parts.leftOut = reader.list(1, MAX_ENTRIES, () => hash32(reader));
        break;
      case 10:
        parts.survivals = reader.list(1, MAX_ENTRIES, () => readSurvival(reader));
        break;
      default:
        demand(false, `a bundle has no field ${key}`);
    }
  });
  reader.end();
  return complete(parts);
}

function complete(parts: Partial<Bundle>): Bundle {
  const { network, lot, entries, subjects, checkpoint, lines, openings, leftOut, survivals = [] } = parts;
  demand(
    network !== undefined && lot !== undefined && entries !== undefined,
    "field 2, 3 or 4 of the bundle is missing",
  );
  demand(subjects !== undefined && checkpoint !== undefined, "field 5 or 6 of the bundle is missing");
  demand(lines !== undefined && openings !== undefined, "field 7 or 8 of the bundle is missing");
  demand(
    isAscending(entries, (a, b) => a.index - b.index),
    "the entries are not ascending by index",
  );
  demand(
    isAscending(subjects, (a, b) => byText(a.subject, b.subject)),
    "the subjects are not ascending",
  );
  demand(isAscending(openings, byEventThenPath), "the openings are not ascending by event and path");
  demand(leftOut === undefined || isAscending(leftOut, byText), "the lots left out are not ascending");
  demand(isAscending(survivals, byCutter), "the survivals are not ascending by cutter, key event and event");
  return { network, lot, entries, subjects, checkpoint, lines, openings, leftOut, survivals };
}

function byCutter(a: Survival, b: Survival): number {
  return byText(a.cutter, b.cutter) || byText(a.keyEvent, b.keyEvent) || byText(a.event, b.event);
}

function byEventThenPath(a: Opening, b: Opening): number {
  if (a.event !== b.event) return byText(a.event, b.event);
  const differing = a.path.findIndex((step, index) => step !== b.path[index]);
  if (differing < 0 || differing >= b.path.length) return a.path.length - b.path.length;
  return a.path[differing]! - b.path[differing]!;
}

function readVersion(reader: Reader): number {
  const [major, version] = reader.head();
  demand(major === 0, "the version is no unsigned integer");
  if (version > 1n) throw new NewerVersion(`the bundle has version ${version}; this program knows version 1`);
  demand(version === 1n, "there is no version 0");
  return 1;
}

/** Reads the definition of a network. */
export function readNetwork(reader: Reader): NetworkParts {
  reader.tuple(3);
  return {
    name: reader.textString(0, MAX_BUNDLE_BYTES),
    nonce: reader.byteString(16),
    founders: reader.list(1, 64, () => reader.byteString(32)),
  };
}

function readEntry(reader: Reader): Entry {
  reader.tuple(3);
  const index = reader.uint();
  demand(index >= 1, "an entry has index 0, which is that of the network id");
  return { index, event: reader.byteString(1, 16_384), path: hashes(reader, 0, MAX_PATH) };
}

function readSubject(reader: Reader): SubjectProof {
  const parts = reader.tuple(2, 3);
  const subject = hash32(reader);
  const siblings = hashes(reader, 0, 256);
  if (parts === 2) return { subject, siblings, absence: undefined };
  if (reader.isNull()) return { subject, siblings, absence: null };
  reader.tuple(2);
  return { subject, siblings, absence: { key: reader.byteString(32), value: reader.byteString(32) } };
}

function readLine(reader: Reader): AnchorLine {
  reader.tuple(3);
  const node = hash32(reader);
  reader.tuple(3);
  const [chain, contract, sender] = [reader.uint(), reader.byteString(20), reader.byteString(20)];
  return { node, chain, contract, sender, anchors: reader.list(1, 4096, () => readAnchor(reader)) };
}

function readAnchor(reader: Reader): Anchor {
  const parts: Partial<Anchor> = {};
  reader.fields((key) => {
    switch (key) {
      case 1:
        parts.previous = reader.byteString(32);
        break;
      case 2:
        parts.number = reader.uint();
        break;
      case 3:
        parts.timestamp = reader.uint();
        break;
      case 4:
        parts.size = reader.uint();
        break;
      case 5:
        parts.logRoot = reader.byteString(32);
        break;
      case 6:
        parts.stateRoot = reader.byteString(32);
        break;
      case 7:
        parts.consistency = hashes(reader, 0, MAX_PATH);
        break;
      case 8:
        parts.evidence = readEvidence(reader);
        break;
      default:
        demand(false, `an anchor has no field ${key}`);
    }
  });
  const { previous, number, timestamp, size, logRoot, stateRoot, consistency, evidence } = parts;
  demand(
    previous !== undefined && number !== undefined && timestamp !== undefined,
    "field 1, 2 or 3 of an anchor is missing",
  );
  demand(
    size !== undefined && logRoot !== undefined && stateRoot !== undefined,
    "field 4, 5 or 6 of an anchor is missing",
  );
  return { previous, number, timestamp, size, logRoot, stateRoot, consistency, evidence };
}

function readEvidence(reader: Reader): Evidence {
  const parts = reader.tuple(3, 4);
  const header = reader.byteString(1, 4096);
  const first = trieNodes(reader);
  if (parts === 3) return { kind: "storage", header, account: first, slot: trieNodes(reader) };
  return { kind: "receipt", header, receipt: first, transaction: reader.uint(), log: reader.uint() };
}

function trieNodes(reader: Reader): Uint8Array[] {
  return reader.list(1, 64, () => reader.byteString(1, 16_384));
}

function readOpening(reader: Reader): Opening {
  reader.tuple(4);
  return {
    event: hash32(reader),
    path: reader.list(1, 4, () => reader.uint(255)),
    salt: reader.byteString(16),
    value: reader.byteString(1, 16_384),
  };
}

function readSurvival(reader: Reader): Survival {
  reader.tuple(5);
  const [cutter, keyEvent, event] = [hash32(reader), hash32(reader), hash32(reader)];
  return { cutter, keyEvent, event, index: reader.uint(), path: hashes(reader, 0, MAX_PATH) };
}

function hash32(reader: Reader): Hex {
  return toHex(reader.byteString(32));
}

function hashes(reader: Reader, least: number, most: number): Uint8Array[] {
  return reader.list(least, most, () => reader.byteString(32));
}
