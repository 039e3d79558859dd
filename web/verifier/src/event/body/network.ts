/** What founders decide together. */
import type { Hex } from "../../bytes.js";
import { type Cbor, CborMap } from "../../cbor.js";
import { demand } from "../../malformed.js";
import { Fields, type Read, array, id, number, tuple, uint64 } from "../../shape.js";
import * as v from "../values.js";
import { type Choice, type Cut, cut, fieldsOf, onChain } from "./parts.js";

/** What an amendment changes. */
export interface Change {
  contracts: { chain: bigint; addresses: Hex[] }[] | undefined;
  /** Names of the parameters that are set or taken away. */
  parameters: string[] | undefined;
  /** Version of the rules. */
  rules: bigint | undefined;
  leaves: { founder: number; cut: Cut } | undefined;
  decision: (Choice & { lot: Hex }) | undefined;
  isEmpty: boolean;
}

/** An amendment of the network. */
export interface NetworkAmended {
  kind: "network.amended";
  follows: Hex[];
  change: Change;
}

/** A founder approves an amendment. */
export interface NetworkApproved {
  kind: "network.approved";
  amendment: Hex;
}

const parameters: Read<string[]> = (value, what) => {
  demand(value instanceof CborMap, `${what} is no map`);
  return value.entries.map(([name, item]) => {
    v.free(item, what);
    return v.text(128)(name, `a key of ${what}`);
  });
};

const leaves: Read<NonNullable<Change["leaves"]>> = (value, what) => {
  const [founder, end] = tuple(value, what, 2);
  return { founder: number(0, 2 ** 32 - 1)(founder!, what), cut: cut(end!, what) };
};

const decision: Read<NonNullable<Change["decision"]>> = (value, what) => {
  const [lot, branches, standing] = tuple(value, what, 3);
  const ids = array(id, 0);
  return { lot: id(lot!, what), branches: ids(branches!, what), standing: ids(standing!, what) };
};

const change: Read<Change> = (value, what) => {
  const fields = new Fields(value, what, [1, 2, 3, 4, 5]);
  return {
    contracts: fields.maybe(1, array(onChain(1), 0)),
    parameters: fields.maybe(2, parameters),
    rules: fields.maybe(3, uint64),
    leaves: fields.maybe(4, leaves),
    decision: fields.maybe(5, decision),
    isEmpty: fields.size === 0,
  };
};

export function readAmended(value: Cbor): NetworkAmended {
  const fields = fieldsOf(value, 3);
  fields.maybe(3, v.text(512));
  return { kind: "network.amended", follows: fields.get(1, array(id, 0)), change: fields.get(2, change) };
}

export function readApproved(value: Cbor): NetworkApproved {
  return { kind: "network.approved", amendment: fieldsOf(value, 1).get(1, id) };
}
