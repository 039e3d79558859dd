/** Rules of place.registered and place.updated. */
import type { PlaceRegistered, PlaceUpdated } from "../event/body/places.js";
import { type Case, type Outcome, mayKnowPlace, mustCreateOne, mustKnowPlace, mustTouchOne } from "./case.js";
import { rule } from "./rule.js";

/** An open point is given to 0.01 degree, in units of 1e-7 degree. */
const OPEN_GRID = 100_000;

export function judgePlace(one: Case, body: PlaceRegistered): Outcome {
  mustCreateOne(one);
  mustTellPlaceWell(body);
  mayKnowPlace(one, body.parent);
  return [undefined];
}

export function judgePlaceUpdated(one: Case, body: PlaceUpdated): Outcome {
  const registration = mustKnowPlace(one, mustTouchOne(one, "main"));
  rule("not_above", one.history.isAtOrAbove(one.authority.signer, registration));
  rule("empty", !body.isEmpty);
  mustTellPlaceWell(body);
  mayKnowPlace(one, body.parent);
  return [undefined];
}

/** Only the rounded point stands open; a country is a code. */
export function mustTellPlaceWell({ point, exactPointIsOpen, country }: PlaceRegistered | PlaceUpdated): void {
  const rounded = point === undefined || (point.latitude % OPEN_GRID === 0 && point.longitude % OPEN_GRID === 0);
  rule("open_point", rounded && !exactPointIsOpen);
  rule("country", country === undefined || /^[A-Z]{2}$/.test(country));
}
