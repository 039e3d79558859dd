/** Whether events of a lane exclude each other, none of them for nothing, and none of them shown to be void. */
import type { Hex } from "../bytes.js";
import { fail } from "../checks/checklist.js";
import type { SignedEvent } from "../event/event.js";
import { type History, type Judged, stepIn } from "../rules/history.js";
import { join, spread } from "../rules/lanes.js";
import type { LaneConflict } from "./proof.js";

/** How many links are followed before this is given up: a fraction of a second. */
const MAX_STEPS = 4_000_000;

/** All that is asked of the events in conflict; gives the events of journals that were needed for it. */
export function checkExclusion(
  history: History,
  { subject, lane, tips }: LaneConflict,
  journals: ReadonlyMap<Hex, SignedEvent>,
): Set<Hex> {
  const inConflict = tips.map((id) => {
    const judged = history.get(id);
    if (judged === undefined) fail("unknown_event", { event: id }, "it is not in the file");
    if (stepIn(history, judged, subject, lane) === undefined) fail("other_lane", { event: id });
    return judged;
  });
  const extendedBy = (judged: Judged): readonly Hex[] => stepIn(history, judged, subject, lane)!.prev;
  const exclude = (events: Judged[]): boolean => join(history, subject, lane, events) === "conflict";
  if (!exclude(inConflict)) fail("no_conflict", {}, "the events can all stand beside each other");
  for (const judged of inConflict) {
    const lower = extendedBy(judged).map((id) => history.get(id)!);
    const lowered = [...inConflict.filter((other) => other !== judged), ...lower];
    if (exclude(lowered)) fail("reducible", { event: judged.event.id }, "the others exclude each other without it");
  }

  const { between } = spread(history, subject, lane, inConflict)!;
  const reachedBy = new Map<Hex, number>(tips.map((id, bit) => [id, 1 << bit]));
  for (const judged of [...between].reverse()) {
    const bits = reachedBy.get(judged.event.id) ?? 0;
    for (const id of extendedBy(judged)) reachedBy.set(id, (reachedBy.get(id) ?? 0) | bits);
  }
  const walks = new Walks(history, journals);
  const byKey = new Map<Hex, SignedEvent[]>();
  for (const { event } of between) {
    const earlier = byKey.get(event.key) ?? [];
    byKey.set(event.key, earlier);
    for (const other of earlier) {
      walks.count(event);
      const isJoint = (reachedBy.get(other.id)! & reachedBy.get(event.id)!) !== 0;
      if (!isJoint && !walks.part(other, event))
        fail("one_journal", { event: event.id }, "its key may have signed it after another one beside it");
    }
    earlier.push(event);
  }
  return walks.passed;
}

/** Follows the links of journals as far as the file shows them. */
class Walks {
  /** Events of journals that were passed where lines part. */
  readonly passed = new Set<Hex>();

  private steps = 0;

  constructor(
    private readonly history: History,
    private readonly journals: ReadonlyMap<Hex, SignedEvent>,
  ) {}

  count({ id }: SignedEvent): void {
    this.steps += 1;
    if (this.steps > MAX_STEPS) fail("too_complex", { event: id });
  }

  /** Whether the lines of two events of one key come to a common link, and neither event is met on the other's. */
  part(first: SignedEvent, second: SignedEvent): boolean {
    const [one, other] = [this.links(first), this.links(second)];
    if (one.includes(second.id) || other.includes(first.id)) return false;
    const places = new Map(one.map((link, place) => [link, place]));
    const at = other.findIndex((link) => places.has(link));
    if (at < 0) return false;
    const passed = [...other.slice(0, at), ...one.slice(0, places.get(other[at]!))];
    for (const link of passed) if (this.journals.has(link)) this.passed.add(link);
    return true;
  }

  /** The links of an event's journal, the nearest first. */
  private links(event: SignedEvent): Hex[] {
    const links = [event.journal];
    for (;;) {
      const link = links.at(-1)!;
      const previous = this.history.get(link)?.event ?? this.journals.get(link);
      if (previous === undefined || previous.key !== event.key) return links;
      links.push(previous.journal);
      this.count(event);
    }
  }
}
