/** Rules of event.corrected. */
import { type Cbor, CborMap } from "../cbor.js";
import { type Body, readBody } from "../event/body.js";
import type { EventCorrected } from "../event/body/statements.js";
import { free } from "../event/values.js";
import { attempt, Malformed } from "../malformed.js";
import {
  type Case,
  type Outcome,
  firstSubject,
  mayKnowPlace,
  mustKnowActor,
  mustKnowPlace,
  mustTouchOne,
} from "./case.js";
import type { Judged } from "./history.js";
import { mustTellPlaceWell } from "./place.js";
import {
  mustAssignSome,
  mustHandleWell,
  mustOrderClaims,
  mustOrderLimits,
  mustOrderPlaces,
  mustRegisterSome,
} from "./produce.js";
import { rule } from "./rule.js";

/** Which fields a correction may replace: those that describe. The others carry custody or identity. */
const CORRECTABLE: Partial<Record<Body["kind"], readonly number[]>> = {
  "place.registered": [1, 2, 3, 4, 5, 6, 7, 9],
  "produce.registered": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  "produce.collected": [1, 2, 3, 5, 7, 8, 9],
  "produce.moved": [1, 2],
  "produce.handled": [1, 2, 3, 4],
  "produce.quality_updated": [1, 2],
  "produce.price_updated": [1, 2],
  "produce.codes_assigned": [1],
  "transfer.offered": [4, 5, 6, 7, 8, 9],
};

export function judgeCorrected(one: Case, body: EventCorrected): Outcome {
  const target = one.history.get(body.target);
  rule("correction", target !== undefined);
  const { signer } = one.authority;
  rule("touches", mustTouchOne(one, signer) === firstSubject(target));
  rule("not_above", one.history.isAtOrAbove(signer, target));
  rule("empty", body.replacement.size > 0);
  mustTellWell(one, body.replacement, correctedBody(body, target), target.event.body);
  return [undefined];
}

/** The target's body with the replacements in place. */
function correctedBody({ replacement }: EventCorrected, target: Judged): Body {
  const { body, kind, rawBody } = target.event;
  const allowed = CORRECTABLE[body.kind] ?? [];
  rule(
    "correction",
    [...replacement.keys()].every((field) => allowed.includes(field)),
  );
  const corrected = attempt(() => {
    // A body that holds a bignum is no free value, and so cannot be taken apart.
    free(rawBody, "the target's body");
    const kept = (rawBody as CborMap).entries.filter(([key]) => !replacement.has(Number(key)));
    const given = [...replacement].filter(([, value]) => value !== null);
    return readBody(
      kind,
      new CborMap([...kept, ...given.map(([field, value]): [Cbor, Cbor] => [BigInt(field), value])]),
    );
  });
  rule("correction", !(corrected instanceof Malformed));
  return corrected;
}

/** What is told anew keeps the rules of its kind, and what it names stands in the basis of the correction. */
function mustTellWell(one: Case, replacement: ReadonlyMap<number, Cbor>, corrected: Body, body: Body): void {
  switch (corrected.kind) {
    case "place.registered":
      return mustTellPlaceWell(corrected);
    case "produce.registered":
      mustRegisterSome(corrected);
      rule("unit", body.kind === "produce.registered" && body.quantity.unit === corrected.quantity.unit);
      mustOrderPlaces(corrected);
      if (replacement.has(4)) corrected.places.forEach((place) => mustKnowPlace(one, place));
      return;
    case "produce.collected":
      return mustOrderClaims(corrected);
    case "produce.moved":
      return void mustKnowPlace(one, corrected.place);
    case "produce.handled":
      return mustHandleWell(one, corrected);
    case "produce.codes_assigned":
      return mustAssignSome(corrected);
    case "transfer.offered": {
      mustOrderLimits(corrected.temperature);
      const { carrier, fromPlace, toPlace } = corrected;
      if (replacement.has(4) && carrier !== undefined) mustKnowActor(one, carrier);
      if (replacement.has(5)) mayKnowPlace(one, fromPlace);
      if (replacement.has(6)) mayKnowPlace(one, toPlace);
      return;
    }
    default:
  }
}
