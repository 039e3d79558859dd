/** The handover: offered, accepted, declined, cancelled. */
import type { Hex } from "../../bytes.js";
import type { Cbor } from "../../cbor.js";
import { Fields, type Read, array, id, number, tuple } from "../../shape.js";
import { type Quantity, quantity } from "../quantity.js";
import * as v from "../values.js";
import { type Line, fieldsOf, line, personalName } from "./parts.js";

/** What an offer moves. */
export const [POSSESSION, TITLE, BOTH] = [1, 2, 3] as const;

/** Lots, or parts of them, are offered. */
export interface TransferOffered {
  kind: "transfer.offered";
  lines: Line[];
  /** The actor that must accept; nobody where it goes outside the network. */
  to: Hex | undefined;
  moves: number;
  carrier: Hex | undefined;
  fromPlace: Hex | undefined;
  toPlace: Hex | undefined;
  temperature: v.Temperature | undefined;
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

export function readOffered(value: Cbor): TransferOffered {
  const fields = fieldsOf(value, 10);
  fields.maybe(8, v.sealable(v.price));
  return {
    kind: "transfer.offered",
    lines: fields.get(1, array(line, 0)),
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

export function readAccepted(value: Cbor): TransferAccepted {
  const fields = fieldsOf(value, 2);
  return { kind: "transfer.accepted", offer: fields.get(1, id), lines: fields.get(2, array(acceptedLine, 0)) };
}

export function readDeclined(value: Cbor): TransferClosed {
  return readClosed(value, "transfer.declined");
}

export function readCancelled(value: Cbor): TransferClosed {
  return readClosed(value, "transfer.cancelled");
}

function readClosed(value: Cbor, kind: TransferClosed["kind"]): TransferClosed {
  const fields = fieldsOf(value, 2);
  fields.maybe(2, v.text(512));
  return { kind, offer: fields.get(1, id) };
}
