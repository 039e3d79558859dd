/** Check 5: the bundle holds what belongs to the lot, and nothing else. */
import type { Bundle } from "../bundle.js";
import type { Hex } from "../bytes.js";
import type { Counting } from "../counting/counting.js";
import { type SignedEvent, ancestorsOf } from "../event/event.js";
import { Malformed } from "../malformed.js";
import { nodesByLogKey } from "../nodes.js";
import { type Checkpoint, cosignatureLines } from "../note.js";
import type { History } from "../rules/history.js";
import { fail } from "./checklist.js";

/** What the scope found, for later checks. */
export interface Scope {
  /** The node whose log the checkpoint is. */
  node: Hex;
  /** Log key → node. */
  nodes: Map<Hex, Hex>;
  /** All whole subjects, ascending. */
  whole: Hex[];
  /** Those of them that are lots, ascending. */
  lots: Hex[];
}

export function checkScope(bundle: Bundle, counting: Counting, checkpoint: Checkpoint | Malformed): Scope {
  const { history } = counting;
  const nodes = nodesByLogKey(counting);
  const node = checkpoint instanceof Malformed ? undefined : nodes.get(checkpoint.logKey);
  if (checkpoint instanceof Malformed) fail("unknown_log", {}, checkpoint.message);
  if (node === undefined) fail("unknown_log");
  const origins = originsOf(history);
  const isCounted = counting.lane(bundle.lot, "main").some(({ event }) => createsMain(event, bundle.lot));
  if (!origins.has(bundle.lot) || !isCounted) fail("unknown_lot", { subject: bundle.lot });

  const { lots, parents } = reachedLots(bundle, counting, origins);
  if (bundle.leftOut !== undefined) {
    const [missing, extra] = differences(
      [...parents].filter((lot) => !lots.has(lot)),
      bundle.leftOut,
    );
    const differing = [...missing, ...extra].sort()[0];
    if (differing !== undefined) fail("left_out", { subject: differing });
  }
  const whole = new Set([...lots, history.network.id, node, ...bundle.lines.map((line) => line.node)]);
  for (const { signer } of history.all()) whole.add(signer);
  for (const { logKey } of cosignatureLines(checkpoint, history.network.id, nodes.keys()))
    whole.add(nodes.get(logKey)!);
  const [missing, extra] = differences(
    [...whole],
    bundle.subjects.map(({ subject }) => subject),
  );
  if (missing[0] !== undefined) fail("missing_subject", { subject: missing[0] });
  if (extra[0] !== undefined) fail("extra_subject", { subject: extra[0] });
  mustNeedEveryEvent(history, whole);
  return { node, nodes, whole: [...whole].sort(), lots: [...lots].sort() };
}

function createsMain({ touches }: SignedEvent, subject: Hex): boolean {
  return touches.some((touch) => touch.creates && touch.subject === subject);
}

/** Where a lot comes from, as its events were judged, whether that counts or not. */
interface Origin {
  /** The lots from which it was taken or made. */
  from: Set<Hex>;
  /** The units into which it was packed. */
  units: Set<Hex>;
}

/** All lots of the bundle. */
function originsOf(history: History): Map<Hex, Origin> {
  const origins = new Map<Hex, Origin>();
  for (const { steps } of history.all()) {
    for (const { touch, lot } of steps) {
      if (lot === undefined || touch.lane !== "main") continue;
      if (touch.creates) origins.set(touch.subject, { from: new Set(lot.from), units: new Set() });
      const inside = lot.effect.does === "pack" ? lot.effect.unit : touch.creates ? lot.after.inside : undefined;
      if (inside !== undefined) origins.get(touch.subject)!.units.add(inside);
    }
  }
  return origins;
}

/**
 * The lot, those it came from unless the bundle is shallow, the units in which they lay, and what rivals took from lots
 * in conflict.
 */
function reachedLots(
  bundle: Bundle,
  counting: Counting,
  origins: Map<Hex, Origin>,
): { lots: Set<Hex>; parents: Set<Hex> } {
  const lots = new Set([bundle.lot]);
  const parents = new Set<Hex>();
  // A set is walked in the order of insertion, what is added meanwhile included.
  for (const lot of lots) {
    const { from, units } = origins.get(lot)!;
    for (const parent of from) (bundle.leftOut === undefined ? lots : parents).add(parent);
    units.forEach((unit) => lots.add(unit));
    for (const { event, steps } of counting.lot(lot)?.inConflict ?? []) {
      if (event.body.kind === "produce.transformed") continue;
      for (const { touch, lot: step } of steps) if (step?.from !== undefined) lots.add(touch.subject);
    }
  }
  return { lots, parents };
}

/** What only the first list has, and what only the second has; both ascending. */
function differences(expected: Hex[], found: Hex[]): [Hex[], Hex[]] {
  const [one, other] = [new Set(expected), new Set(found)];
  return [expected.filter((id) => !other.has(id)).sort(), found.filter((id) => !one.has(id)).sort()];
}

function mustNeedEveryEvent(history: History, whole: Set<Hex>): void {
  const ancestors = new Set<Hex>();
  for (const { event } of history.all()) ancestorsOf(event).forEach((id) => ancestors.add(id));
  for (const { event } of history.all()) {
    const touched = event.touches.some(({ subject }) => whole.has(subject));
    if (!touched && !ancestors.has(event.id)) fail("extra_event", { event: event.id });
  }
}
