/** What an event says, by kind (docs/event.cddl). Fields that no rule reads are checked for form and let go. */
import { type Hex, toHex } from "../bytes.js";
import type { Cbor } from "../cbor.js";
import { CborMap } from "../cbor.js";
import { demand } from "../malformed.js";
import { Fields, type Read, array, bytes, id, number, tuple, uint64 } from "../shape.js";
import { type Quantity, quantity } from "./quantity.js";
import * as v from "./values.js";

/** What others must know of a node. */
export interface NodeDetails {
  logKey: Hex;
  anchoring: { chain: bigint; contract: Hex; sender: Hex } | undefined;
}

/** An actor comes in. */
export interface ActorEnrolled {
  kind: "actor.enrolled";
  key: Uint8Array;
  keyHex: Hex;
  roles: number[];
  mayGive: number[];
  prefixes: string[];
  node: NodeDetails | undefined;
  countersignature: Uint8Array;
  /** The body's fields without the countersignature, as they are signed by the new key. */
  countersigned: Cbor;
}

/** An actor tells what changed. */
export interface ActorUpdated {
  kind: "actor.updated";
  prefixes: string[];
  node: NodeDetails | undefined;
  isEmpty: boolean;
}

/** A place comes in. */
export interface PlaceRegistered {
  kind: "place.registered";
  point: v.Coordinates | undefined;
  exactPointIsOpen: boolean;
  parent: Hex | undefined;
  country: string | undefined;
}

/** A lot comes into being. */
export interface ProduceRegistered {
  kind: "produce.registered";
  places: Hex[];
  quantity: Quantity;
  claims: string[];
}

/** A lot is somewhere else now. */
export interface ProduceMoved {
  kind: "produce.moved";
  place: Hex;
}

/** Something is told that moves nothing: a grade or a price. */
export interface ProduceTold {
  kind: "produce.quality_updated" | "produce.price_updated";
}

/** A quantity leaves the chain. */
export interface ProduceRetired {
  kind: "produce.retired";
  quantity: Quantity;
}

/** Lots, or parts of them, are offered. */
export interface TransferOffered {
  kind: "transfer.offered";
  lines: { lot: Hex; quantity: Quantity }[];
  /** The actor that must accept; nobody where it goes outside the network. */
  to: Hex | undefined;
  /** 1 possession, 2 title, 3 both. */
  moves: number;
  carrier: Hex | undefined;
  fromPlace: Hex | undefined;
  toPlace: Hex | undefined;
  temperature: [bigint, bigint] | undefined;
  expires: number | undefined;
  returns: Hex | undefined;
}

/** The answer to one line of an offer. */
export interface AcceptedLine {
  received: Quantity;
  rejected: Quantity | undefined;
  lost: Quantity | undefined;
}

/** The addressee takes over. */
export interface TransferAccepted {
  kind: "transfer.accepted";
  offer: Hex;
  lines: AcceptedLine[];
}

/** Nothing changes hands. */
export interface TransferClosed {
  kind: "transfer.declined" | "transfer.cancelled";
  offer: Hex;
}

/** Values that replace those of an earlier event. */
export interface EventCorrected {
  kind: "event.corrected";
  target: Hex;
  /** Field number → new value, null to take the field away. */
  replacement: Map<number, Cbor>;
}

/** A kind for which there are no rules. */
export interface OtherBody {
  kind: "other";
}

/** A body that was understood. */
export type Body =
  | ActorEnrolled
  | ActorUpdated
  | PlaceRegistered
  | ProduceRegistered
  | ProduceMoved
  | ProduceTold
  | ProduceRetired
  | TransferOffered
  | TransferAccepted
  | TransferClosed
  | EventCorrected
  | OtherBody;

/** Reads the body of an event of this kind. */
export function readBody(kind: number, value: Cbor): Body {
  switch (kind) {
    case 10:
      return readEnrolled(value);
    case 11:
      return readUpdated(value);
    case 20:
      return readPlace(value);
    case 30:
      return readProduce(value);
    case 32:
      return { kind: "produce.moved", place: new Fields(value, "the body", [1]).get(1, id) };
    case 34:
      return readTold(value, "produce.quality_updated", v.grade);
    case 35:
      return readTold(value, "produce.price_updated", v.sealable(v.price));
    case 38:
      return readRetired(value);
    case 50:
      return readOffered(value);
    case 51:
      return readAccepted(value);
    case 52:
      return readClosed(value, "transfer.declined");
    case 53:
      return readClosed(value, "transfer.cancelled");
    case 100:
      return readCorrected(value);
    default:
      v.free(value, "the body");
      return { kind: "other" };
  }
}

const role = number(1, 12);
const roles = array(role, 0);
const personalName = v.sealable(v.text(128));
const prefixes = array(v.gs1Prefix, 0);

const node: Read<NodeDetails> = (value, what) => {
  const fields = new Fields(value, what, [1, 2, 3]);
  fields.get(2, v.text(128));
  return { logKey: fields.get(1, id), anchoring: fields.maybe(3, anchoring) };
};

const anchoring: Read<NonNullable<NodeDetails["anchoring"]>> = (value, what) => {
  const [chain, contract, sender] = tuple(value, what, 3);
  return {
    chain: uint64(chain!, what),
    contract: toHex(bytes(20)(contract!, what)),
    sender: toHex(bytes(20)(sender!, what)),
  };
};

