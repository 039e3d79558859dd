/** What all events of a bundle together come to (docs/rules.md, section 9): four passes, each over those before. */
import type { Survival } from "../bundle.js";
import type { Hex } from "../bytes.js";
import type { Lane } from "../event/event.js";
import { byText } from "../shape.js";
import { type History, type Judged, type Network, type Step, type View, stepIn } from "../rules/history.js";
import { type Overruled, decisions } from "./decisions.js";
import { liveEvents } from "./keys.js";
import { type CountedLot, countLot } from "./lots.js";
import { amendmentsInForce } from "./network.js";
import { recount } from "./replay.js";

/** Effects of which many that exclude each other are shown by two. */
const EXCLUSIVE: readonly string[] = ["offer", "close", "divide", "pack"];

/** Most predecessors of a touch: four times as many as it can name itself. */
const MAX_PREDECESSORS = 64;

/** How many of those are shown. */
const SHOWN_RIVALS = 2;

/** Counting takes too long, at this event. */
export class TooComplex extends Error {
  constructor(readonly event: Hex) {
    super("counting looks up too many events");
  }
}

/** The events of a bundle as far as they count. */
export class Counting implements View {
  readonly network: Network;
  private readonly overruled: Overruled;
  /** What events are to their lanes, for all that do not count as they were judged, or rest on such. */
  private readonly recounted = new Map<Hex, (Step | undefined)[]>();
  private readonly replaced = new Map<Hex, (readonly Hex[])[]>();
  private readonly lots = new Map<string, CountedLot | undefined>();
  private lookUps = 0;

  /** Counts all events; throws `TooComplex` where that takes more than `maxLookUps`. */
  constructor(
    readonly history: History,
    survivals: readonly Survival[],
    maxLookUps: number,
  ) {
    this.network = history.network;
    const amendments = amendmentsInForce(history);
    const live = liveEvents(history, amendments, survivals);
    this.overruled = decisions(history, amendments, live);
    for (const judged of history.all()) {
      this.count(judged, live.has(judged.event.id));
      if (this.lookUps > maxLookUps) throw new TooComplex(judged.event.id);
    }
  }

  get(id: Hex): Judged | undefined {
    this.lookUps += 1;
    return this.history.get(id);
  }

  step(judged: Judged, index: number): Step | undefined {
    const recounted = this.recounted.get(judged.event.id);
    return recounted === undefined ? judged.steps[index] : recounted[index];
  }

  /** Whether a decision took out what an event does to a lot. */
  isOverruled(event: Hex, lot: Hex): boolean {
    return this.overruled(event, lot);
  }

  /** What touch `index` of an event extends: its prev, and for those that do not count what they extend themselves. */
  predecessors(event: Hex, index: number): readonly Hex[] {
    return this.replaced.get(event)?.[index] ?? this.history.get(event)!.event.touches[index]!.prev;
  }

  /** The events of a lane that count, in the order in which they came. */
  lane(subject: Hex, lane: Lane): Judged[] {
    return this.history.lane(subject, lane).filter((judged) => stepIn(this, judged, subject, lane) !== undefined);
  }

  /** The events of which a touch of the subject does not count. */
  uncounted(subject: Hex): Hex[] {
    if (this.recounted.size === 0) return [];
    const events = new Set<Hex>();
    for (const [, judgedOnes] of this.history.lanes(subject))
      for (const judged of judgedOnes)
        if (judged.steps.some(({ touch }, at) => touch.subject === subject && this.step(judged, at) === undefined))
          events.add(judged.event.id);
    return [...events];
  }

  /** The counting events of a lane that no other one extends, ascending by id; of many rivals two. */
  tips(subject: Hex, lane: Lane): Judged[] {
    const events = this.lane(subject, lane);
    const stepOf = (judged: Judged) => stepIn(this, judged, subject, lane)!;
    const extended = new Set(events.flatMap((judged) => stepOf(judged).prev));
    const tips = events.filter(({ event }) => !extended.has(event.id)).sort((a, b) => byText(a.event.id, b.event.id));
    const rivals = new Map<string, number>();
    return tips.filter((judged) => {
      const { prev, lot } = stepOf(judged);
      if (lot === undefined || !EXCLUSIVE.includes(lot.effect.does)) return true;
      const known = rivals.get(prev.join()) ?? 0;
      rivals.set(prev.join(), known + 1);
      return known < SHOWN_RIVALS;
    });
  }

  /** What a lot comes to on its main lane, or its title on the title lane; nothing where it is no lot. */
  lot(subject: Hex, lane: "main" | "title" = "main"): CountedLot | undefined {
    const name = `${subject} ${lane}`;
    if (!this.lots.has(name)) this.lots.set(name, countLot(this, subject, lane));
    return this.lots.get(name);
  }

  private count(judged: Judged, isLive: boolean): void {
    const { event, steps } = judged;
    const { id, touches, basis, body } = event;
    const recall = body.kind === "recall.updated" || body.kind === "recall.ended" ? [body.recall] : [];
    const rests = [...touches.flatMap(({ prev }) => prev), ...basis, ...recall];
    const isOverruled = touches.some(({ subject }) => this.overruled(id, subject));
    // Where all that it rests on counts as it was judged, so does it.
    if (isLive && !isOverruled && !rests.some((other) => this.recounted.has(other))) return;
    this.replaced.set(
      id,
      touches.map(({ subject, lane, prev }) => this.countingPrev(subject, lane, prev)),
    );
    this.recounted.set(id, isLive ? recount(this, judged) : steps.map(() => undefined));
  }

  private countingPrev(subject: Hex, lane: Lane, prev: readonly Hex[]): readonly Hex[] {
    const found = prev.map((id): readonly Hex[] => {
      const judged = this.get(id);
      if (judged === undefined || stepIn(this, judged, subject, lane) !== undefined) return [id];
      const index = judged.steps.findIndex(({ touch }) => touch.subject === subject && touch.lane === lane);
      return this.predecessors(id, index);
    });
    this.lookUps += found.reduce((sum, ids) => sum + ids.length, 0);
    if (found.length === 1) return found[0]!;
    return [...new Set(found.flat())].sort(byText).slice(0, MAX_PREDECESSORS);
  }
}
