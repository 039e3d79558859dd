/** Nodes as the events of a bundle tell of them: whose log key is which, and where each anchors. */
import type { AnchorLine } from "./bundle.js";
import { type Hex, toHex } from "./bytes.js";
import type { NodeDetails } from "./event/body.js";
import type { History, Judged } from "./rules/history.js";

/** The node details that an event gives, if any. */
function detailsIn({ event: { body } }: Judged): NodeDetails | undefined {
  return body.kind === "actor.enrolled" || body.kind === "actor.updated" ? body.node : undefined;
}

/** Log key → actor whose latest details name it; where several do, the lowest. */
export function nodesByLogKey(history: History): Map<Hex, Hex> {
  const actors = new Set<Hex>();
  for (const judged of history.all()) if (detailsIn(judged)) actors.add(judged.event.touches[0]!.subject);
  const nodes = new Map<Hex, Hex>();
  for (const actor of [...actors].sort()) {
    const latest = history
      .inReadingOrder(actor, "main")
      .map(detailsIn)
      .findLast((details) => details !== undefined);
    if (latest && !nodes.has(latest.logKey)) nodes.set(latest.logKey, actor);
  }
  return nodes;
}

/** Whether some event of the node's main lane names this chain, contract and sender. */
export function anchorsThere(history: History, { node, chain, contract, sender }: AnchorLine): boolean {
  return history.lane(node, "main").some((judged) => {
    const named = detailsIn(judged)?.anchoring;
    return named?.chain === BigInt(chain) && named.contract === toHex(contract) && named.sender === toHex(sender);
  });
}
