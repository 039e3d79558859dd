/** Lots: how they come into being, what is told of them, and how they end. */
import type { Hex } from "../../bytes.js";
import type { Cbor } from "../../cbor.js";
import { Fields, type Read, array, id, number } from "../../shape.js";
import { type Quantity, quantity } from "../quantity.js";
import * as v from "../values.js";
import { type Line, claims, codes, fieldsOf, line, personalName } from "./parts.js";

/** A lot comes into being. */
export interface ProduceRegistered {
  kind: "produce.registered";
  places: Hex[];
  quantity: Quantity;
  claims: string[];
}

/** A lot comes into being from what members delivered. */
export interface ProduceCollected {
  kind: "produce.collected";
  deliveries: { member: Hex; place: Hex | undefined; quantity: Quantity }[];
  quantity: Quantity;
  claims: string[];
}

/** A lot is somewhere else now. */
export interface ProduceMoved {
  kind: "produce.moved";
  place: Hex;
}

/** Something was done with a lot. */
export interface ProduceHandled {
  kind: "produce.handled";
  place: Hex | undefined;
  temperature: v.Temperature | undefined;
}

/** Something is told that moves nothing: a grade or a price. */
export interface ProduceTold {
  kind: "produce.quality_updated" | "produce.price_updated";
}

/** A lot has other codes. */
export interface CodesAssigned {
  kind: "produce.codes_assigned";
  isEmpty: boolean;
}

/** Lots become other lots. */
export interface ProduceTransformed {
  kind: "produce.transformed";
  inputs: Line[];
  outputs: { quantity: Quantity; claims: string[] }[];
  loss: Quantity | undefined;
  place: Hex | undefined;
}

/** A quantity leaves the chain. */
export interface ProduceRetired {
  kind: "produce.retired";
  quantity: Quantity;
}

/** Somebody examined a sample. */
export interface ProduceInspected {
  kind: "produce.inspected";
  analytes: number;
  place: Hex | undefined;
}

/** Fields 1 to 3 and 7 to 9, which describe produce; gives the claims. */
function described(fields: Fields): string[] {
  fields.get(1, v.commodity);
  fields.get(2, v.langText);
  fields.maybe(3, v.text(128));
  fields.maybe(7, v.grade);
  fields.maybe(8, codes);
  return fields.maybe(9, claims) ?? [];
}

export function readRegistered(value: Cbor): ProduceRegistered {
  const fields = fieldsOf(value, 11);
  fields.maybe(5, v.dateRange);
  fields.maybe(10, personalName);
  fields.maybe(11, v.sealable(v.price));
  return {
    kind: "produce.registered",
    claims: described(fields),
    places: fields.get(4, array(id, 0)),
    quantity: fields.get(6, quantity),
  };
}

const delivery: Read<ProduceCollected["deliveries"][number]> = (value, what) => {
  const fields = new Fields(value, what, [1, 2, 3, 4, 5]);
  fields.maybe(4, v.grade);
  fields.maybe(5, v.text(128));
  return { member: fields.get(1, id), place: fields.maybe(2, id), quantity: fields.get(3, quantity) };
};

export function readCollected(value: Cbor): ProduceCollected {
  const fields = fieldsOf(value, 9);
  fields.maybe(5, v.dateRange);
  return {
    kind: "produce.collected",
    claims: described(fields),
    deliveries: fields.get(4, array(delivery, 0)),
    quantity: fields.get(6, quantity),
  };
}

export function readMoved(value: Cbor): ProduceMoved {
  return { kind: "produce.moved", place: fieldsOf(value, 1).get(1, id) };
}

export function readHandled(value: Cbor): ProduceHandled {
  const fields = fieldsOf(value, 4);
  fields.get(1, v.text(64));
  fields.maybe(4, v.text(512));
  return { kind: "produce.handled", place: fields.maybe(2, id), temperature: fields.maybe(3, v.temperature) };
}

export function readQuality(value: Cbor): ProduceTold {
  return readTold(value, "produce.quality_updated", v.grade);
}

export function readPrice(value: Cbor): ProduceTold {
  return readTold(value, "produce.price_updated", v.sealable(v.price));
}

function readTold(value: Cbor, kind: ProduceTold["kind"], told: Read<unknown>): ProduceTold {
  const fields = fieldsOf(value, 2);
  fields.get(1, told);
  fields.maybe(2, v.text(512));
  return { kind };
}

export function readCodes(value: Cbor): CodesAssigned {
  return { kind: "produce.codes_assigned", isEmpty: fieldsOf(value, 1).get(1, codes) === 0 };
}

const output: Read<ProduceTransformed["outputs"][number]> = (value, what) => {
  const fields = new Fields(value, what, [1, 2, 3, 6, 7, 8, 9]);
  return { claims: described(fields), quantity: fields.get(6, quantity) };
};

export function readTransformed(value: Cbor): ProduceTransformed {
  const fields = fieldsOf(value, 6);
  fields.get(1, v.text(64));
  fields.get(2, v.text(64));
  return {
    kind: "produce.transformed",
    inputs: fields.get(3, array(line, 0)),
    outputs: fields.get(4, array(output, 0)),
    loss: fields.maybe(5, quantity),
    place: fields.maybe(6, id),
  };
}

export function readRetired(value: Cbor): ProduceRetired {
  const fields = fieldsOf(value, 2);
  fields.get(2, number(1, 4));
  return { kind: "produce.retired", quantity: fields.get(1, quantity) };
}

const analyte: Read<void> = (value, what) => {
  const fields = new Fields(value, what, [1, 2, 3]);
  fields.get(1, v.text(64));
  fields.maybe(2, v.measure);
  fields.maybe(3, v.measure);
};

export function readInspected(value: Cbor): ProduceInspected {
  const fields = fieldsOf(value, 6);
  fields.get(1, v.text(64));
  fields.get(2, v.text(128));
  fields.get(4, number(1, 3));
  fields.maybe(5, v.document);
  return {
    kind: "produce.inspected",
    analytes: fields.get(3, array(analyte, 0)).length,
    place: fields.maybe(6, id),
  };
}
