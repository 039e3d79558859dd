/** Rules of the kinds that make lots, tell of them and end them. */
import type { Hex } from "../bytes.js";
import type {
  CodesAssigned,
  ProduceCollected,
  ProduceHandled,
  ProduceInspected,
  ProduceMoved,
  ProduceRegistered,
  ProduceRetired,
  ProduceTold,
  ProduceTransformed,
} from "../event/body/produce.js";
import { byBytes } from "../event/event.js";
import { type Quantity, compareQuantities, plus } from "../event/quantity.js";
import type { Temperature } from "../event/values.js";
import { byText, isAscending } from "../shape.js";
import {
  type Case,
  type LineTouches,
  type Outcome,
  heldLot,
  line as judgeLine,
  mayKnowPlace,
  mustAttest,
  mustCreateOne,
  mustHaveRole,
  mustKnowActor,
  mustKnowPlace,
  ownedLot,
  rolesOf,
  touchesOfLines,
  wholeLot,
} from "./case.js";
import type { LotStep } from "./history.js";
import { type Closed, type Effect, type Lot, apply, newLot } from "./lot.js";
import { rule } from "./rule.js";

/** The roles that may register produce, and those that may inspect it. */
const [COOPERATIVE, FARMER] = [1, 2];
const INSPECTING = [8, 9, 11];

/** Longest list of places or claims. */
const MAX_LIST = 16;

/** Most deliveries of a collection, inputs and outputs of a transformation, and analytes of an inspection. */
const [MAX_DELIVERIES, MAX_INPUTS, MAX_OUTPUTS, MAX_ANALYTES] = [32, 24, 32, 32];

export function judgeRegistered(one: Case, body: ProduceRegistered): Outcome {
  mustCreateOne(one);
  const roles = rolesOf(one);
  rule("role", roles.includes(FARMER) || roles.includes(COOPERATIVE));
  mustRegisterSome(body);
  mustOrderPlaces(body);
  body.places.forEach((place) => mustKnowPlace(one, place));
  return [{ effect: { does: "create" }, after: newLot(one.acting, body.quantity) }];
}

/** There is something. */
export function mustRegisterSome({ quantity }: { quantity: Quantity }): void {
  rule("zero_quantity", quantity.value > 0n);
}

/** Places and claims are ascending and few. */
export function mustOrderPlaces({ places, claims }: ProduceRegistered): void {
  rule("list_order", places.length <= MAX_LIST && isAscending(places, byText));
  mustOrderClaims({ claims });
}

/** Claims are ascending and few. */
export function mustOrderClaims({ claims }: { claims: string[] }): void {
  rule("list_order", claims.length <= MAX_LIST && isAscending(claims, byBytes));
}

export function judgeCollected(one: Case, body: ProduceCollected): Outcome {
  mustCreateOne(one);
  rule("role", rolesOf(one).includes(COOPERATIVE));
  const { deliveries } = body;
  rule("lines", deliveries.length >= 1 && deliveries.length <= MAX_DELIVERIES);
  rule(
    "lines",
    deliveries.every(({ quantity }) => quantity.value > 0n),
  );
  const [first, ...others] = deliveries.map(({ quantity }) => quantity);
  const total = others.reduce<Quantity | undefined>((sum, quantity) => sum && plus(sum, quantity), first);
  rule("lines", total !== undefined && compareQuantities(total, body.quantity) === 0);
  mustOrderClaims(body);
  for (const { member, place } of deliveries) {
    mustKnowActor(one, member);
    mayKnowPlace(one, place);
  }
  return [{ effect: { does: "create" }, after: newLot(one.acting, body.quantity) }];
}

export function judgeMoved(one: Case, body: ProduceMoved): Outcome {
  mustKnowPlace(one, body.place);
  return tells(one);
}

export function judgeHandled(one: Case, body: ProduceHandled): Outcome {
  mustHandleWell(one, body);
  return tells(one);
}

/** The place is known, and limits are the right way round. */
export function mustHandleWell(one: Case, { place, temperature }: ProduceHandled): void {
  mayKnowPlace(one, place);
  mustOrderLimits(temperature);
}

/** The lower limit is not above the higher. */
export function mustOrderLimits(limits: Temperature | undefined): void {
  rule("temperature", limits === undefined || limits[0] <= limits[1]);
}

export function judgeCodes(one: Case, body: CodesAssigned): Outcome {
  mustAssignSome(body);
  return tells(one);
}

/** There is at least one code. */
export function mustAssignSome({ isEmpty }: CodesAssigned): void {
  rule("empty", !isEmpty);
}

