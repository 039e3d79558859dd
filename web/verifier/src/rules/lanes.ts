/** What an event extends: concurrent tips are joined by applying what lies between them to the lot at their root. */
import type { Hex } from "../bytes.js";
import { type History, type Judged, stepIn } from "./history.js";
import { byText } from "../shape.js";
import { type Lot, apply } from "./lot.js";

/** What lies between tips of a main lane and the youngest event through which all its lines pass. */
export interface Spread {
  root: Judged;
  /** All events after the root, tips included, by height and id. */
  between: Judged[];
}

/**
 * Walks back from the tips: the event that is highest by height, then id, is replaced by those that it extends, until
 * one is left. Nothing where the lines have no common origin.
 */
export function spread(history: History, subject: Hex, tips: Judged[]): Spread | undefined {
  // By height, so that each level is complete when the walk comes to it: what an event extends is lower.
  const levels = new Map<number, Map<Hex, Judged>>();
  let left = 0;
  const enter = (judged: Judged | undefined): void => {
    const step = judged && stepIn(judged, subject, "main");
    if (judged === undefined || step === undefined) return;
    const level = levels.get(step.height) ?? new Map<Hex, Judged>();
    levels.set(step.height, level);
    if (!level.has(judged.event.id)) left += 1;
    level.set(judged.event.id, judged);
  };
  tips.forEach(enter);
  const between: Judged[] = [];
  for (let height = Math.max(-1, ...levels.keys()); height >= 0; height--) {
    const level = [...(levels.get(height)?.values() ?? [])].sort((a, b) => byText(b.event.id, a.event.id));
    for (const judged of level) {
      if (left === 1) return { root: judged, between: between.reverse() };
      const { prev } = stepIn(judged, subject, "main")!.touch;
      if (prev.length === 0) return undefined;
      left -= 1;
      prev.forEach((id) => enter(history.get(id)));
      between.push(judged);
    }
  }
  return undefined;
}

/** The lot after all of the tips, "conflict" where they exclude each other, nothing for what is no lot. */
export function join(history: History, subject: Hex, tips: Judged[]): Lot | "conflict" | undefined {
  const fan = spread(history, subject, tips);
  let lot = fan && lotAfter(fan.root, subject);
  if (fan === undefined || lot === undefined) return undefined;
  for (const judged of fan.between) {
    const effect = stepIn(judged, subject, "main")?.lot?.effect;
    lot = effect && apply(lot, effect, judged.acting);
    if (lot === undefined) return "conflict";
  }
  return lot;
}

/** The lot as it stands after an event, seen from the event's own ancestors. */
export function lotAfter(judged: Judged, subject: Hex): Lot | undefined {
  return stepIn(judged, subject, "main")?.lot?.after;
}
