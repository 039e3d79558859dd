/** Check 4: every event keeps the rules, replayed over the bundle. */
import type { SignedEvent } from "../event/event.js";
import { attempt } from "../malformed.js";
import { History, type Network } from "../rules/history.js";
import { judge } from "../rules/replay.js";
import { BrokenRule } from "../rules/rule.js";
import { fail } from "./checklist.js";

export function checkRules(events: SignedEvent[], network: Network): History {
  const history = new History(network);
  for (const event of events) {
    const judged = attempt(() => judge(history, event));
    if (judged instanceof BrokenRule) fail(judged.code, { event: event.id });
    // Forms were settled with the signatures, so a rule is all that can be broken here.
    if (judged instanceof Error) throw judged;
    history.add(judged);
  }
  return history;
}
