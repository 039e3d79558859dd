/** Logistic units, such as pallets: what is put in, and what is taken out. */
import type { Hex } from "../../bytes.js";
import type { Cbor } from "../../cbor.js";
import { array, id } from "../../shape.js";
import * as v from "../values.js";
import { type Line, fieldsOf, line } from "./parts.js";

/** Lots, or parts of them, are put into a unit. */
export interface UnitPacked {
  kind: "unit.packed";
  hasSscc: boolean;
  contents: Line[];
  place: Hex | undefined;
}

/** Lots are taken out of a unit. */
export interface UnitUnpacked {
  kind: "unit.unpacked";
  contents: Hex[];
  place: Hex | undefined;
}

export function readPacked(value: Cbor): UnitPacked {
  const fields = fieldsOf(value, 3);
  return {
    kind: "unit.packed",
    hasSscc: fields.maybe(1, v.sscc) !== undefined,
    contents: fields.get(2, array(line, 0)),
    place: fields.maybe(3, id),
  };
}

export function readUnpacked(value: Cbor): UnitUnpacked {
  const fields = fieldsOf(value, 2);
  return { kind: "unit.unpacked", contents: fields.get(1, array(id, 0)), place: fields.maybe(2, id) };
}
