/** Places. */
import type { Hex } from "../../bytes.js";
import type { Cbor } from "../../cbor.js";
import { Fields, id, uint64 } from "../../shape.js";
import * as v from "../values.js";

/** What a place's rules look at. */
interface PlaceTold {
  point: v.Coordinates | undefined;
  exactPointIsOpen: boolean;
  parent: Hex | undefined;
  country: string | undefined;
}

/** A place comes in. */
export interface PlaceRegistered extends PlaceTold {
  kind: "place.registered";
}

/** What is given replaces what stood before. */
export interface PlaceUpdated extends PlaceTold {
  kind: "place.updated";
  isEmpty: boolean;
}

function told(fields: Fields): PlaceTold {
  fields.maybe(3, v.gln);
  fields.maybe(6, v.document);
  fields.maybe(7, uint64);
  const exact = fields.maybe(5, v.sealable(v.coordinates));
  return {
    point: fields.maybe(4, v.coordinates),
    exactPointIsOpen: exact !== undefined && exact.sealed === undefined,
    parent: fields.maybe(8, id),
    country: fields.maybe(9, v.text(2)),
  };
}

export function readPlace(value: Cbor): PlaceRegistered {
  const fields = new Fields(value, "the body", [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  fields.get(1, v.text(64));
  fields.get(2, v.langText);
  return { kind: "place.registered", ...told(fields) };
}

export function readPlaceUpdated(value: Cbor): PlaceUpdated {
  const fields = new Fields(value, "the body", [2, 3, 4, 5, 6, 7, 8, 9]);
  fields.maybe(2, v.langText);
  return { kind: "place.updated", ...told(fields), isEmpty: fields.size === 0 };
}
