/** First pass of counting: which amendments of the network are in force (docs/rules.md, section 9.1). */
import type { Hex } from "../bytes.js";
import type { NetworkAmended } from "../event/body/network.js";
import type { History, Judged } from "../rules/history.js";

/** A judged event that is an amendment. */
export type Amendment = Judged & { event: { body: NetworkAmended } };

function isAmendment(judged: Judged): judged is Amendment {
  return judged.event.body.kind === "network.amended";
}

/** The amendments in force, in the order in which they came into force. */
export function amendmentsInForce(history: History): Amendment[] {
  const founders = new Set(history.network.founders.values());
  const indexed = [...founders];
  const following = new Map<string, Amendment[]>();
  const approvals = new Map<Hex, Set<Hex>>();
  for (const judged of history.all()) {
    const { id, body } = judged.event;
    if (isAmendment(judged)) {
      const name = judged.event.body.follows.join();
      following.set(name, [...(following.get(name) ?? []), judged]);
      approvals.set(id, new Set([judged.signer]));
    }
    // An amendment comes before its approvals.
    if (body.kind === "network.approved") approvals.get(body.amendment)!.add(judged.signer);
  }

  const inForce: Amendment[] = [];
  let followed = [history.network.id];
  for (;;) {
    const rivals = (following.get(followed.join()) ?? []).filter(({ event }) => {
      const approving = [...approvals.get(event.id)!].filter((actor) => founders.has(actor));
      return 2 * approving.length > founders.size;
    });
    const [first, ...others] = rivals;
    if (first === undefined) return inForce;
    if (others.length === 0) {
      inForce.push(first);
      const { leaves } = first.event.body.change;
      if (leaves !== undefined) founders.delete(indexed[leaves.founder]!);
    }
    followed = rivals.map(({ event }) => event.id).sort();
  }
}
