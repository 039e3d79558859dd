/** The conflict proof as it lies in a file (docs/conflict.cddl): its parts, unpacked and bounded, not yet believed. */
import { type NetworkParts, NewerVersion, readNetwork } from "../bundle.js";
import { type Hex, sha256, toHex } from "../bytes.js";
import { Reader } from "../cbor.js";
import { demand } from "../malformed.js";
import { byText, isAscending } from "../shape.js";

/** What a file holds. */
export interface ConflictProof {
  network: NetworkParts;
  claim: JournalFork | LaneConflict;
  /** All on which the claim rests, signed. */
  events: Uint8Array[];
}

/** Two events of one key on one link of its journal. */
export interface JournalFork {
  conflict: "journal_fork";
  /** What gave the key to an actor; the network id for a founder's. */
  keyEvent: Hex;
  rivals: [Uint8Array, Uint8Array];
}

/** Events of one lane of a lot that exclude each other. */
export interface LaneConflict {
  conflict: "lane_conflict";
  subject: Hex;
  lane: "main" | "title";
  tips: Hex[];
  /** Events that show where journals part. */
  journals: Uint8Array[];
}

/** Most bytes of a conflict proof. */
export const MAX_PROOF_BYTES = 8 * 1024 * 1024;

const MAX_EVENT_BYTES = 16_384;
const MAX_ANCESTORS = 16_384;
const MAX_TIPS = 16;
const MAX_JOURNAL_EVENTS = 1_024;

const PREFIX = "furrow/conflict/";

/** Whether a file means to be a conflict proof, of whatever version. */
export function isConflictProof(bytes: Uint8Array): boolean {
  return versionOf(bytes) !== undefined;
}

/** Reads a conflict proof; throws `Malformed`, or `NewerVersion` where it names a version above 1. */
export function readConflictProof(bytes: Uint8Array): ConflictProof {
  demand(bytes.length <= MAX_PROOF_BYTES, `the conflict proof has ${bytes.length} bytes, more than 8 MiB`);
  const version = versionOf(bytes);
  demand(version !== undefined, `the file does not begin with ${PREFIX}1`);
  if (version > 1) throw new NewerVersion(`the conflict proof has version ${version}; this program knows version 1`);
  const reader = new Reader(bytes);
  reader.tuple(4);
  reader.textString(1, 23);
  const network = readNetwork(reader);
  const claim = readClaim(reader);
  const events = signed(reader, 0, MAX_ANCESTORS);
  reader.end();
  return { network, claim, events };
}

/** The number behind the text with which a short array begins. */
function versionOf(bytes: Uint8Array): number | undefined {
  const [array = 0, text = 0] = bytes;
  if (array < 0x81 || array > 0x97 || text < 0x60 || text > 0x77) return undefined;
  const begin = String.fromCharCode(...bytes.subarray(2, 2 + text - 0x60));
  const isWhole = begin.length === text - 0x60;
  return isWhole && /^furrow\/conflict\/[1-9][0-9]*$/.test(begin) ? Number(begin.slice(PREFIX.length)) : undefined;
}

function readClaim(reader: Reader): JournalFork | LaneConflict {
  const parts = reader.tuple(3, 5);
  if (reader.uint(1) === 0) {
    demand(parts === 3, "the claim of a journal fork has 3 parts");
    const keyEvent = id(reader);
    const [first, second] = signed(reader, 2, 2);
    demand(byText(eventId(first!), eventId(second!)) < 0, "the two events of a fork are not ascending");
    return { conflict: "journal_fork", keyEvent, rivals: [first!, second!] };
  }
  demand(parts === 5, "the claim of a lane conflict has 5 parts");
  const subject = id(reader);
  const lane = reader.uint(1) === 0 ? "main" : "title";
  const tips = reader.list(2, MAX_TIPS, () => id(reader));
  demand(isAscending(tips, byText), "the events in conflict are not ascending");
  const journals = signed(reader, 0, MAX_JOURNAL_EVENTS);
  demand(isAscending(journals.map(eventId), byText), "the events of journals are not ascending");
  return { conflict: "lane_conflict", subject, lane, tips, journals };
}

function signed(reader: Reader, least: number, most: number): Uint8Array[] {
  return reader.list(least, most, () => reader.byteString(1, MAX_EVENT_BYTES));
}

function id(reader: Reader): Hex {
  return toHex(reader.byteString(32));
}

function eventId(bytes: Uint8Array): Hex {
  return toHex(sha256(bytes));
}
