/** Judges one event after another by the rules of docs/rules.md; each looks at its ancestors alone. */
import { type Hex } from "../bytes.js";
import { type SignedEvent, type Touch, ancestorsOf } from "../event/event.js";
import { type Authority, type Case, actingFor, authorityOf, mustKnowActor } from "./case.js";
import type { History, Judged, Step } from "./history.js";
import { stepIn } from "./history.js";
import { outcomeOf } from "./kinds.js";
import { lotBefore } from "./lanes.js";
import type { Lot } from "./lot.js";
import { BrokenRule, rule } from "./rule.js";

/** The version of the rules that this program knows. */
const RULES_VERSION = 1n;

/** What follows from an event that keeps the rules; throws `BrokenRule` otherwise. */
export function judge(history: History, event: SignedEvent): Judged {
  const isHere = (id: Hex) => id === history.network.id || history.get(id) !== undefined;
  if (!ancestorsOf(event).every(isHere)) throw new BrokenRule("missing_ancestor");
  if (isUnsupported(history, event)) throw new BrokenRule("unsupported");

  const authority = authorityOf(history, event);
  const acting = actingFor(history, authority, event);
  if (event.capturedBy !== undefined) mustKnowActor({ view: history, authority }, event.capturedBy);
  const extended = event.touches.map((touch) => extend(history, touch, authority));
  const before = extended.map(({ lot }) => lot);
  const one: Case = { history, view: history, event, authority, acting, before, first: undefined };
  const outcome = outcomeOf(one);
  const steps = event.touches.map((touch, index): Step => {
    const lot = outcome[index];
    return { touch, prev: touch.prev, height: extended[index]!.height, lot: lot === "fallen" ? undefined : lot };
  });
  const { signer, keyEvent, enrolment } = authority;
  return { event, signer, acting, keyEvent, enrolment, steps };
}

/** Kinds without rules, and events that rest on rules of a later version. */
function isUnsupported(history: History, { body, basis }: SignedEvent): boolean {
  if (body.kind === "other") return true;
  return basis.some((id) => {
    const named = history.get(id)?.event.body;
    return named?.kind === "network.amended" && (named.change.rules ?? 0n) > RULES_VERSION;
  });
}

/** Height of the event in the lane of a touch, and the lot before it. */
function extend(
  history: History,
  { subject, lane, prev, creates }: Touch,
  authority: Authority,
): { height: number; lot: Lot | undefined } {
  if (creates) return { height: 0, lot: undefined };
  const { id: network } = history.network;
  const tips: Judged[] = [];
  let height = 0;
  for (const id of prev) {
    // The network, and founders, have no event that created them: their lanes begin at the network id.
    if (id === network) {
      const mayBegin = subject === authority.signer || subject === network;
      rule("prev", mayBegin && lane === "main" && prev.length === 1);
      return { height: 0, lot: undefined };
    }
    const judged = history.get(id)!;
    const step = stepIn(history, judged, subject, lane);
    rule("prev", step !== undefined);
    height = Math.max(height, step.height + 1);
    tips.push(judged);
  }
  return { height, lot: lotBefore(history, subject, lane, tips) };
}