function readEnrolled(value: Cbor): ActorEnrolled {
  const fields = new Fields(value, "the body", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  fields.get(2, number(0, 1));
  fields.get(5, v.text(128));
  fields.maybe(6, personalName);
  fields.maybe(7, v.gln);
  const key = fields.get(1, bytes(32));
  return {
    kind: "actor.enrolled",
    key,
    keyHex: toHex(key),
    roles: fields.get(3, roles),
    mayGive: fields.get(4, roles),
    prefixes: fields.maybe(8, prefixes) ?? [],
    node: fields.maybe(9, node),
    countersignature: fields.get(10, bytes(64)),
    countersigned: new CborMap((value as CborMap).entries.filter(([key]) => key !== 10n)),
  };
}

function readUpdated(value: Cbor): ActorUpdated {
  const fields = new Fields(value, "the body", [1, 2, 3, 4]);
  fields.maybe(1, v.text(128));
  fields.maybe(2, v.gln);
  return {
    kind: "actor.updated",
    prefixes: fields.maybe(3, prefixes) ?? [],
    node: fields.maybe(4, node),
    isEmpty: (value as CborMap).entries.length === 0,
  };
}

function readPlace(value: Cbor): PlaceRegistered {
  const fields = new Fields(value, "the body", [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  fields.get(1, v.text(64));
  fields.get(2, v.langText);
  fields.maybe(3, v.gln);
  fields.maybe(6, v.document);
  fields.maybe(7, uint64);
  const exact = fields.maybe(5, v.sealable(v.coordinates));
  return {
    kind: "place.registered",
    point: fields.maybe(4, v.coordinates),
    exactPointIsOpen: exact !== undefined && exact.sealed === undefined,
    parent: fields.maybe(8, id),
    country: fields.maybe(9, v.text(2)),
  };
}

const codes: Read<void> = (value, what) => {
  const fields = new Fields(value, what, [1, 2, 3]);
  fields.maybe(1, v.gtin);
  fields.maybe(2, v.text(20));
  fields.maybe(3, v.text(64));
};

function readProduce(value: Cbor): ProduceRegistered {
  const fields = new Fields(value, "the body", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  fields.get(1, v.pair(32, 32));
  fields.get(2, v.langText);
  fields.maybe(3, v.text(128));
  fields.maybe(5, v.dateRange);
  fields.maybe(7, v.grade);
  fields.maybe(8, codes);
  fields.maybe(10, personalName);
  fields.maybe(11, v.sealable(v.price));
  return {
    kind: "produce.registered",
    places: fields.get(4, array(id, 0)),
    quantity: fields.get(6, quantity),
    claims: fields.maybe(9, array(v.text(128), 0)) ?? [],
  };
}

function readTold(value: Cbor, kind: ProduceTold["kind"], told: Read<unknown>): ProduceTold {
  const fields = new Fields(value, "the body", [1, 2]);
  fields.get(1, told);
  fields.maybe(2, v.text(512));
  return { kind };
}

function readRetired(value: Cbor): ProduceRetired {
  const fields = new Fields(value, "the body", [1, 2]);
  fields.get(2, number(1, 4));
  return { kind: "produce.retired", quantity: fields.get(1, quantity) };
}

const offeredLine: Read<TransferOffered["lines"][number]> = (value, what) => {
  const [lot, amount] = tuple(value, what, 2);
  return { lot: id(lot!, what), quantity: quantity(amount!, what) };
};

const recipient: Read<{ actor: Hex | undefined }> = (value, what) => {
  const [form, party] = tuple(value, what, 2);
  switch (number(0, 2)(form!, what)) {
    case 0:
      return { actor: id(party!, what) };
    case 1:
      v.gln(party!, what);
      break;
    default:
      personalName(party!, what);
  }
  return { actor: undefined };
};

function readOffered(value: Cbor): TransferOffered {
  const fields = new Fields(value, "the body", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  fields.maybe(8, v.sealable(v.price));
  return {
    kind: "transfer.offered",
    lines: fields.get(1, array(offeredLine, 0)),
    to: fields.get(2, recipient).actor,
    moves: fields.get(3, number(1, 3)),
    carrier: fields.maybe(4, id),
    fromPlace: fields.maybe(5, id),
    toPlace: fields.maybe(6, id),
    temperature: fields.maybe(7, v.temperature),
    expires: fields.maybe(9, v.timestamp),
    returns: fields.maybe(10, id),
  };
}

const acceptedLine: Read<AcceptedLine> = (value, what) => {
  const fields = new Fields(value, what, [1, 2, 3, 4]);
  fields.maybe(4, v.text(512));
  return { received: fields.get(1, quantity), rejected: fields.maybe(2, quantity), lost: fields.maybe(3, quantity) };
};

function readAccepted(value: Cbor): TransferAccepted {
  const fields = new Fields(value, "the body", [1, 2]);
  return { kind: "transfer.accepted", offer: fields.get(1, id), lines: fields.get(2, array(acceptedLine, 0)) };
}

function readClosed(value: Cbor, kind: TransferClosed["kind"]): TransferClosed {
  const fields = new Fields(value, "the body", [1, 2]);
  fields.maybe(2, v.text(512));
  return { kind, offer: fields.get(1, id) };
}

const replacement: Read<Map<number, Cbor>> = (value, what) => {
  demand(value instanceof CborMap, `${what} is no map`);
  return new Map(value.entries.map(([key, item]) => [number(0, 255)(key, `a key of ${what}`), v.free(item, what)]));
};

function readCorrected(value: Cbor): EventCorrected {
  const fields = new Fields(value, "the body", [1, 2, 3]);
  fields.get(2, v.text(512));
  return { kind: "event.corrected", target: fields.get(1, id), replacement: fields.get(3, replacement) };
}
