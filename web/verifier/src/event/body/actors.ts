/** Actors, their keys and the ends of those. */
import { type Hex, toHex } from "../../bytes.js";
import { type Cbor, CborMap } from "../../cbor.js";
import { Fields, type Read, array, bytes, id, number, tuple, uint64 } from "../../shape.js";
import * as v from "../values.js";
import { type Cut, cut, fieldsOf, onChain, personalName, prefixes } from "./parts.js";

/** What others must know of a node. */
export interface NodeDetails {
  logKey: Hex;
  anchoring: { chain: bigint; contract: Hex; sender: Hex } | undefined;
}

/** A key, to which its owner agreed. */
export interface NewKey {
  key: Uint8Array;
  keyHex: Hex;
  countersignature: Uint8Array;
  /** The body's fields without the countersignature, as they are signed by the new key. */
  countersigned: Cbor;
}

/** An actor comes in. */
export interface ActorEnrolled extends NewKey {
  kind: "actor.enrolled";
  roles: number[];
  mayGive: number[];
  prefixes: string[];
  node: NodeDetails | undefined;
}

/** An actor tells what changed. */
export interface ActorUpdated {
  kind: "actor.updated";
  prefixes: string[];
  node: NodeDetails | undefined;
  isEmpty: boolean;
}

/** An actor has a further key. */
export interface KeyAdded extends NewKey {
  kind: "actor.key_added";
}

/** A key hands over to the next one. */
export interface KeyRotated extends NewKey {
  kind: "actor.key_rotated";
  /** Of the old key's journal before this event. */
  count: bigint;
  root: Uint8Array;
}

/** Who stands above gives an actor another key. */
export interface KeyReplaced extends NewKey {
  kind: "actor.key_replaced";
  cuts: Cut[];
}

/** Who stands above takes an actor out. */
export interface ActorRevoked {
  kind: "actor.revoked";
  cuts: Cut[];
}

const roles = array(number(1, 12), 0);

const node: Read<NodeDetails> = (value, what) => {
  const fields = new Fields(value, what, [1, 2, 3]);
  fields.get(2, v.text(128));
  return { logKey: fields.get(1, id), anchoring: fields.maybe(3, anchoring) };
};

const anchoring: Read<NonNullable<NodeDetails["anchoring"]>> = (value, what) => {
  const { chain, addresses } = onChain(2)(value, what);
  return { chain, contract: addresses[0]!, sender: addresses[1]! };
};

/** Fields 1, 2 and 10, which all kinds have that give a key. */
function newKey(fields: Fields, value: Cbor): NewKey {
  fields.get(2, number(0, 1));
  const key = fields.get(1, bytes(32));
  return {
    key,
    keyHex: toHex(key),
    countersignature: fields.get(10, bytes(64)),
    countersigned: new CborMap((value as CborMap).entries.filter(([name]) => name !== 10n)),
  };
}

export function readEnrolled(value: Cbor): ActorEnrolled {
  const fields = fieldsOf(value, 10);
  fields.get(5, v.text(128));
  fields.maybe(6, personalName);
  fields.maybe(7, v.gln);
  return {
    kind: "actor.enrolled",
    ...newKey(fields, value),
    roles: fields.get(3, roles),
    mayGive: fields.get(4, roles),
    prefixes: fields.maybe(8, prefixes) ?? [],
    node: fields.maybe(9, node),
  };
}

export function readUpdated(value: Cbor): ActorUpdated {
  const fields = fieldsOf(value, 4);
  fields.maybe(1, v.text(128));
  fields.maybe(2, v.gln);
  return {
    kind: "actor.updated",
    prefixes: fields.maybe(3, prefixes) ?? [],
    node: fields.maybe(4, node),
    isEmpty: fields.size === 0,
  };
}

export function readKeyAdded(value: Cbor): KeyAdded {
  const fields = new Fields(value, "the body", [1, 2, 3, 10]);
  fields.maybe(3, v.text(128));
  return { kind: "actor.key_added", ...newKey(fields, value) };
}

export function readKeyRotated(value: Cbor): KeyRotated {
  const fields = new Fields(value, "the body", [1, 2, 3, 10]);
  const [count, root] = fields.get(3, (item, what) => tuple(item, what, 2));
  return {
    kind: "actor.key_rotated",
    ...newKey(fields, value),
    count: uint64(count!, "the count of the journal"),
    root: bytes(32)(root!, "the root of the journal"),
  };
}

export function readKeyReplaced(value: Cbor): KeyReplaced {
  const fields = new Fields(value, "the body", [1, 2, 4, 5, 10]);
  fields.maybe(5, v.text(512));
  return { kind: "actor.key_replaced", ...newKey(fields, value), cuts: fields.get(4, array(cut, 0)) };
}

export function readRevoked(value: Cbor): ActorRevoked {
  const fields = fieldsOf(value, 2);
  fields.get(1, v.text(512));
  return { kind: "actor.revoked", cuts: fields.get(2, array(cut, 0)) };
}
