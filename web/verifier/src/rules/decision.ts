/** Rules of dispute.resolved, event.confirmed and event.disputed: who has a part in events, and who decides. */
import type { Hex } from "../bytes.js";
import type { Choice } from "../event/body/parts.js";
import type { DisputeResolved, EventJudged } from "../event/body/statements.js";
import { byText, isAscending } from "../shape.js";
import { type Case, type Outcome, firstSubject, mustTouchOne } from "./case.js";
import type { History, Judged } from "./history.js";
import { rule } from "./rule.js";

/** Most branches of one decision. */
const MAX_BRANCHES = 16;

export function judgeResolved(one: Case, body: DisputeResolved): Outcome {
  const { history, authority } = one;
  const lot = mustTouchOne(one, authority.signer);
  const branches = mustChooseWell(one, body, lot);
  rule("not_resolver", resolverOf(history, branches) === authority.signer);
  if (body.replaces !== undefined) {
    const replaced = history.get(body.replaces);
    rule("decision", replaced?.event.body.kind === "dispute.resolved" && firstSubject(replaced) === lot);
  }
  return [undefined];
}

export function judgeStatement(one: Case, { target }: EventJudged): Outcome {
  const { history, authority } = one;
  const subject = mustTouchOne(one, authority.signer);
  const judged = history.get(target);
  rule("touches", judged === undefined || firstSubject(judged) === subject);
  rule("not_party", judged !== undefined && partiesOf(history, judged).has(authority.signer));
  return [undefined];
}

/** The branches of a decision over this lot, which must be events that move it. */
export function mustChooseWell({ history }: Case, { branches, standing }: Choice, lot: Hex): Judged[] {
  rule("decision", branches.length >= 2 && branches.length <= MAX_BRANCHES && isAscending(branches, byText));
  rule("decision", standing.length < branches.length && isAscending(standing, byText));
  rule(
    "decision",
    standing.every((id) => branches.includes(id)),
  );
  return branches.map((id) => {
    const judged = history.get(id);
    rule("decision", judged !== undefined && moves(judged, lot));
    return judged;
  });
}

/** Whether an event does something to the lot, on its main or title lane. */
function moves({ steps }: Judged, lot: Hex): boolean {
  return steps.some(({ touch, lot: step }) => {
    const does = touch.subject === lot ? step?.effect.does : undefined;
    return does !== undefined && does !== "create" && does !== "tell";
  });
}

/** The nearest actor above the signers of all branches that is party to none. */
function resolverOf(history: History, branches: Judged[]): Hex | undefined {
  const parties = new Set(branches.flatMap((branch) => [...partiesOf(history, branch)]));
  const [first, ...others] = branches.map((branch) => new Set(history.above(branch)));
  return [...first!].find((actor) => !parties.has(actor) && others.every((above) => above.has(actor)));
}

/** Those who have a part in an event. */
function partiesOf(history: History, { event, signer, acting }: Judged): Set<Hex> {
  return new Set(
    [signer, acting, event.capturedBy, ...namedParties(history, event.body)].filter((id) => id !== undefined),
  );
}

function namedParties(history: History, body: Judged["event"]["body"]): Iterable<Hex | undefined> {
  switch (body.kind) {
    case "transfer.offered":
      return [body.to, body.carrier];
    case "transfer.accepted":
    case "transfer.declined":
    case "transfer.cancelled":
      return partiesOf(history, history.get(body.offer)!);
    case "produce.collected":
      return body.deliveries.map(({ member }) => member);
    case "certificate.issued":
      return body.operators;
    default:
      return [];
  }
}
