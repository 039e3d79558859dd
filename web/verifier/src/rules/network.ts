/** Rules of network.amended and network.approved. */
import { utf8 } from "../bytes.js";
import type { Change, NetworkAmended, NetworkApproved } from "../event/body/network.js";
import { byText, isAscending } from "../shape.js";
import { mustCutWell } from "./actor.js";
import { type Case, type Outcome, mustTouchOne } from "./case.js";
import { mustChooseWell } from "./decision.js";
import { rule } from "./rule.js";

/** Most amendments that one follows. */
const MAX_FOLLOWED = 16;

/** Most contracts and parameters, and most bytes in the name of a parameter. */
const [MAX_CONTRACTS, MAX_PARAMETERS, MAX_NAME] = [16, 32, 64];

export function judgeAmended(one: Case, { follows, change }: NetworkAmended): Outcome {
  mustBeFounders(one);
  const { network } = one.view;
  const isBeginning = follows.length === 1 && follows[0] === network.id;
  const areAmendments = follows.every((id) => one.history.get(id)?.event.body.kind === "network.amended");
  const isListed = follows.length >= 1 && follows.length <= MAX_FOLLOWED && isAscending(follows, byText);
  rule("amendment", isListed && (isBeginning || areAmendments));
  rule("empty", !change.isEmpty);
  mustListChanges(change);
  if (change.leaves !== undefined) {
    rule("founder", change.leaves.founder < network.founders.size);
    rule("cut", change.leaves.cut.keyEvent === network.id);
    mustCutWell(change.leaves.cut);
  }
  if (change.decision !== undefined) mustChooseWell(one, change.decision, change.decision.lot);
  return [undefined];
}

export function judgeApproved(one: Case, { amendment }: NetworkApproved): Outcome {
  mustBeFounders(one);
  rule("amendment", one.history.get(amendment)?.event.body.kind === "network.amended");
  return [undefined];
}

/** On the network's own lane, founders alone write. */
function mustBeFounders(one: Case): void {
  rule("touches", mustTouchOne(one, "main") === one.view.network.id);
  rule("founder", one.authority.enrolment === undefined);
}

function mustListChanges({ contracts = [], parameters = [] }: Change): void {
  const byChain = (a: (typeof contracts)[number], b: (typeof contracts)[number]) =>
    a.chain === b.chain ? byText(a.addresses[0]!, b.addresses[0]!) : a.chain < b.chain ? -1 : 1;
  rule("list_order", contracts.length <= MAX_CONTRACTS && isAscending(contracts, byChain));
  const areShort = parameters.every((name) => utf8(name).length <= MAX_NAME);
  rule("list_order", parameters.length <= MAX_PARAMETERS && areShort);
}
