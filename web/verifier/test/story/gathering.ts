/** Bundles out of worlds by chance, as a node would make them: all that the scope asks for, and nothing else. */
import type { Bundle, Survival } from "../../src/bundle.js";
import { type Hex, fromHex, toHex } from "../../src/bytes.js";
import type { Cbor } from "../../src/cbor.js";
import { CheckFailed } from "../../src/checks/checklist.js";
import { checkScope } from "../../src/checks/scope.js";
import { Counting } from "../../src/counting/counting.js";
import { type Lane, ancestorsOf } from "../../src/event/event.js";
import type { Checkpoint } from "../../src/note.js";
import { History } from "../../src/rules/history.js";
import { stateOf } from "../../src/state-map.js";
import { bundleOf } from "./story.js";
import { stateProof, stateRoot, type StateEntries } from "./trees.js";
import { LOG_KEY, type World } from "./worlds.js";

/** More than any test looks up. */
const ENOUGH = 10_000_000;

/** What counts of these events of a world. */
export function counted(world: World, shown: ReadonlySet<Hex>, survivals?: readonly Survival[]): Counting {
  const history = new History(world.history.network);
  // What an event is judged to be depends on its ancestors alone.
  for (const judged of world.judged) if (shown.has(judged.event.id)) history.add(judged);
  return new Counting(history, survivals ?? world.survivals(shown).read, ENOUGH);
}

/** The ids of all events of a world. */
export function everything(world: World): Set<Hex> {
  return new Set(world.judged.map(({ event }) => event.id));
}

/** The state map as all events of a world make it. */
export function stateOfWorld(world: World, counting: Counting): StateEntries {
  const subjects = new Set(world.judged.flatMap(({ event }) => event.touches.map(({ subject }) => subject)));
  const state: StateEntries = new Map();
  for (const subject of subjects) {
    const value = stateOf(counting, subject);
    if (value !== undefined) state.set(subject, value);
  }
  return state;
}

/** The events of these subjects, and all on which they rest. */
function eventsOf(world: World, subjects: ReadonlySet<Hex>): Set<Hex> {
  const shown = new Set<Hex>();
  for (const { event } of world.judged.toReversed()) {
    if (!shown.has(event.id) && !event.touches.some(({ subject }) => subjects.has(subject))) continue;
    shown.add(event.id);
    ancestorsOf(event).forEach((id) => shown.add(id));
  }
  shown.delete(world.history.network.id);
  return shown;
}

/** The bundle of a lot. */
export function bundleOfWorld(world: World, lot: Hex): Uint8Array {
  const whole = new Set<Hex>([lot]);
  const checkpoint = { logKey: toHex(LOG_KEY.public), network: world.history.network.id, signatures: [] };
  let shown = eventsOf(world, whole);
  for (;;) {
    const subjects = [...whole].sort().map((subject) => ({ subject, siblings: [], absence: undefined }));
    const parts = { lot, subjects, lines: [], leftOut: undefined } as unknown as Bundle;
    try {
      checkScope(parts, counted(world, shown), checkpoint as unknown as Checkpoint);
      break;
    } catch (error) {
      if (!(error instanceof CheckFailed)) throw error;
      const { subject } = error.about;
      if (error.reason === "unknown_log" && !whole.has(toHex(world.node.id))) whole.add(toHex(world.node.id));
      else if (error.reason === "missing_subject") whole.add(subject!);
      else if (error.reason === "extra_subject") whole.delete(subject!);
      // What is not there cannot be shown whole: the bundle is made as it is.
      else break;
    }
    shown = eventsOf(world, whole);
  }
  const state = stateOfWorld(world, counted(world, everything(world)));
  const proofs = [...whole].sort().map((subject): Cbor => {
    const { siblings, other } = stateProof(state, subject);
    if (state.has(subject)) return [fromHex(subject), siblings];
    return [fromHex(subject), siblings, other && [fromHex(other[0]), other[1]]];
  });
  const survivals = world.survivals(shown).cbor;
  const isShown = (at: number) => shown.has(toHex(world.events[at]!.made.id));
  return bundleOf({
    ...world.bundle(fromHex(lot), [], LOG_KEY, isShown),
    5: proofs,
    6: world.noteOn(LOG_KEY, stateRoot(state)),
    ...(survivals.length === 0 ? {} : { 10: survivals }),
  });
}

/** All lots of a world, in the order in which they came. */
export function lotsOf(world: World): Hex[] {
  const lots = new Set<Hex>();
  for (const { steps } of world.judged) for (const { touch, lot } of steps) if (lot) lots.add(touch.subject);
  return [...lots];
}

/** Everything that counting finds, in words: what events are to their lanes, tips, lots. */
export function described(world: World, counting: Counting): string[] {
  const lines = world.judged.map(({ event }) => {
    const judged = counting.get(event.id)!;
    const steps = judged.steps.map((_, index) => {
      const step = counting.step(judged, index);
      return step === undefined ? "-" : [step.prev.join(), said(step.lot)].join(" ");
    });
    return [event.id, ...steps].join("; ");
  });
  const subjects = new Set(world.judged.flatMap(({ event }) => event.touches.map(({ subject }) => subject)));
  for (const subject of subjects) {
    for (const [lane] of counting.history.lanes(subject)) {
      const ids = counting.tips(subject, lane).map(({ event }) => event.id);
      lines.push(`${subject} ${lane}: ${ids.join()}`);
      if (lane === "main" || lane === "title") lines.push(lotIn(counting, subject, lane));
    }
  }
  return lines.sort();
}

function lotIn(counting: Counting, subject: Hex, lane: Lane & ("main" | "title")): string {
  const lot = counting.lot(subject, lane);
  const rivals = lot?.inConflict.map(({ event }) => event.id).sort();
  return `${subject} ${lane} ${said(lot?.state)} ${lot?.disputed} ${rivals?.join()}`;
}

function said(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part)) ?? "-";
}
