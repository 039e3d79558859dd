/** What is said of other events: corrections, confirmations, doubts and decisions. */
import type { Hex } from "../../bytes.js";
import { type Cbor, CborMap } from "../../cbor.js";
import { demand } from "../../malformed.js";
import { type Read, array, id, number } from "../../shape.js";
import * as v from "../values.js";
import { type Choice, fieldsOf } from "./parts.js";

/** Values that replace those of an earlier event. */
export interface EventCorrected {
  kind: "event.corrected";
  target: Hex;
  /** Field number → new value, null to take the field away. */
  replacement: Map<number, Cbor>;
}

/** A party confirms or disputes an event. */
export interface EventJudged {
  kind: "event.confirmed" | "event.disputed";
  target: Hex;
}

/** Which of several events stand that cannot all stand. */
export interface DisputeResolved extends Choice {
  kind: "dispute.resolved";
  /** The decision that this one replaces. */
  replaces: Hex | undefined;
}

const replacement: Read<Map<number, Cbor>> = (value, what) => {
  demand(value instanceof CborMap, `${what} is no map`);
  return new Map(value.entries.map(([key, item]) => [number(0, 255)(key, `a key of ${what}`), v.free(item, what)]));
};

export function readCorrected(value: Cbor): EventCorrected {
  const fields = fieldsOf(value, 3);
  fields.get(2, v.text(512));
  return { kind: "event.corrected", target: fields.get(1, id), replacement: fields.get(3, replacement) };
}

export function readConfirmed(value: Cbor): EventJudged {
  return readJudged(value, "event.confirmed", v.text(128));
}

export function readDisputed(value: Cbor): EventJudged {
  return readJudged(value, "event.disputed", v.text(512));
}

function readJudged(value: Cbor, kind: EventJudged["kind"], words: Read<string>): EventJudged {
  const fields = fieldsOf(value, 3);
  fields.get(2, words);
  fields.maybe(3, v.document);
  return { kind, target: fields.get(1, id) };
}

export function readResolved(value: Cbor): DisputeResolved {
  const fields = fieldsOf(value, 4);
  fields.get(3, v.text(512));
  return {
    kind: "dispute.resolved",
    branches: fields.get(1, array(id, 0)),
    standing: fields.get(2, array(id, 0)),
    replaces: fields.maybe(4, id),
  };
}
