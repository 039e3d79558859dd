/** Judges one event after another by the rules of docs/rules.md; each looks at its ancestors alone. */
import type { Hex } from "../bytes.js";
import { type SignedEvent, ancestorsOf } from "../event/event.js";
import { judgeEnrolled, judgeUpdated } from "./actor.js";
import { type Authority, type Case, type Outcome, actingFor, authorityOf, mustKnowActor } from "./case.js";
import { correctsQuantity, judgeCorrected } from "./correction.js";
import type { History, Judged, Step } from "./history.js";
import { stepIn } from "./history.js";
import { join, lotAfter } from "./lanes.js";
import type { Lot } from "./lot.js";
import { judgePlace } from "./place.js";
import { judgeMoved, judgeRegistered, judgeRetired, judgeTold } from "./produce.js";
import { BrokenRule, rule } from "./rule.js";
import { judgeAccepted, judgeCancelled, judgeDeclined, judgeOffered } from "./transfer.js";

/** What follows from an event that keeps the rules; throws `BrokenRule` otherwise. */
export function judge(history: History, event: SignedEvent): Judged {
  const isHere = (id: Hex) => id === history.network.id || history.get(id) !== undefined;
  if (!ancestorsOf(event).every(isHere)) throw new BrokenRule("missing_ancestor");
  if (isUnsupported(history, event)) throw new BrokenRule("unsupported");

  const authority = authorityOf(history, event);
  const acting = actingFor(authority, event);
  if (event.capturedBy !== undefined) mustKnowActor({ history, authority }, event.capturedBy);
  const extended = event.touches.map((_, index) => extend(history, event, index, authority));
  const one: Case = { history, event, authority, acting, before: extended.map(({ lot }) => lot) };
  const outcome = outcomeOf(one);
  const steps = event.touches.map((touch, index): Step => ({
    touch,
    height: extended[index]!.height,
    lot: outcome[index],
  }));
  return { event, signer: authority.signer, acting, keyEvent: authority.keyEvent, steps };
}

/** Kinds without rules, and forms of known kinds whose rules come with other kinds. */
function isUnsupported(history: History, { touches, body }: SignedEvent): boolean {
  if (touches.some(({ lane }) => lane === "title")) return true;
  switch (body.kind) {
    case "other":
      return true;
    case "transfer.offered":
      return body.moves !== 3;
    case "event.corrected":
      return correctsQuantity(body, history.get(body.target));
    default:
      return false;
  }
}

/** Height of the event in the lane of a touch, and the lot before it. */
function extend(
  history: History,
  event: SignedEvent,
  index: number,
  authority: Authority,
): { height: number; lot: Lot | undefined } {
  const { subject, lane, prev, creates } = event.touches[index]!;
  if (creates) return { height: 0, lot: undefined };
  const tips: Judged[] = [];
  let height = 0;
  for (const id of prev) {
    // A founder has no event that created it: its own lane begins at the network id.
    if (id === history.network.id) {
      rule("prev", subject === authority.signer && lane === "main" && prev.length === 1);
      return { height: 0, lot: undefined };
    }
    const judged = history.get(id)!;
    const step = stepIn(judged, subject, lane);
    rule("prev", step !== undefined);
    height = Math.max(height, step.height + 1);
    tips.push(judged);
  }
  if (lane !== "main") return { height, lot: undefined };
  const lot = tips.length === 1 ? lotAfter(tips[0]!, subject) : join(history, subject, tips);
  rule("conflict", lot !== "conflict");
  return { height, lot };
}

function outcomeOf(one: Case): Outcome {
  const { body } = one.event;
  switch (body.kind) {
    case "actor.enrolled":
      return judgeEnrolled(one, body);
    case "actor.updated":
      return judgeUpdated(one, body);
    case "place.registered":
      return judgePlace(one, body);
    case "produce.registered":
      return judgeRegistered(one, body);
    case "produce.moved":
      return judgeMoved(one, body);
    case "produce.quality_updated":
    case "produce.price_updated":
      return judgeTold(one);
    case "produce.retired":
      return judgeRetired(one, body);
    case "transfer.offered":
      return judgeOffered(one, body);
    case "transfer.accepted":
      return judgeAccepted(one, body);
    case "transfer.declined":
      return judgeDeclined(one, body.offer);
    case "transfer.cancelled":
      return judgeCancelled(one, body.offer);
    case "event.corrected":
      return judgeCorrected(one, body);
    case "other":
      throw new BrokenRule("unsupported");
  }
}
