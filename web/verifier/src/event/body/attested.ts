/** What others attest: measurements, devices, certificates and recalls. */
import type { Hex } from "../../bytes.js";
import type { Cbor } from "../../cbor.js";
import { array, id, number, tuple, uint64 } from "../../shape.js";
import { type Quantity, quantity } from "../quantity.js";
import * as v from "../values.js";
import { fieldsOf } from "./parts.js";

/** A device measured. */
export interface ConditionMeasured {
  kind: "condition.measured";
  from: number;
  until: number;
  lowest: v.Measure;
  highest: v.Measure;
  mean: v.Measure | undefined;
  readings: bigint;
  place: Hex | undefined;
}

/** A device is attached to something, or detached from it. */
export interface DeviceMoved {
  kind: "device.attached" | "device.detached";
  subject: Hex;
  from: number;
  until: number | undefined;
}

/** A certificate comes into being. */
export interface CertificateIssued {
  kind: "certificate.issued";
  operators: Hex[];
  places: Hex[];
  commodities: v.Commodity[];
  cap: Quantity | undefined;
}

/** A certificate is suspended, withdrawn or reinstated. */
export interface CertificateStatus {
  kind: "certificate.status";
}

/** Lots are called back. */
export interface RecallIssued {
  kind: "recall.issued";
}

/** A recall is changed or ended. */
export interface RecallFollowed {
  kind: "recall.updated" | "recall.ended";
  recall: Hex;
  isEmpty: boolean;
}

const level = number(1, 3);
const action = number(1, 4);

export function readMeasured(value: Cbor): ConditionMeasured {
  const fields = fieldsOf(value, 8);
  fields.get(1, v.text(64));
  fields.maybe(7, v.document);
  const [from, until] = fields.get(2, (item, what) => tuple(item, what, 2).map((part) => v.timestamp(part, what)));
  return {
    kind: "condition.measured",
    from: from!,
    until: until!,
    lowest: fields.get(3, v.measure),
    highest: fields.get(4, v.measure),
    mean: fields.maybe(5, v.measure),
    readings: fields.get(6, uint64),
    place: fields.maybe(8, id),
  };
}

export function readAttached(value: Cbor): DeviceMoved {
  const fields = fieldsOf(value, 3);
  return {
    kind: "device.attached",
    subject: fields.get(1, id),
    from: fields.get(2, v.timestamp),
    until: fields.maybe(3, v.timestamp),
  };
}

export function readDetached(value: Cbor): DeviceMoved {
  const fields = fieldsOf(value, 2);
  return {
    kind: "device.detached",
    subject: fields.get(1, id),
    from: fields.get(2, v.timestamp),
    until: undefined,
  };
}

export function readCertificate(value: Cbor): CertificateIssued {
  const fields = fieldsOf(value, 8);
  fields.get(1, v.text(64));
  fields.get(2, v.text(64));
  fields.get(6, v.dateRange);
  fields.maybe(8, v.document);
  return {
    kind: "certificate.issued",
    operators: fields.get(3, array(id, 0)),
    places: fields.maybe(4, array(id, 0)) ?? [],
    commodities: fields.maybe(5, array(v.commodity, 0)) ?? [],
    cap: fields.maybe(7, quantity),
  };
}

export function readCertificateStatus(value: Cbor): CertificateStatus {
  const fields = fieldsOf(value, 3);
  fields.get(1, number(1, 3));
  fields.get(2, v.timestamp);
  fields.maybe(3, v.text(512));
  return { kind: "certificate.status" };
}

export function readRecall(value: Cbor): RecallIssued {
  const fields = fieldsOf(value, 5);
  fields.get(1, level);
  fields.get(2, v.text(512));
  fields.maybe(3, v.text(512));
  fields.get(4, action);
  fields.get(5, v.text(512));
  return { kind: "recall.issued" };
}

export function readRecallUpdated(value: Cbor): RecallFollowed {
  const fields = fieldsOf(value, 6);
  fields.maybe(2, level);
  for (const field of [3, 4, 6]) fields.maybe(field, v.text(512));
  fields.maybe(5, action);
  return { kind: "recall.updated", recall: fields.get(1, id), isEmpty: fields.size === 1 };
}

export function readRecallEnded(value: Cbor): RecallFollowed {
  const fields = fieldsOf(value, 2);
  fields.get(2, v.text(512));
  return { kind: "recall.ended", recall: fields.get(1, id), isEmpty: false };
}
