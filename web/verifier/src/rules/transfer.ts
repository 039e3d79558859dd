/** Rules of the handover: offered, accepted, declined, cancelled. */
import type { Hex } from "../bytes.js";
import {
  type AcceptedLine,
  BOTH,
  TITLE,
  type TransferAccepted,
  type TransferOffered,
} from "../event/body/transfers.js";
import type { Lane } from "../event/event.js";
import { type Quantity, compareQuantities, plus, zero } from "../event/quantity.js";
import {
  type Case,
  type LineTouches,
  type Outcome,
  firstStep,
  heldLot,
  line as judgeLine,
  lotOf,
  mayKnowPlace,
  mustKnowActor,
  ownedLot,
  touchesOfLines,
  wholeLot,
} from "./case.js";
import type { Judged, LotStep } from "./history.js";
import { type Effect, type Lot, apply, newLot } from "./lot.js";
import { draws, mustOrderLimits, onLanes, partOf, step } from "./produce.js";
import { rule } from "./rule.js";

/** Lines of an offer: half of the touches, so that each can be rejected in part. */
const MAX_LINES = 32;

/** A judged event that is an offer. */
type Offer = Judged & { event: { body: TransferOffered } };

/** The offer that an event names; the network id, or another kind of event, is none. */
function isOffer(judged: Judged | undefined): judged is Offer {
  return judged?.event.body.kind === "transfer.offered";
}

export function judgeOffered(one: Case, body: TransferOffered): Outcome {
  const { history, event, acting } = one;
  const { lines, to, moves } = body;
  // What is taken back may be the network id, which is no event at all; that is seen before anything else.
  rule("not_an_offer", body.returns === undefined || history.get(body.returns) !== undefined);
  rule("lines", lines.length >= 1 && lines.length <= MAX_LINES);
  rule("outside", moves === BOTH || to !== undefined);
  mustOrderLimits(body.temperature);
  rule("not_an_offer", body.returns === undefined || isOffer(history.get(body.returns)));
  rule("to_self", to !== acting);
  if (to !== undefined) mustKnowActor(one, to);
  mayKnowPlace(one, body.fromPlace);
  mayKnowPlace(one, body.toPlace);
  if (body.carrier !== undefined) mustKnowActor(one, body.carrier);
  const touches = touchesOf(event.touches, body);

  const outcome: Outcome = [];
  const parts: Outcome = [];
  touches.forEach((line, index) => {
    const { lot, quantity } = lines[index]!;
    const width = line.main === undefined || line.title === undefined ? 1 : 2;
    // An event that is looked at again has the parts that it had at first.
    const first = firstStep(one, line.main);
    const found = judgeLine(one, [line.main, line.title], () => {
      const steps = offerLine(one, body, line, quantity);
      const isPart = steps[0]!.effect.does === "draw";
      rule("touches", one.first === undefined || isPart === (first?.effect.does === "draw"));
      return { steps, isPart };
    });
    outcome.push(...(found === "fallen" ? Array<"fallen">(width).fill(found) : found.steps));
    if (found !== "fallen" && found.isPart) parts.push(offeredPart(one, quantity, lot, to));
    else if (first?.effect.does === "draw") parts.push("fallen");
  });
  rule("touches", outcome.length + parts.length === event.touches.length);
  return [...outcome, ...parts];
}

/** The touches of the lines of an offer. */
function touchesOf(touches: Case["event"]["touches"], { lines, moves }: TransferOffered): LineTouches[] {
  const lots = lines.map(({ lot }) => lot);
  return touchesOfLines({ touches }, lots, moves === TITLE);
}

/** What one line does to the lanes that it touches, main before title. */
function offerLine(one: Case, { to, moves }: TransferOffered, line: LineTouches, quantity: Quantity): LotStep[] {
  const offer = one.event.id;
  if (moves === BOTH) {
    if (draws(wholeLot(one, line), quantity) === "part") return onLanes(one, line, { does: "draw", quantity });
    const effect: Effect =
      to === undefined ? { does: "close", closed: "handed_out", quantity } : { does: "offer", offer, to, quantity };
    return onLanes(one, line, effect);
  }
  const effect: Effect = { does: "offer", offer, to: to!, quantity };
  if (moves === TITLE && line.main === undefined) {
    const title = ownedLot(one, line.title);
    rule("divided", draws(title, quantity) === "all");
    return [step(one, title, effect)];
  }
  const lot = heldLot(one, line.main);
  if (moves === TITLE) mustBegin(one, lot, line.title);
  rule("divided", draws(lot, quantity) === "all");
  const open = { offer, to: to! };
  if (moves === TITLE) return divided(one, lot, quantity, undefined, open);
  if (!lot.divided) {
    mustBegin(one, lot, line.title);
    return divided(one, lot, quantity, open, undefined);
  }
  rule("divided", line.title === undefined);
  return [step(one, lot, effect)];
}

/** The line begins the title lane of a lot that is not divided. */
function mustBegin({ event }: Case, lot: Lot, title: number | undefined): void {
  rule("divided", !lot.divided && title !== undefined && event.touches[title]!.prev.length === 0);
}

/** The lot divided, with what is open on its main and on its title lane. */
function divided(one: Case, lot: Lot, quantity: Quantity, onMain: Lot["open"], onTitle: Lot["open"]): LotStep[] {
  const title = { ...newLot(one.acting, lot.balance), open: onTitle };
  return [step(one, lot, { does: "divide", quantity, open: onMain }), { effect: { does: "create" }, after: title }];
}

