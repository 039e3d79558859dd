/** Check 4: every event keeps the rules, replayed over the bundle. */
import type { SignedEvent } from "../event/event.js";
import { attempt } from "../malformed.js";
import { History, type Network } from "../rules/history.js";
import { judge } from "../rules/replay.js";
import { BrokenRule } from "../rules/rule.js";
import { fail } from "./checklist.js";

/**
 * How often replaying may look up earlier events: some seconds of work. Joins walk back to where their lines part, so a
 * hostile bundle could otherwise ask for a time that grows with the square of its size; no history that nodes admit
 * comes near. One event passes the bound by no more than the bundle names events, so it is enough to look after each.
 */
const MAX_LOOK_UPS = 4_000_000;

export function checkRules(events: SignedEvent[], network: Network): History {
  const history = new History(network);
  for (const event of events) {
    const judged = attempt(() => judge(history, event));
    if (judged instanceof BrokenRule) fail(judged.code, { event: event.id });
    // Forms were settled with the signatures, so a rule is all that can be broken here.
    if (judged instanceof Error) throw judged;
    if (history.lookUps >= MAX_LOOK_UPS) fail("too_complex", { event: event.id });
    history.add(judged);
  }
  return history;
}
