/** What an event extends: concurrent tips are joined by applying what lies between them to the lot at their root. */
import type { Hex } from "../bytes.js";
import type { Lane } from "../event/event.js";
import { byText } from "../shape.js";
import { type Judged, type View, stepIn } from "./history.js";
import { type Lot, apply } from "./lot.js";
import { rule } from "./rule.js";

/** What lies between tips of a lane and the youngest event through which all its lines pass. */
export interface Spread {
  root: Judged;
  /** All events after the root, tips included, by height and id. */
  between: Judged[];
}

/**
 * Walks back from the tips: the event that is highest by height, then id, is replaced by those that it extends, until
 * one is left. Nothing where the lines have no common origin.
 */
export function spread(view: View, subject: Hex, lane: Lane, tips: Judged[]): Spread | undefined {
  // By height, so that each level is complete when the walk comes to it: what an event extends is lower.
  const levels = new Map<number, Map<Hex, Judged>>();
  let left = 0;
  const enter = (judged: Judged | undefined): void => {
    const step = judged && stepIn(view, judged, subject, lane);
    if (judged === undefined || step === undefined) return;
    const level = levels.get(step.height) ?? new Map<Hex, Judged>();
    levels.set(step.height, level);
    if (!level.has(judged.event.id)) left += 1;
    level.set(judged.event.id, judged);
  };
  tips.forEach(enter);
  const heights = [...levels.keys()];
  const between: Judged[] = [];
  for (let height = Math.max(-1, ...heights); height >= 0; height--) {
    const level = [...(levels.get(height)?.values() ?? [])].sort((a, b) => byText(b.event.id, a.event.id));
    for (const judged of level) {
      if (left === 1) return { root: judged, between: between.reverse() };
      const { prev } = stepIn(view, judged, subject, lane)!;
      if (prev.length === 0) return undefined;
      left -= 1;
      prev.forEach((id) => enter(view.get(id)));
      between.push(judged);
    }
  }
  return undefined;
}

/** The lot after all of the tips, "conflict" where they exclude each other, nothing for what is no lot. */
export function join(view: View, subject: Hex, lane: Lane, tips: Judged[]): Lot | "conflict" | undefined {
  const fan = spread(view, subject, lane, tips);
  return fan && joinAfter(view, subject, lane, fan);
}

/** The same for tips whose spread is known. */
export function joinAfter(view: View, subject: Hex, lane: Lane, fan: Spread): Lot | "conflict" | undefined {
  let lot = lotAfter(view, fan.root, subject, lane);
  if (lot === undefined) return undefined;
  for (const judged of fan.between) {
    const effect = stepIn(view, judged, subject, lane)?.lot?.effect;
    lot = effect && apply(lot, effect, judged.acting);
    if (lot === undefined) return "conflict";
  }
  return lot;
}

/** The lot before an event that extends these tips; breaks the rule where they exclude each other. */
export function lotBefore(view: View, subject: Hex, lane: Lane, tips: Judged[]): Lot | undefined {
  if (lane !== "main" && lane !== "title") return undefined;
  const lot = tips.length === 1 ? lotAfter(view, tips[0]!, subject, lane) : join(view, subject, lane, tips);
  rule("conflict", lot !== "conflict");
  return lot;
}

/** The lot as it stands after an event, seen from the event's own ancestors. */
export function lotAfter(view: View, judged: Judged, subject: Hex, lane: Lane): Lot | undefined {
  return stepIn(view, judged, subject, lane)?.lot?.after;
}
