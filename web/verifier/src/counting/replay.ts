/** Fourth pass of counting: the rules again, over what counts of the ancestors (section 9.4). */
import type { Hex } from "../bytes.js";
import type { Touch } from "../event/event.js";
import { attempt } from "../malformed.js";
import { type Case, actingFor, authorityOf, mustKnowActor, mustStand } from "../rules/case.js";
import type { Judged, Step } from "../rules/history.js";
import { outcomeOf } from "../rules/kinds.js";
import { lotBefore } from "../rules/lanes.js";
import type { Lot } from "../rules/lot.js";
import { BrokenRule, rule } from "../rules/rule.js";
import type { Counting } from "./counting.js";

/** Kinds of which a touch can fall alone. Of all others, what breaks a rule takes the whole event with it. */
const LINE_BY_LINE: readonly string[] = [
  "produce.transformed",
  "transfer.offered",
  "transfer.accepted",
  "transfer.declined",
  "transfer.cancelled",
  "unit.packed",
  "unit.unpacked",
  "recall.issued",
  "recall.updated",
  "recall.ended",
];

/** What each touch of an event is to its lane; nothing for those that do not count. */
export function recount(counting: Counting, judged: Judged): (Step | undefined)[] {
  const { event, steps } = judged;
  const extended = event.touches.map((touch, index) => extend(counting, judged, touch, index));
  const outcome = attempt(() => {
    const authority = authorityOf(counting, event);
    const acting = actingFor(counting, authority, event);
    if (event.capturedBy !== undefined) mustKnowActor({ view: counting, authority }, event.capturedBy);
    const before = extended.map(({ lot }) => lot);
    const one: Case = { history: counting.history, view: counting, event, authority, acting, before, first: judged };
    if (!LINE_BY_LINE.includes(event.body.kind)) before.forEach((_, index) => mustStand(one, index));
    return outcomeOf(one);
  });
  if (outcome instanceof BrokenRule) return steps.map(() => undefined);
  // Forms were settled with the signatures, so a rule is all that can be broken here.
  if (outcome instanceof Error) throw outcome;
  return steps.map((step, index) => {
    const lot = outcome[index];
    return lot === "fallen" ? undefined : { ...step, prev: extended[index]!.prev, lot };
  });
}

/** What a touch extends of what counts, and the lot before it, or why the touch cannot stand. */
function extend(
  counting: Counting,
  { event }: Judged,
  touch: Touch,
  index: number,
): { prev: readonly Hex[]; lot: Lot | undefined | BrokenRule } {
  const { subject, lane, creates } = touch;
  const prev = counting.predecessors(event.id, index);
  if (creates) return { prev, lot: undefined };
  const lot = attempt(() => {
    // Who attests goes on, whatever became of what it attested before.
    if (lane !== "main" && lane !== "title") return undefined;
    rule("prev", touch.prev.length === 0 || prev.length > 0);
    rule("decision", !counting.isOverruled(event.id, subject));
    const tips = prev.map((id) => counting.get(id)).filter((found) => found !== undefined);
    return lotBefore(counting, subject, lane, tips);
  });
  if (lot instanceof Error && !(lot instanceof BrokenRule)) throw lot;
  return { prev, lot };
}
