/** Forms that bodies of several kinds share. */
import { type Hex, toHex } from "../../bytes.js";
import type { Cbor } from "../../cbor.js";
import { Fields, type Read, array, bytes, id, tuple, uint64 } from "../../shape.js";
import { type Quantity, quantity } from "../quantity.js";
import * as v from "../values.js";

/** A name that may be sealed. */
export const personalName = v.sealable(v.text(128));

/** GS1 company prefixes; their number and order is a rule. */
export const prefixes = array(v.gs1Prefix, 0);

/** Claims about produce; their number and order is a rule. */
export const claims = array(v.text(128), 0);

/** The fields of a body. */
export function fieldsOf(value: Cbor, last: number): Fields {
  return new Fields(
    value,
    "the body",
    Array.from({ length: last }, (_, index) => index + 1),
  );
}

/** GTIN, label lot and traceability lot code; gives how many of them there are. */
export const codes: Read<number> = (value, what) => {
  const fields = new Fields(value, what, [1, 2, 3]);
  fields.maybe(1, v.gtin);
  fields.maybe(2, v.text(20));
  fields.maybe(3, v.text(64));
  return fields.size;
};

/** A lot, and how much of it. */
export interface Line {
  lot: Hex;
  quantity: Quantity;
}

/** Reads `[lot, quantity]`. */
export const line: Read<Line> = (value, what) => {
  const [lot, amount] = tuple(value, what, 2);
  return { lot: id(lot!, what), quantity: quantity(amount!, what) };
};

/** The end of a key's journal. */
export interface Cut {
  /** The event that gave the key; the network id for a founder's. */
  keyEvent: Hex;
  /** The last event that counts; the one that gave the key, if none does. */
  last: Hex;
  count: bigint;
  /** The RFC 9162 root over the ids of those that count. */
  root: Uint8Array;
  /** Later events that stand. */
  later: Hex[];
}

export const cut: Read<Cut> = (value, what) => {
  const [keyEvent, last, count, root, later] = tuple(value, what, 5);
  return {
    keyEvent: id(keyEvent!, what),
    last: id(last!, what),
    count: uint64(count!, what),
    root: bytes(32)(root!, what),
    later: array(id, 0)(later!, what),
  };
};

/** Which events cannot all stand, and which of them do. */
export interface Choice {
  branches: Hex[];
  standing: Hex[];
}

/** A chain's id, and so many addresses on it. */
export function onChain(addresses: number): Read<{ chain: bigint; addresses: Hex[] }> {
  return (value, what) => {
    const [chain, ...rest] = tuple(value, what, 1 + addresses);
    return { chain: uint64(chain!, what), addresses: rest.map((item) => toHex(bytes(20)(item, what))) };
  };
}
