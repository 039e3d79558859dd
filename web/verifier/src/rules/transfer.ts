/** Rules of the handover: offered, accepted, declined, cancelled. */
import type { Hex } from "../bytes.js";
import type { AcceptedLine, TransferAccepted, TransferOffered } from "../event/body.js";
import { type Quantity, compareQuantities, plus, zero } from "../event/quantity.js";
import { type Case, type Outcome, heldLot, lotOf, mustKnowActor, mustKnowPlace } from "./case.js";
import type { Judged } from "./history.js";
import { type Effect, type Lot, apply, newLot } from "./lot.js";
import { draws } from "./produce.js";
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
  // What is taken back may be the network id, which is no event at all; that is seen before anything else.
  rule("not_an_offer", body.returns === undefined || history.get(body.returns) !== undefined);
  rule("lines", body.lines.length >= 1 && body.lines.length <= MAX_LINES);
  mustTellOfferWell(body);
  rule("not_an_offer", body.returns === undefined || isOffer(history.get(body.returns)));
  rule("to_self", body.to !== acting);
  if (body.to !== undefined) mustKnowActor(one, body.to);
  for (const place of [body.fromPlace, body.toPlace]) if (place !== undefined) mustKnowPlace(one, place);
  if (body.carrier !== undefined) mustKnowActor(one, body.carrier);
  mustTouchThenCreate(
    one,
    body.lines.map(({ lot }) => lot),
  );

  const outcome: Outcome = [];
  const parts: Outcome = [];
  body.lines.forEach(({ quantity }, index) => {
    const lot = heldLot(one, index);
    const isPart = draws(lot, quantity) === "part";
    const effect = effectOfLine(event.id, body.to, quantity, isPart);
    if (isPart) parts.push({ effect: { does: "create" }, after: partOf(acting, quantity, event.id, body.to) });
    const after = apply(lot, effect, acting);
    rule("balance", after !== undefined);
    outcome.push({ effect, after });
  });
  return mustFillTouches(one, [...outcome, ...parts]);
}

/** Temperature limits are the right way round. */
export function mustTellOfferWell({ temperature }: TransferOffered): void {
  rule("temperature", temperature === undefined || temperature[0] <= temperature[1]);
}

function effectOfLine(offer: Hex, to: Hex | undefined, quantity: Quantity, isPart: boolean): Effect {
  if (isPart) return { does: "draw", quantity };
  if (to !== undefined) return { does: "offer", offer, to, quantity };
  return { does: "close", closed: "handed_out", quantity };
}

/** A part-lot is offered from its first moment on, or has left with it. */
function partOf(holder: Hex, quantity: Quantity, offer: Hex, to: Hex | undefined): Lot {
  const part = newLot(holder, quantity);
  return to === undefined
    ? { ...part, balance: zero(quantity), closed: "handed_out" }
    : { ...part, open: { offer, to } };
}

export function judgeAccepted(one: Case, body: TransferAccepted): Outcome {
  const offer = one.history.get(body.offer);
  rule("not_an_offer", offer !== undefined);
  rule("not_addressee", isOffer(offer) && offer.event.body.to === one.acting);
  const items = offeredItems(offer);
  rule("lines", body.lines.length === items.length);
  mustTouchThenCreate(
    one,
    items.map(({ item }) => item),
  );

  const outcome: Outcome = [];
  const returned: Outcome = [];
  items.forEach(({ quantity }, index) => {
    const lot = awaiting(one, index, offer);
    const { effect, givenBack } = answer(body.lines[index]!, quantity, body.offer);
    const after = apply(lot, effect, one.acting);
    rule("no_open_offer", after !== undefined);
    outcome.push({ effect, after });
    if (givenBack) returned.push({ effect: { does: "create" }, after: newLot(offer.acting, givenBack) });
  });
  return mustFillTouches(one, [...outcome, ...returned]);
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
  const items = offeredItems(offer);
  mustTouchThenCreate(
    one,
    items.map(({ item }) => item),
  );
  rule("touches", one.event.touches.length === items.length);
  return items.map((_, index) => {
    const lot = awaiting(one, index, offer);
    const effect: Effect = { does: "give_back", offer: offer.event.id };
    const after = apply(lot, effect, one.acting);
    rule("no_open_offer", after !== undefined);
    return { effect, after };
  });
}

/** What an offer puts at the addressee's disposal, line by line: the lot itself, or the part minted from it. */
export function offeredItems(offer: Judged): { lot: Hex; item: Hex; quantity: Quantity }[] {
  const { body, touches } = offer.event;
  if (body.kind !== "transfer.offered") return [];
  let nextPart = body.lines.length;
  return body.lines.map(({ lot, quantity }, index) => {
    const isPart = offer.steps[index]!.lot?.effect.does === "draw";
    return { lot, item: isPart ? touches[nextPart++]!.subject : lot, quantity };
  });
}

/** The touches are these subjects, in this order, followed by nothing but new ones. */
function mustTouchThenCreate({ event }: Case, subjects: Hex[]): void {
  const fits = event.touches.every(({ subject, creates }, index) =>
    index < subjects.length ? !creates && subject === subjects[index] : creates,
  );
  rule("touches", fits && event.touches.length >= subjects.length);
}

/** There is one outcome for each touch. */
function mustFillTouches({ event }: Case, outcome: Outcome): Outcome {
  rule("touches", outcome.length === event.touches.length);
  return outcome;
}

/** The lot of touch `index`, on which this offer is open. */
function awaiting(one: Case, index: number, offer: Offer): Lot {
  const lot = lotOf(one, index);
  rule("no_open_offer", lot.open?.offer === offer.event.id);
  return lot;
}

/** What one answered line does, and what goes back to the offerer as a part-lot. */
function answer(
  line: AcceptedLine,
  offered: Quantity,
  offer: Hex,
): { effect: Effect; givenBack: Quantity | undefined } {
  const nothing = zero(line.received);
  const { received, rejected = nothing, lost = nothing } = line;
  const kept = plus(received, rejected);
  const total = kept && plus(kept, lost);
  rule("lines", total !== undefined && compareQuantities(total, offered) === 0 && total.packages === offered.packages);
  rule("zero_quantity", line.rejected?.value !== 0n && line.lost?.value !== 0n);
  if (received.value > 0n) {
    return {
      effect: { does: "receive", offer, quantity: received },
      givenBack: rejected.value > 0n ? rejected : undefined,
    };
  }
  const effect: Effect =
    rejected.value > 0n ? { does: "reject", offer, quantity: rejected } : { does: "lose_all", offer };
  return { effect, givenBack: undefined };
}
