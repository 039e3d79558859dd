/** Rules of the kinds that tell of a lot: registered, moved, graded, priced, retired. */
import type { ProduceMoved, ProduceRegistered, ProduceRetired } from "../event/body.js";
import { byBytes } from "../event/event.js";
import { type Quantity, compareQuantities } from "../event/quantity.js";
import { byText, isAscending } from "../shape.js";
import { type Case, type Outcome, heldLot, mustCreateOne, mustKnowPlace, rolesOf } from "./case.js";
import { type Effect, type Lot, apply, newLot } from "./lot.js";
import { rule } from "./rule.js";

/** The roles that may register produce. */
const [COOPERATIVE, FARMER] = [1, 2];

/** Longest list of places or claims. */
const MAX_LIST = 16;

export function judgeRegistered(one: Case, body: ProduceRegistered): Outcome {
  mustCreateOne(one);
  const roles = rolesOf(one.authority, one.acting);
  rule("role", roles.includes(FARMER) || roles.includes(COOPERATIVE));
  rule("zero_quantity", body.quantity.value > 0n);
  mustOrderLists(body);
  body.places.forEach((place) => mustKnowPlace(one, place));
  return [{ effect: { does: "create" }, after: newLot(one.acting, body.quantity) }];
}

/** Lists are ascending and short. */
export function mustOrderLists({ places, claims }: ProduceRegistered): void {
  const ordered = isAscending(places, byText) && isAscending(claims, byBytes);
  rule("list_order", ordered && places.length <= MAX_LIST && claims.length <= MAX_LIST);
}

export function judgeMoved(one: Case, body: ProduceMoved): Outcome {
  mustKnowPlace(one, body.place);
  return judgeTold(one);
}

export function judgeTold(one: Case): Outcome {
  return [{ effect: { does: "tell" }, after: onlyLot(one) }];
}

export function judgeRetired(one: Case, { quantity }: ProduceRetired): Outcome {
  const lot = onlyLot(one);
  const effect: Effect =
    draws(lot, quantity) === "part" ? { does: "draw", quantity } : { does: "close", closed: "retired", quantity };
  const after = apply(lot, effect, one.acting);
  rule("balance", after !== undefined);
  return [{ effect, after }];
}

/**
 * Whether a quantity is a part of the lot's balance or all of it. Packages may go uncounted from a lot whose packages
 * are counted, never the other way round.
 */
export function draws(lot: Lot, quantity: Quantity): "part" | "all" {
  rule("zero_quantity", quantity.value > 0n);
  const order = compareQuantities(quantity, lot.balance);
  rule("unit", order !== undefined);
  const [drawn, there] = [quantity.packages, lot.balance.packages];
  rule("packages", drawn === undefined || there !== undefined);
  const fits = drawn === undefined || (order === 0 ? drawn === there : drawn <= there!);
  rule("balance", order <= 0 && fits);
  return order < 0 ? "part" : "all";
}

function onlyLot(one: Case): Lot {
  rule("touches", one.before.length === 1);
  return heldLot(one, 0);
}
