/** Signed events: a payload in a `COSE_Sign1` (RFC 9052), read only in the one form that its content has. */
import { encodeBase58 } from "ethers/utils";
import { type Hex, bigEndian, equal, fromHex, idText, sha256, toHex, utf8 } from "../bytes.js";
import { type Cbor, CborMap, Tagged, decode, encode } from "../cbor.js";
import { verifySignature } from "../ed25519.js";
import { demand } from "../malformed.js";
import { Fields, type Read, array, bytes, id, number, tuple } from "../shape.js";
import { type Body, namedIn, readBody } from "./body.js";
import * as v from "./values.js";

/** A line of a subject's history: main, title, or the attester's actor id. */
export type Lane = "main" | "title" | Hex;

/** One subject that an event is about. */
export interface Touch {
  /** The subject; one that the event creates has its id from the event's. */
  subject: Hex;
  /** Whether this event creates it. */
  creates: boolean;
  lane: Lane;
  /** The tips that the event extends. */
  prev: Hex[];
}

/** An event that is well-formed and well signed. */
export interface SignedEvent {
  id: Hex;
  key: Hex;
  kind: number;
  network: Hex;
  time: number;
  journal: Hex;
  touches: Touch[];
  basis: Hex[];
  body: Body;
  /** The body as it stands in the bytes, for corrections and openings. */
  rawBody: Cbor;
  onBehalfOf: Hex | undefined;
  capturedBy: Hex | undefined;
  after: { chain: bigint; commitment: Hex } | undefined;
}

const CONTENT_TYPE = "application/vnd.furrow.event+cbor";
const COSE_SIGN1 = 18n;

/** Most touches, tips of one touch, and events of a basis. */
const [MAX_TOUCHES, MAX_PREV, MAX_BASIS] = [64, 16, 80];

/** The id of the subject that an event, or the network, creates with its touch number `index`. */
export function createdSubject(creator: Hex, index: number): Hex {
  return toHex(sha256(fromHex(creator), bigEndian(index, 4)));
}

/** Reads an event and verifies its signature; throws `Malformed`. */
export function readEvent(signed: Uint8Array): SignedEvent {
  const envelope = decode(signed);
  demand(envelope instanceof Tagged && envelope.tag === COSE_SIGN1, "the event is no COSE_Sign1");
  const [first, unprotected, third, fourth] = tuple(envelope.value, "the envelope", 4);
  const header = bytes(1, signed.length)(first!, "the protected header");
  demand(unprotected instanceof CborMap && unprotected.entries.length === 0, "the unprotected header is not empty");
  const payload = bytes(1, signed.length)(third!, "the payload");
  const signature = bytes(64)(fourth!, "the signature");

  const key = new Fields(decode(header), "the protected header", [1, 3, 4, 15]).get(4, bytes(32));
  const event = readPayload(decode(payload), toHex(sha256(signed)), toHex(key));
  // Everything in the header follows from key and payload, so it is made anew and compared.
  demand(equal(header, protectedHeader(key, event)), "the protected header does not fit key and payload");
  const structure = encode(["Signature1", header, new Uint8Array(0), payload]);
  demand(verifySignature(key, structure, signature), "the signature does not hold");
  return event;
}

function protectedHeader(key: Uint8Array, event: SignedEvent): Uint8Array {
  const first = event.touches[0]!;
  const subject = first.creates ? "new" : idText(first.subject);
  const claims = new CborMap([
    [1n, didKey(key)],
    [2n, `urn:furrow:${subject}`],
  ]);
  return encode(
    new CborMap([
      [1n, -8n],
      [3n, CONTENT_TYPE],
      [4n, key],
      [15n, claims],
    ]),
  );
}

/** `did:key` of an Ed25519 key: multibase base58btc of the multicodec 0xed and the key. */
function didKey(key: Uint8Array): string {
  return `did:key:z${encodeBase58(Uint8Array.of(0xed, 0x01, ...key))}`;
}

function readPayload(value: Cbor, eventId: Hex, key: Hex): SignedEvent {
  const fields = new Fields(value, "the payload", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  fields.get(1, number(1, 1));
  const kind = fields.get(2, number(0, 65_535));
  fields.maybe(5, v.occurred);
  fields.maybe(12, array(v.pair(64, 128), 1, 16));
  fields.maybe(14, v.textMap(v.free));
  const rawBody = fields.get(9, (item) => item);
  const touch: Read<Omit<Touch, "creates" | "subject"> & { named: Hex | undefined }> = (item, what) => {
    const [subject, lane, prev] = tuple(item, what, 3);
    return {
      named: subject === null ? undefined : id(subject!, what),
      lane: readLane(lane!, what),
      prev: v.ascendingIds(array(id, 0, MAX_PREV)(prev!, what), what),
    };
  };
  const touches = fields.get(7, array(touch, 1, MAX_TOUCHES)).map(({ named, lane, prev }, index) => ({
    subject: named ?? createdSubject(eventId, index),
    creates: named === undefined,
    lane,
    prev,
  }));
  checkTouches(touches);
  return {
    id: eventId,
    key,
    kind,
    network: fields.get(3, id),
    time: fields.get(4, v.timestamp),
    journal: fields.get(6, id),
    touches,
    basis: v.ascendingIds(fields.get(8, array(id, 1, MAX_BASIS)), "the basis"),
    body: readBody(kind, rawBody),
    rawBody,
    onBehalfOf: fields.maybe(10, id),
    capturedBy: fields.maybe(11, id),
    after: fields.maybe(13, v.after),
  };
}

function readLane(value: Cbor, what: string): Lane {
  if (value instanceof Uint8Array) return id(value, what);
  return number(0, 1)(value, `the lane of ${what}`) === 0 ? "main" : "title";
}

function checkTouches(touches: Touch[]): void {
  const named = new Set<string>();
  for (const touch of touches) {
    if (touch.creates) {
      demand(touch.lane === "main" && touch.prev.length === 0, "a new subject has a past, or another lane than main");
      continue;
    }
    demand(touch.lane !== "main" || touch.prev.length > 0, "a touch of a main lane extends nothing");
    const line = `${touch.subject} ${touch.lane}`;
    demand(!named.has(line), "a lane is touched twice");
    named.add(line);
  }
}

/** The ids of the events that must come before this one: tips, basis and what the body names; never the journal. */
export function ancestorsOf(event: SignedEvent): Hex[] {
  return [...event.touches.flatMap((touch) => touch.prev), ...event.basis, ...namedIn(event.body)];
}

/** The text's UTF-8 bytes decide the order of texts in lists. */
export function byBytes(a: string, b: string): number {
  const [left, right] = [toHex(utf8(a)), toHex(utf8(b))];
  return left < right ? -1 : left > right ? 1 : 0;
}
