/** Second pass of counting: which events are live, because no cut ends their key before them (section 9.2). */
import type { Survival } from "../bundle.js";
import type { Hex } from "../bytes.js";
import type { Cut } from "../event/body/parts.js";
import { firstSubject } from "../rules/case.js";
import type { History, Judged } from "../rules/history.js";
import type { Amendment } from "./network.js";

/** Everything that was signed with one key, by the right of one key event. */
interface Journal {
  keyEvent: Judged | undefined;
  enrolment: Judged | undefined;
  /** How many enrolments lie between the founders and its actor. */
  depth: number;
  events: Judged[];
}

/** One end of a journal. */
interface End {
  cutter: Judged;
  later: readonly Hex[];
}

/** The name of the journal to which an event belongs: its key event, or for founders the key. */
export function journalOf({ keyEvent, event }: Judged): Hex {
  return keyEvent === undefined ? `founder ${event.key}` : keyEvent.event.id;
}

/** The ends of journals that an event makes, whether it is live or not: journal, count, root and later events. */
export function endsMadeBy(history: History, judged: Judged): (Omit<Cut, "last"> & { journal: Hex })[] {
  const { body } = judged.event;
  switch (body.kind) {
    case "actor.key_replaced":
    case "actor.revoked":
      return body.cuts.map((cut) => ({ ...cut, journal: cut.keyEvent }));
    case "actor.key_rotated": {
      const keyEvent = judged.keyEvent!.event.id;
      return [{ keyEvent, journal: keyEvent, count: body.count, root: body.root, later: [] }];
    }
    case "network.amended": {
      const { leaves } = body.change;
      if (leaves === undefined) return [];
      return [{ ...leaves.cut, journal: `founder ${[...history.network.founders.keys()][leaves.founder]!}` }];
    }
    default:
      return [];
  }
}

/** The ids of all live events. */
export function liveEvents(history: History, amendments: Amendment[], survivals: readonly Survival[]): Set<Hex> {
  const shown = new Set(survivals.map(({ cutter, keyEvent, event }) => `${cutter} ${keyEvent} ${event}`));
  const survives = ({ event, keyEvent }: Judged, { cutter, later }: End): boolean =>
    cutter.event.id === event.id ||
    later.includes(event.id) ||
    shown.has(`${cutter.event.id} ${keyEvent?.event.id ?? history.network.id} ${event.id}`);

  const live = new Set<Hex>();
  const ends = new Map<Hex, End[]>();
  const end = (cutter: Judged): void => {
    for (const { journal, later } of endsMadeBy(history, cutter))
      ends.set(journal, [...(ends.get(journal) ?? []), { cutter, later }]);
  };
  amendments.forEach(end);

  // What ends a journal from above is signed in journals of less depth, and key events come before their journals.
  for (const [name, { keyEvent, enrolment, events }] of journalsByDepth(history)) {
    const isLive = (judged: Judged | undefined) => judged === undefined || live.has(judged.event.id);
    if (!isLive(keyEvent) || !isLive(enrolment)) continue;
    const standing = events.filter((judged) => (ends.get(name) ?? []).every((one) => survives(judged, one)));
    const rotations = standing.filter(({ event }) => event.body.kind === "actor.key_rotated");
    for (const judged of standing) {
      const isRotation = judged.event.body.kind === "actor.key_rotated";
      if (!isRotation && !rotations.every((cutter) => survives(judged, { cutter, later: [] }))) continue;
      live.add(judged.event.id);
      // What an amendment ends, it ends by being in force; what a rotation ends was seen above.
      if (!isRotation && judged.event.body.kind !== "network.amended") end(judged);
    }
  }
  return live;
}

/** Journals by the depth of their actor, then in the order in which their keys were given. */
function journalsByDepth(history: History): [Hex, Journal][] {
  const depths = new Map<Hex, number>();
  for (const actor of history.network.founders.values()) depths.set(actor, 0);
  const journals = new Map<Hex, Journal>();
  const order = new Map<Hex, number>();
  for (const judged of history.all()) {
    order.set(judged.event.id, order.size);
    // Who enrols was enrolled before.
    const depth = depths.get(judged.signer)!;
    if (judged.event.body.kind === "actor.enrolled") depths.set(firstSubject(judged), depth + 1);
    const name = journalOf(judged);
    const { keyEvent, enrolment } = judged;
    const journal = journals.get(name) ?? { keyEvent, enrolment, depth, events: [] };
    journals.set(name, journal);
    journal.events.push(judged);
  }
  const given = ({ keyEvent }: Journal) => (keyEvent === undefined ? -1 : order.get(keyEvent.event.id)!);
  return [...journals].sort(([, a], [, b]) => a.depth - b.depth || given(a) - given(b));
}
