/** Counting: what all events of a lot together make of it (docs/rules.md, "Counting"). */
import type { Hex } from "./bytes.js";
import { type History, type Judged, stepIn } from "./rules/history.js";
import { type Spread, join, lotAfter, spread } from "./rules/lanes.js";
import type { Lot } from "./rules/lot.js";
import { offeredItems } from "./rules/transfer.js";

/** A lot as all its events show it. */
export interface CountedLot {
  /** Who holds how much; where it is disputed, as it was before the conflict. */
  state: Lot;
  /** Whether the tips exclude each other and nobody's acceptance has settled it. */
  disputed: boolean;
  /** Draws and handovers that cannot all stand. */
  inConflict: Judged[];
}

/** Counts a lot from the tips of its main lane; nothing where it is no lot. */
export function countLot(history: History, subject: Hex): CountedLot | undefined {
  const tips = history.tips(subject, "main");
  if (tips.length <= 1) {
    const state = tips[0] && lotAfter(tips[0], subject);
    return state && { state, disputed: false, inConflict: [] };
  }
  const fan = spread(history, subject, tips);
  const before = fan && lotAfter(fan.root, subject);
  if (fan === undefined || before === undefined) return undefined;
  const joined = join(history, subject, tips);
  if (joined !== undefined && joined !== "conflict") return { state: joined, disputed: false, inConflict: [] };

  const inConflict = fan.between.filter((judged) => effectOf(judged, subject) !== "tell");
  const accepted = tipsAfterAcceptance(history, subject, fan, tips);
  const settled = accepted.length === 0 ? "conflict" : join(history, subject, accepted);
  if (settled === undefined || settled === "conflict") return { state: before, disputed: true, inConflict };
  return { state: settled, disputed: false, inConflict };
}

function effectOf(judged: Judged, subject: Hex): string | undefined {
  return stepIn(judged, subject, "main")?.lot?.effect.does;
}

/** The tips that extend, or are, an event by which an addressee took something over. */
function tipsAfterAcceptance(history: History, subject: Hex, fan: Spread, tips: Judged[]): Judged[] {
  const after = new Set<Hex>();
  // Parents come before children.
  for (const judged of fan.between) {
    const extendsOne = stepIn(judged, subject, "main")!.touch.prev.some((prev) => after.has(prev));
    if (extendsOne || isAccepted(history, judged, subject)) after.add(judged.event.id);
  }
  return tips.filter(({ event }) => after.has(event.id));
}

/** Whether an addressee took over the lot itself, or the part of it that the event minted. */
function isAccepted(history: History, judged: Judged, subject: Hex): boolean {
  const effect = effectOf(judged, subject);
  if (effect === "receive") return true;
  if (effect !== "draw") return false;
  const parts = offeredItems(judged).filter(({ lot }) => lot === subject);
  return parts.some(({ item }) => history.lane(item, "main").some((answer) => effectOf(answer, item) === "receive"));
}

/** The lots that an event minted, and from which lot each was taken. */
export function mintedParts(judged: Judged): { part: Hex; from: Hex }[] {
  const parts = judged.steps.filter(({ touch, lot }) => touch.creates && lot !== undefined);
  const sources = judged.steps.filter((_, index) => isSplit(judged, index));
  return sources.map(({ touch }, index) => ({ part: parts[index]!.touch.subject, from: touch.subject }));
}

/** Whether line `index` of an offer or acceptance takes a part away: the parts stand in the order of such lines. */
function isSplit({ event, steps }: Judged, index: number): boolean {
  const effect = steps[index]!.lot?.effect.does;
  if (event.body.kind === "transfer.offered") return effect === "draw";
  if (event.body.kind !== "transfer.accepted") return false;
  const rejected = event.body.lines[index]?.rejected;
  return effect === "receive" && rejected !== undefined && rejected.value > 0n;
}
