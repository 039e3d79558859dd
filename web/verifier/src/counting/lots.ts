/** What counting events together make of a lot (docs/rules.md, section 9.5). */
import type { Hex } from "../bytes.js";
import { type Judged, type Step, stepIn } from "../rules/history.js";
import { type Spread, join, joinAfter, lotAfter, spread } from "../rules/lanes.js";
import type { Lot } from "../rules/lot.js";
import type { Counting } from "./counting.js";

/** A lot as all events of a lane show it. */
export interface CountedLot {
  /** Who holds how much; where it is disputed, as it was before the conflict. */
  state: Lot;
  /** Whether the tips exclude each other and nobody's acceptance has settled it. */
  disputed: boolean;
  /** Events that cannot all stand. */
  inConflict: Judged[];
}

type LotLane = "main" | "title";

/** Counts a lot from the tips of a lane; nothing where it is no lot. */
export function countLot(counting: Counting, subject: Hex, lane: LotLane): CountedLot | undefined {
  const tips = counting.tips(subject, lane);
  if (tips.length <= 1) {
    const state = tips[0] && lotAfter(counting, tips[0], subject, lane);
    return state && { state, disputed: false, inConflict: [] };
  }
  const fan = spread(counting, subject, lane, tips);
  const before = fan && lotAfter(counting, fan.root, subject, lane);
  if (fan === undefined || before === undefined) return undefined;
  const joined = joinAfter(counting, subject, lane, fan);
  if (joined !== undefined && joined !== "conflict") return { state: joined, disputed: false, inConflict: [] };

  const stepOf = (judged: Judged): Step => stepIn(counting, judged, subject, lane)!;
  const inConflict = fan.between.filter((judged) => stepOf(judged).lot?.effect.does !== "tell");
  const accepted = tipsAfterAcceptance(counting, subject, stepOf, fan, tips);
  const settled = accepted.length === 0 ? "conflict" : join(counting, subject, lane, accepted);
  if (settled === undefined || settled === "conflict") return { state: before, disputed: true, inConflict };
  return { state: settled, disputed: false, inConflict };
}

/** The tips that extend, or are, an event by which an addressee took something over. */
function tipsAfterAcceptance(
  counting: Counting,
  subject: Hex,
  stepOf: (judged: Judged) => Step,
  fan: Spread,
  tips: Judged[],
): Judged[] {
  const after = new Set<Hex>();
  // Parents come before children.
  for (const judged of fan.between) {
    const { prev, lot } = stepOf(judged);
    const isAccepted =
      lot?.effect.does === "receive" || (lot?.effect.does === "draw" && isTaken(counting, judged, subject));
    if (isAccepted || prev.some((id) => after.has(id))) after.add(judged.event.id);
  }
  return tips.filter(({ event }) => after.has(event.id));
}

/** Whether an addressee took over the part of a lot that an offer drew from it. */
function isTaken(counting: Counting, { event, steps }: Judged, subject: Hex): boolean {
  if (event.body.kind !== "transfer.offered") return false;
  const parts = steps.filter(({ lot }) => lot?.from?.includes(subject)).map(({ touch }) => touch.subject);
  return parts.some((part) =>
    counting
      .lane(part, "main")
      .some((answer) => stepIn(counting, answer, part, "main")?.lot?.effect.does === "receive"),
  );
}

/**
 * The holder of a lot: while it lies in a unit, whoever holds the outermost one. Units in conflict can seem to lie in
 * each other; then it is the last one before one would come again.
 */
export function holderOf(counting: Counting, lot: Lot): Hex {
  const passed = new Set<Hex>();
  let outer = lot;
  while (outer.inside !== undefined && !passed.has(outer.inside)) {
    passed.add(outer.inside);
    const unit = counting.lot(outer.inside)?.state;
    if (unit === undefined) break;
    outer = unit;
  }
  return outer.holder;
}
