/** Rules of event.corrected. */
import { type Cbor, CborMap } from "../cbor.js";
import type { Hex } from "../bytes.js";
import { type Body, type EventCorrected, readBody } from "../event/body.js";
import { free } from "../event/values.js";
import { attempt, Malformed } from "../malformed.js";
import { type Case, type Outcome, mustKnowActor, mustKnowPlace } from "./case.js";
import type { History, Judged } from "./history.js";
import { mustTellPlaceWell } from "./place.js";
import { mustOrderLists } from "./produce.js";
import { rule } from "./rule.js";
import { mustTellOfferWell } from "./transfer.js";

/** Which fields a correction may replace: those that describe. The others carry custody or identity. */
const CORRECTABLE: Partial<Record<Body["kind"], readonly number[]>> = {
  "produce.registered": [1, 2, 3, 4, 5, 7, 8, 9, 10, 11],
  "place.registered": [1, 2, 3, 4, 5, 6, 7, 9],
  "produce.moved": [1, 2],
  "produce.quality_updated": [1, 2],
  "produce.price_updated": [1, 2],
  "transfer.offered": [4, 5, 6, 7, 8, 9],
};

/** The field of produce.registered that says how much there is. */
const QUANTITY = 6;

/** Whether it corrects how much was registered, for which there are no rules. */
export function correctsQuantity(body: EventCorrected, target: Judged | undefined): boolean {
  return target?.event.body.kind === "produce.registered" && body.replacement.has(QUANTITY);
}

export function judgeCorrected(one: Case, body: EventCorrected): Outcome {
  const target = one.history.get(body.target);
  rule("correction", target !== undefined);
  const { signer } = one.authority;
  const [touch, ...others] = one.event.touches;
  rule("touches", touch !== undefined && others.length === 0);
  rule("touches", touch.lane === signer && touch.subject === target.event.touches[0]!.subject);
  rule("not_above", standsAtOrAbove(one.history, signer, target));
  rule("empty", body.replacement.size > 0);
  mustTellWell(one, body.replacement, correctedBody(body, target));
  return [undefined];
}

/** Whether an actor signed the event, or stands above its signer in the tree of enrolments. */
function standsAtOrAbove(history: History, upper: Hex, lower: Judged): boolean {
  for (let at: Judged | undefined = lower; at !== undefined; at = history.keyEventOf(at))
    if (at.signer === upper) return true;
  return false;
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
function mustTellWell(one: Case, replacement: ReadonlyMap<number, Cbor>, corrected: Body): void {
  switch (corrected.kind) {
    case "place.registered":
      return mustTellPlaceWell(corrected);
    case "produce.registered":
      mustOrderLists(corrected);
      if (replacement.has(4)) corrected.places.forEach((place) => mustKnowPlace(one, place));
      return;
    case "produce.moved":
      return mustKnowPlace(one, corrected.place);
    case "transfer.offered": {
      mustTellOfferWell(corrected);
      const { carrier, fromPlace, toPlace } = corrected;
      if (replacement.has(4) && carrier !== undefined) mustKnowActor(one, carrier);
      if (replacement.has(5) && fromPlace !== undefined) mustKnowPlace(one, fromPlace);
      if (replacement.has(6) && toPlace !== undefined) mustKnowPlace(one, toPlace);
      return;
    }
    default:
  }
}
