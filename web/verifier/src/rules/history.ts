/** The events that were judged so far, and the lanes that they make. */
import { type Hex, sha256, fromHex, bigEndian, toHex } from "../bytes.js";
import type { Lane, SignedEvent, Touch } from "../event/event.js";
import type { Effect, Lot } from "./lot.js";

/** An event that keeps the rules, with what follows from it. */
export interface Judged {
  event: SignedEvent;
  /** The actor whose key signed. */
  signer: Hex;
  /** The actor that acts: the same, or the one on whose behalf it records. */
  acting: Hex;
  /** The enrolment that gave the key; nothing for founders. */
  keyEvent: Judged | undefined;
  /** What the event is to each lane that it touches, in the order of the touches. */
  steps: Step[];
}

/** What an event is to one lane. */
export interface Step {
  touch: Touch;
  /** One more than the highest of the tips that it extends; 0 for the first of a lane. */
  height: number;
  /** What it does to a lot, and the lot after it; only on main lanes of lots. */
  lot: { effect: Effect; after: Lot } | undefined;
}

/** Who founded the network. */
export interface Network {
  id: Hex;
  name: string;
  /** Founder's key → actor id. */
  founders: ReadonlyMap<Hex, Hex>;
}

/** The network whose definition has these founders, in their order. */
export function networkOf(id: Hex, name: string, keys: Uint8Array[]): Network {
  const actor = (index: number) => toHex(sha256(fromHex(id), bigEndian(index, 4)));
  return { id, name, founders: new Map(keys.map((key, index) => [toHex(key), actor(index)])) };
}

/** All judged events of a bundle. */
export class History {
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

  /** The event with this id, if it was judged. */
  get(id: Hex): Judged | undefined {
    this.counted += 1;
    return this.byId.get(id);
  }

  /** The enrolment that gave the key of an event; nothing for founders. */
  keyEventOf({ keyEvent }: Judged): Judged | undefined {
    this.counted += 1;
    return keyEvent;
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

  /** The events of a lane that no other extends, ascending by id. */
  tips(subject: Hex, lane: Lane): Judged[] {
    const events = this.lane(subject, lane);
    const extended = new Set(events.flatMap((judged) => stepIn(judged, subject, lane)!.touch.prev));
    return events.filter(({ event }) => !extended.has(event.id)).sort((a, b) => (a.event.id < b.event.id ? -1 : 1));
  }

  /** The events of a lane by height, then id: parents before children, the same for everybody. */
  inReadingOrder(subject: Hex, lane: Lane): Judged[] {
    const height = (judged: Judged) => stepIn(judged, subject, lane)!.height;
    return [...this.lane(subject, lane)].sort((a, b) => height(a) - height(b) || (a.event.id < b.event.id ? -1 : 1));
  }
}

/** What a judged event is to a lane, if it touches it. */
export function stepIn(judged: Judged, subject: Hex, lane: Lane): Step | undefined {
  return judged.steps.find(({ touch }) => touch.subject === subject && touch.lane === lane);
}
