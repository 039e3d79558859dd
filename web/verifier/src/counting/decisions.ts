/** Third pass of counting: what decisions overrule (section 9.3). */
import type { Hex } from "../bytes.js";
import { firstSubject } from "../rules/case.js";
import type { History } from "../rules/history.js";
import type { Amendment } from "./network.js";

/** Whether an event's touches of a lot are overruled. */
export type Overruled = (event: Hex, lot: Hex) => boolean;

/** What decisions say of one event's touches of one lot. */
interface Said {
  /** By the last amendment in force that says anything. */
  byAmendment: boolean | undefined;
  /** By each head, that is each decision that no other replaces. */
  byHeads: boolean[];
}

export function decisions(history: History, amendments: Amendment[], live: ReadonlySet<Hex>): Overruled {
  const said = new Map<string, Said>();
  const of = (event: Hex, lot: Hex): Said => {
    const name = `${event} ${lot}`;
    const found = said.get(name) ?? { byAmendment: undefined, byHeads: [] };
    said.set(name, found);
    return found;
  };
  for (const { event } of amendments) {
    const { decision } = event.body.change;
    for (const branch of decision?.branches ?? [])
      of(branch, decision!.lot).byAmendment = !decision!.standing.includes(branch);
  }

  const replaced = new Set<Hex>();
  const resolved = [...history.all()].filter(
    ({ event }) => event.body.kind === "dispute.resolved" && live.has(event.id),
  );
  for (const { event } of resolved)
    if (event.body.kind === "dispute.resolved" && event.body.replaces !== undefined) replaced.add(event.body.replaces);
  for (const judged of resolved) {
    const { id, body } = judged.event;
    if (body.kind !== "dispute.resolved" || replaced.has(id)) continue;
    for (const branch of body.branches) of(branch, firstSubject(judged)).byHeads.push(!body.standing.includes(branch));
  }

  return (event, lot) => {
    const { byAmendment, byHeads } = said.get(`${event} ${lot}`) ?? { byAmendment: undefined, byHeads: [] };
    return byAmendment ?? (byHeads.length === 1 && byHeads[0]!);
  };
}
