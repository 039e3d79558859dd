/** What an event extends: concurrent tips are joined by applying all that lies between them to the lot at their root. */
import type { Hex } from "../bytes.js";
import { type History, type Judged, stepIn } from "./history.js";
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
  const frontier = new Map<Hex, { judged: Judged; height: number; prev: Hex[] }>();
  const enter = (judged: Judged | undefined): void => {
    const step = judged && stepIn(judged, subject, "main");
    if (judged && step) frontier.set(judged.event.id, { judged, height: step.height, prev: step.touch.prev });
  };
  tips.forEach(enter);
  const between: Judged[] = [];
  while (frontier.size > 1) {
    const youngest = [...frontier.values()].reduce((a, b) =>
      b.height > a.height || (b.height === a.height && b.judged.event.id > a.judged.event.id) ? b : a,
    );
    frontier.delete(youngest.judged.event.id);
    if (youngest.prev.length === 0) return undefined;
    youngest.prev.forEach((prev) => enter(history.get(prev)));
    between.push(youngest.judged);
  }
  const [root] = frontier.values();
  return root && { root: root.judged, between: between.reverse() };
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
