/** Check 4: every event keeps the rules, replayed over the bundle; and what of them counts. */
import type { Bundle, Survival } from "../bundle.js";
import { fromHex } from "../bytes.js";
import { Counting, TooComplex } from "../counting/counting.js";
import { endsMadeBy, journalOf } from "../counting/keys.js";
import type { SignedEvent } from "../event/event.js";
import { attempt } from "../malformed.js";
import { leafHash, verifyInclusion } from "../merkle.js";
import { History, type Network } from "../rules/history.js";
import { judge } from "../rules/replay.js";
import { BrokenRule } from "../rules/rule.js";
import { fail } from "./checklist.js";

/**
 * How often replaying may look up earlier events, and counting again: some seconds of work. Joins walk back to where
 * their lines part, so a hostile bundle could otherwise ask for a time that grows with the square of its size; no
 * history that nodes admit comes near. One event passes the bound by no more than the bundle names events, so it is
 * enough to look after each.
 */
const MAX_LOOK_UPS = 4_000_000;

export function checkRules({ survivals }: Bundle, events: SignedEvent[], network: Network): Counting {
  const history = replay(events, network);
  for (const survival of survivals) if (!isShown(history, survival)) fail("bad_survival", { event: survival.event });
  try {
    return new Counting(history, survivals, MAX_LOOK_UPS);
  } catch (error) {
    if (error instanceof TooComplex) fail("too_complex", { event: error.event });
    throw error;
  }
}

/** All events, judged one after the other as they were admitted. */
export function replay(events: SignedEvent[], network: Network): History {
  const history = new History(network);
  for (const event of events) {
    const judged = attempt(() => judge(history, event));
    if (judged instanceof BrokenRule) fail(judged.code, { event: event.id }, judged.message);
    // Forms were settled with the signatures, so a rule is all that can be broken here.
    if (judged instanceof Error) throw judged;
    if (history.lookUps >= MAX_LOOK_UPS) fail("too_complex", { event: event.id });
    history.add(judged);
  }
  return history;
}

/** Whether the event lies in the journal, before the end that the cutter makes of it. */
function isShown(history: History, { cutter, keyEvent, event, index, path }: Survival): boolean {
  const [cutting, judged] = [history.get(cutter), history.get(event)];
  if (cutting === undefined || judged === undefined) return false;
  const end = endsMadeBy(history, cutting).find(
    (one) => one.keyEvent === keyEvent && one.journal === journalOf(judged),
  );
  return end !== undefined && verifyInclusion(leafHash(fromHex(event)), index, end.count, path, end.root);
}