/** A part-lot is offered from its first moment on, or has left with it. */
function offeredPart(one: Case, quantity: Quantity, from: Hex, to: Hex | undefined): LotStep {
  const gone = { balance: zero(quantity), closed: "handed_out" as const };
  return partOf(one.acting, quantity, from, to === undefined ? gone : { open: { offer: one.event.id, to } });
}

/** What an offer puts at the addressee's disposal in one line. */
interface Item {
  /** The part that was created, or the lot itself. */
  item: Hex;
  quantity: Quantity;
  /** The lanes on which the offer is open. */
  lanes: Lane[];
  /** Whether title to the lot is apart. */
  isDivided: boolean;
}

function itemsOf({ event, steps }: Offer): Item[] {
  const { body, touches } = event;
  const lines = touchesOf(touches, body);
  let nextPart = lines.reduce(
    (sum, { main, title }) => sum + Number(main !== undefined) + Number(title !== undefined),
    0,
  );
  return body.lines.map(({ lot, quantity }, index) => {
    const { main, title } = lines[index]!;
    const isPart = main !== undefined && steps[main]!.lot?.effect.does === "draw";
    const isDivided = body.moves !== BOTH || title !== undefined;
    const lanes: Lane[] = body.moves === TITLE ? ["title"] : ["main"];
    if (body.moves === BOTH && isDivided) lanes.push("title");
    return { item: isPart ? touches[nextPart++]!.subject : lot, quantity, lanes, isDivided };
  });
}

export function judgeAccepted(one: Case, body: TransferAccepted): Outcome {
  const offer = one.history.get(body.offer);
  rule("not_an_offer", offer !== undefined);
  rule("not_addressee", isOffer(offer) && offer.event.body.to === one.acting);
  const items = itemsOf(offer);
  rule("lines", body.lines.length === items.length);
  const touches = mustTouchItems(one, items);

  const outcome: Outcome = [];
  const returned: Outcome = [];
  items.forEach((item, index) => {
    const line = body.lines[index]!;
    const found = judgeLine(one, touches[index]!, () => {
      const lots = touches[index]!.map((touch, at) => awaiting(one, touch, item.lanes[at]!, offer));
      const effect = answer(line, item, offer);
      return lots.map((lot) => answered(one, lot, effect));
    });
    outcome.push(...(found === "fallen" ? item.lanes.map(() => found) : found));
    if (line.received.value > 0n && line.rejected !== undefined && line.rejected.value > 0n)
      returned.push(found === "fallen" ? found : partOf(offer.acting, line.rejected, item.item));
  });
  rule("touches", outcome.length + returned.length === one.event.touches.length);
  return [...outcome, ...returned];
}

export function judgeDeclined(one: Case, offerId: Hex): Outcome {
  const offer = one.history.get(offerId);
  rule("not_an_offer", offer !== undefined);
  rule("not_addressee", isOffer(offer) && offer.event.body.to === one.acting);
  return givenBack(one, offer);
}

export function judgeCancelled(one: Case, offerId: Hex): Outcome {
  const offer = one.history.get(offerId);
  rule("not_an_offer", offer !== undefined);
  rule("not_offerer", isOffer(offer) && offer.event.body.to !== undefined && offer.acting === one.acting);
  return givenBack(one, offer);
}

function givenBack(one: Case, offer: Offer): Outcome {
  const items = itemsOf(offer);
  const touches = mustTouchItems(one, items);
  rule("touches", one.event.touches.length === touches.flat().length);
  return items.flatMap(({ lanes }, index) => {
    const found = judgeLine(one, touches[index]!, () =>
      touches[index]!.map((touch, at) => {
        const lot = awaiting(one, touch, lanes[at]!, offer);
        return answered(one, lot, { does: "give_back", offer: offer.event.id });
      }),
    );
    return found === "fallen" ? lanes.map((): Outcome[number] => found) : found;
  });
}

/** The first touches are the lanes of the items, in their order; what follows creates. Gives them, item by item. */
function mustTouchItems({ event: { touches } }: Case, items: Item[]): number[][] {
  let at = 0;
  const found = items.map(({ item, lanes }) =>
    lanes.map((lane) => {
      const touch = touches[at];
      rule("touches", touch !== undefined && !touch.creates && touch.subject === item && touch.lane === lane);
      return at++;
    }),
  );
  rule(
    "touches",
    touches.slice(at).every(({ creates }) => creates),
  );
  return found;
}

/** The lot of touch `index`, on which this offer is open. */
function awaiting(one: Case, index: number, lane: Lane, offer: Offer): Lot {
  const lot = lotOf(one, index, lane);
  rule("no_open_offer", lot.open?.offer === offer.event.id);
  return lot;
}

function answered(one: Case, lot: Lot, effect: Effect): LotStep {
  const after = apply(lot, effect, one.acting);
  rule("no_open_offer", after !== undefined);
  return { effect, after };
}

/** What one answered line does, on each of its lanes. */
function answer(line: AcceptedLine, { quantity: offered, isDivided }: Item, { event }: Offer): Effect {
  const nothing = zero(line.received);
  const { received, rejected = nothing, lost = nothing } = line;
  const kept = plus(received, rejected);
  const total = kept && plus(kept, lost);
  rule("lines", total !== undefined && compareQuantities(total, offered) === 0 && total.packages === offered.packages);
  rule("zero_quantity", line.rejected?.value !== 0n && line.lost?.value !== 0n);
  rule("divided", !isDivided || received.value === 0n || rejected.value === 0n);
  rule("divided", event.body.moves !== TITLE || lost.value === 0n);
  const offer = event.id;
  if (received.value > 0n) return { does: "receive", offer, quantity: received };
  return rejected.value > 0n ? { does: "reject", offer, quantity: rejected } : { does: "lose_all", offer };
}
