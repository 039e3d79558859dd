/** Nodes as the events of a bundle tell of them: whose log key is which, and where each anchors. */
import type { AnchorLine } from "./bundle.js";
import { type Hex, toHex } from "./bytes.js";
import type { Counting } from "./counting/counting.js";
import type { NodeDetails } from "./event/body/actors.js";
import { type History, type Judged, stepIn } from "./rules/history.js";

/** The node details that an event gives, if any. */
function detailsIn({ event: { body } }: Judged): NodeDetails | undefined {
  return body.kind === "actor.enrolled" || body.kind === "actor.updated" ? body.node : undefined;
}

/**
 * Log key → actor whose latest details name it; where several do, the one whose first event that names it stands first
 * in the bundle: nobody takes over a key by naming it later.
 */
export function nodesByLogKey(counting: Counting): Map<Hex, Hex> {
  const latest = new Map<Hex, Hex | undefined>();
  const nodes = new Map<Hex, Hex>();
  // Every event that names a key is met, in the order of the bundle, so the first that is taken is the right one.
  for (const judged of counting.history.all()) {
    const logKey = detailsIn(judged)?.logKey;
    if (logKey === undefined || nodes.has(logKey)) continue;
    const actor = judged.event.touches[0]!.subject;
    if (!latest.has(actor)) latest.set(actor, latestLogKey(counting, actor));
    if (latest.get(actor) === logKey) nodes.set(logKey, actor);
  }
  return nodes;
}

/** The log key in the latest details of an actor that count, in reading order. */
function latestLogKey(counting: Counting, actor: Hex): Hex | undefined {
  const events = counting.history.inReadingOrder(actor, "main");
  const details = events.filter((judged) => stepIn(counting, judged, actor, "main") !== undefined).map(detailsIn);
  return details.findLast((given) => given !== undefined)?.logKey;
}

/** Whether some event of the node's main lane names this chain, contract and sender. */
export function anchorsThere(history: History, { node, chain, contract, sender }: AnchorLine): boolean {
  return history.lane(node, "main").some((judged) => {
    const named = detailsIn(judged)?.anchoring;
    return named?.chain === BigInt(chain) && named.contract === toHex(contract) && named.sender === toHex(sender);
  });
}