export function judgeTold(one: Case, { kind }: ProduceTold): Outcome {
  const isPrice = kind === "produce.price_updated";
  rule("touches", one.event.touches.length === 1);
  // Where title is apart, its owner names the price.
  if (isPrice && one.event.touches[0]!.lane === "title") return [told(ownedLot(one, 0))];
  const lot = heldLot(one, 0);
  rule("divided", !isPrice || !lot.divided);
  return [told(lot)];
}

function tells(one: Case): Outcome {
  rule("touches", one.event.touches.length === 1);
  return [told(heldLot(one, 0))];
}

function told(after: Lot): LotStep {
  return { effect: { does: "tell" }, after };
}

export function judgeTransformed(one: Case, body: ProduceTransformed): Outcome {
  const { event, acting } = one;
  const { inputs, outputs, loss } = body;
  rule("lines", inputs.length >= 1 && inputs.length <= MAX_INPUTS);
  rule("lines", outputs.length >= 1 && outputs.length <= MAX_OUTPUTS);
  mayKnowPlace(one, body.place);
  rule("zero_quantity", [...outputs, ...(loss === undefined ? [] : [{ quantity: loss }])].every(isSome));
  outputs.forEach(mustOrderClaims);
  const lots = inputs.map(({ lot }) => lot);
  const touches = touchesOfLines(event, lots);
  const created = event.touches.filter(({ creates }) => creates).length;
  rule("touches", created === outputs.length);

  const outcome: Outcome = [];
  touches.forEach((line, index) => {
    const found = judgeLine(one, [line.main, line.title], () => {
      mustBeEmpty(wholeLot(one, line));
      return taken(one, line, inputs[index]!.quantity, "transformed");
    });
    const fallen = Array<"fallen">(line.title === undefined ? 1 : 2).fill("fallen");
    outcome.push(...(found === "fallen" ? fallen : found));
  });
  // What came out is made of all inputs.
  const stands = !outcome.includes("fallen");
  for (const { quantity } of outputs) {
    const created: LotStep = { effect: { does: "create" }, after: newLot(acting, quantity), from: lots };
    outcome.push(stands ? created : "fallen");
  }
  return outcome;
}

function isSome({ quantity }: { quantity: Quantity }): boolean {
  return quantity.value > 0n;
}

export function judgeRetired(one: Case, { quantity }: ProduceRetired): Outcome {
  const subject = one.event.touches[0]!.subject;
  const [line] = touchesOfLines(one.event, [subject]);
  const touched = line!.title === undefined ? 1 : 2;
  rule("touches", one.event.touches.length === touched);
  mustBeEmpty(wholeLot(one, line!));
  return taken(one, line!, quantity, "retired");
}

/** What lies in a unit would be lost with it. */
function mustBeEmpty({ contents }: Lot): void {
  rule("packed", contents === undefined || contents === 0);
}

/** What taking a quantity out of a line's lot does to its lanes: a part is drawn, all of it closes both. */
function taken(one: Case, line: LineTouches, quantity: Quantity, closed: Closed): LotStep[] {
  const isPart = draws(wholeLot(one, line), quantity) === "part";
  const effect: Effect = isPart ? { does: "draw", quantity } : { does: "close", closed, quantity };
  return onLanes(one, line, effect);
}

/**
 * One effect on all lanes of a whole lot. Title is taken or offered with all of it: where something was lost while
 * possession alone moved, there is more of it.
 */
export function onLanes(one: Case, { main, title }: LineTouches, effect: Effect): LotStep[] {
  const steps = [step(one, heldLot(one, main), effect)];
  if (title !== undefined) {
    const owned = ownedLot(one, title);
    steps.push(step(one, owned, { ...effect, quantity: owned.balance } as Effect));
  }
  return steps;
}

/** What an effect makes of a lot; breaks the rule where it cannot be applied. */
export function step(one: Case, lot: Lot, effect: Effect): LotStep {
  const after = apply(lot, effect, one.acting);
  rule("balance", after !== undefined);
  return { effect, after };
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
  rule("divided", order === 0 || !lot.divided);
  rule("packed", order === 0 || lot.contents === undefined);
  return order < 0 ? "part" : "all";
}

export function judgeInspected(one: Case, { analytes, place }: ProduceInspected): Outcome {
  mustHaveRole(one, ...INSPECTING);
  mustAttest(one);
  rule("lines", analytes <= MAX_ANALYTES);
  mayKnowPlace(one, place);
  return [undefined];
}

/** A part-lot, as it is taken from another one. */
export function partOf(holder: Hex, quantity: Quantity, from: Hex, more: Partial<Lot> = {}): LotStep {
  return { effect: { does: "create" }, after: { ...newLot(holder, quantity), ...more }, from: [from] };
}
