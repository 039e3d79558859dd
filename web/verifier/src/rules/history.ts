/** The events that were judged so far, and the lanes that they make. */
import { type Hex, sha256, fromHex, bigEndian, toHex } from "../bytes.js";
import type { Lane, SignedEvent, Touch } from "../event/event.js";
import { byText } from "../shape.js";
import type { Effect, Lot } from "./lot.js";

/** An event that keeps the rules, with what follows from it. */
export interface Judged {
  event: SignedEvent;
  /** The actor whose key signed. */
  signer: Hex;
  /** The actor that acts: the same, or the one on whose behalf it records. */
  acting: Hex;
  /** The event that gave the key; nothing for founders. */
  keyEvent: Judged | undefined;
  /** The enrolment of the signer; nothing for founders. */
  enrolment: Judged | undefined;
  /** What the event is to each lane that it touches, in the order of the touches. */
  steps: Step[];
}

/** What an event is to one lane. */
export interface Step {
  touch: Touch;
  /** The events that it extends: its prev, or those of them that count and what stands in for the others. */
  prev: readonly Hex[];
  /** One more than the highest of its prev; 0 for the first of a lane. Counting does not change it. */
  height: number;
  /** What it does to a lot, and the lot after it; only on main and title lanes of lots. */
  lot: LotStep | undefined;
}

/** What an event does to a lot. */
export interface LotStep {
  effect: Effect;
  after: Lot;
  /** Of a lot that it creates: those from which this one was taken or made. */
  from?: readonly Hex[];
}

/** Who founded the network. */
export interface Network {
  id: Hex;
  name: string;
  /** Founder's key → actor id, in the order of the definition. */
  founders: ReadonlyMap<Hex, Hex>;
}

/** The network whose definition has these founders, in their order. */
export function networkOf(id: Hex, name: string, keys: Uint8Array[]): Network {
  const actor = (index: number) => toHex(sha256(fromHex(id), bigEndian(index, 4)));
  return { id, name, founders: new Map(keys.map((key, index) => [toHex(key), actor(index)])) };
}

/** How rules look at earlier events: all of them as they were judged, or as far as they count. */
export interface View {
  readonly network: Network;
  /** The event with this id, if it was judged, whether it counts or not. */
  get(id: Hex): Judged | undefined;
  /** What touch `index` of an event is to its lane; nothing where it does not count. */
  step(judged: Judged, index: number): Step | undefined;
}

/** All judged events of a bundle, as they were judged. */
export class History implements View {
  private readonly byId = new Map<Hex, Judged>();
  private readonly bySubject = new Map<Hex, Map<Lane, Judged[]>>();

  private counted = 0;

  constructor(readonly network: Network) {}

  /** How often earlier events were looked up so far. */
  get lookUps(): number {
    return this.counted;
  }

  /** Takes in an event whose ancestors are all here. */
  add(judged: Judged): void {
    this.byId.set(judged.event.id, judged);
    for (const { touch } of judged.steps) {
      const lanes = this.bySubject.get(touch.subject) ?? new Map<Lane, Judged[]>();
      this.bySubject.set(touch.subject, lanes);
      const events = lanes.get(touch.lane) ?? [];
      lanes.set(touch.lane, events);
      events.push(judged);
    }
  }

  get(id: Hex): Judged | undefined {
    this.counted += 1;
    return this.byId.get(id);
  }

  step(judged: Judged, index: number): Step | undefined {
    return judged.steps[index];
  }

  /** The actors that stand above the signer of an event, the nearest first. */
  *above(judged: Judged): Generator<Hex> {
    for (let at = judged.enrolment; at !== undefined; at = at.enrolment) {
      this.counted += 1;
      yield at.signer;
    }
  }

  /** Whether an actor signed the event, or stands above its signer. */
  isAtOrAbove(upper: Hex, lower: Judged): boolean {
    if (lower.signer === upper) return true;
    for (const actor of this.above(lower)) if (actor === upper) return true;
    return false;
  }

  /** All events, in the order in which they came. */
  all(): IterableIterator<Judged> {
    return this.byId.values();
  }

  /** The lanes of a subject that have events. */
  lanes(subject: Hex): Iterable<[Lane, Judged[]]> {
    return this.bySubject.get(subject) ?? [];
  }

  /** The events of a lane, in the order in which they came. */
  lane(subject: Hex, lane: Lane): Judged[] {
    return this.bySubject.get(subject)?.get(lane) ?? [];
  }

  /** The events of a lane by height, then id: parents before children, the same for everybody. */
  inReadingOrder(subject: Hex, lane: Lane): Judged[] {
    const height = (judged: Judged) => stepIn(this, judged, subject, lane)!.height;
    return [...this.lane(subject, lane)].sort((a, b) => height(a) - height(b) || byText(a.event.id, b.event.id));
  }
}

/** What a judged event is to a lane, if it touches it and counts there. */
export function stepIn(view: View, judged: Judged, subject: Hex, lane: Lane): Step | undefined {
  const index = judged.steps.findIndex(({ touch }) => touch.subject === subject && touch.lane === lane);
  return index < 0 ? undefined : view.step(judged, index);
}
