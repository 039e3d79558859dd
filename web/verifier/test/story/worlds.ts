/**
 * Worlds by chance: actors who do whatever the rules let them do, on old tips as well as new ones, with keys that are
 * stolen, replaced and revoked, decisions and amendments. Each is made from a seed.
 */
import type { Survival } from "../../src/bundle.js";
import { toHex } from "../../src/bytes.js";
import { type Cbor, CborMap, encode } from "../../src/cbor.js";
import { endsMadeBy, journalOf } from "../../src/counting/keys.js";
import { readEvent } from "../../src/event/event.js";
import { attempt } from "../../src/malformed.js";
import { History, type Judged, networkOf } from "../../src/rules/history.js";
import { judge } from "../../src/rules/replay.js";
import { BrokenRule } from "../../src/rules/rule.js";
import { Random } from "./random.js";
import { type Made, type Said, ascending, keyOf, map } from "./signing.js";
import { type Actor, Story, type Telling } from "./story.js";

/** A log key, so that bundles of the world can be made. */
export const LOG_KEY = keyOf("log of the node");

/** A place in a lane where somebody goes on. */
interface Lane {
  subject: Uint8Array;
  /** Events of the main lane, and of the title lane. */
  main: Uint8Array[];
  title: Uint8Array[];
}

/** Everything that happened by chance. */
export class World extends Story {
  readonly random: Random;
  readonly history = new History(
    networkOf(
      toHex(this.network),
      "Valle Verde",
      this.founderKeys.map((key) => key.public),
    ),
  );
  readonly judged: Judged[] = [];
  /** All keys, those of one actor beside each other. */
  readonly signers: Actor[];
  readonly node: Actor;
  private readonly lots = new Map<string, Lane>();
  private readonly offers: Made[] = [];
  private readonly recalls: Made[] = [];
  private readonly amendments: Made[] = [];
  private readonly decisions: Made[] = [];
  private readonly places: Made[] = [];
  private keys = 0;

  constructor(seed: string, steps: number) {
    super(["founder", "second founder", "third founder"]);
    this.random = new Random(seed);
    this.node = this.enrol("node", [3], { key: LOG_KEY, anchors: false });
    const keeper = this.enrol("keeper", [1], undefined, this.founder, [1, 2, 6, 9, 11, 12]);
    const inner = this.enrol("inner", [1, 9], undefined, keeper, [2, 6]);
    const farmer = this.enrol("farmer", [2], undefined, inner);
    const buyer = this.enrol("buyer", [6], undefined, keeper);
    const authority = this.enrol("authority", [11], undefined, keeper);
    const device = this.enrol("device", [12], undefined, keeper);
    this.signers = [...this.founders, keeper, inner, farmer, farmer, farmer, buyer, buyer, authority, device];
    for (let step = 0; step < steps; step++) this.step();
  }

  override tell(by: Actor, said: Telling): Made {
    const made = super.tell(by, said);
    const judged = judge(this.history, readEvent(made.bytes));
    this.history.add(judged);
    this.judged.push(judged);
    return made;
  }

  /** Tells what the rules allow; nothing happens where they do not. */
  private try(by: Actor, said: Telling): Made | undefined {
    const before = { journal: by.journal, time: this.time };
    const made = attempt(() => this.tell(by, said));
    if (!(made instanceof Error)) {
      this.learn(made, said);
      return made;
    }
    if (!(made instanceof BrokenRule)) throw made;
    // It was never logged.
    this.log.pop();
    this.events.pop();
    by.signed.pop();
    by.journal = before.journal;
    this.time = before.time;
    return undefined;
  }

  /** Notes what lots the event made and touched. */
  private learn(made: Made, said: Telling): void {
    const { steps } = this.judged.at(-1)!;
    steps.forEach(({ lot, touch }, index) => {
      if (lot === undefined) return;
      const known = this.lots.get(touch.subject) ?? { subject: made.subject(index), main: [], title: [] };
      this.lots.set(touch.subject, known);
      (touch.lane === "title" ? known.title : known.main).push(made.id);
    });
    if (said.kind === 50) this.offers.push(made);
    if (said.kind === 90) this.recalls.push(made);
    if (said.kind === 1) this.amendments.push(made);
    if (said.kind === 110) this.decisions.push(made);
  }

  private pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.random.below(items.length)];
  }

  /** Mostly the newest one or two, sometimes any. */
  private tips(events: Uint8Array[]): Uint8Array[] {
    const [one, other] = [events.at(-1)!, this.pick(events)!];
    switch (this.random.below(6)) {
      case 0:
        return [other];
      case 1:
        return toHex(one) === toHex(other) ? [one] : [one, other];
      default:
        return [one];
    }
  }

  private judgedOf(made: Made): Judged {
    return this.history.get(toHex(made.id))!;
  }

  private basisOf(actors: Actor[]): Uint8Array[] {
    return actors.flatMap(({ enrolment }) => (enrolment === undefined ? [this.network] : [enrolment]));
  }

  /** A quantity of a lot: all of it as after its newest event, or some of it. */
  private some(lot: Lane): Cbor[] {
    const newest = this.history.get(toHex(lot.main.at(-1)!))!;
    const balance = newest.steps.find(({ touch }) => touch.subject === toHex(lot.subject) && touch.lane === "main")!
      .lot!.after.balance;
    const share = this.pick([1n, 1n, 1n, 2n, 3n])!;
    return [balance.value / share, BigInt(balance.scale), balance.unit];
  }

  /** The main touch of a lot, and a title touch where that lane is there. */
  private touching(lot: Lane): Said["touches"] {
    const main: Said["touches"][number] = [lot.subject, 0n, this.tips(lot.main)];
    const withTitle = lot.title.length > 0 && this.random.below(5) > 0;
    return withTitle ? [main, [lot.subject, 1n, this.tips(lot.title)]] : [main];
  }

  /** Who can act on a lot: whoever holds it after its newest event, or anybody. */
  private holderOf(lot: Lane): Actor {
    const newest = this.history.get(toHex(lot.main.at(-1)!))!;
    const step = newest.steps.find(({ touch }) => touch.subject === toHex(lot.subject) && touch.lane === "main")!;
    const held = this.signers.filter(({ id }) => toHex(id) === step.lot!.after.holder);
    return (this.random.below(8) > 0 && this.pick(held)) || this.pick(this.signers)!;
  }

  private step(): void {
    const lot = this.pick([...this.lots.values()].slice(-8));
    const by = this.pick(this.signers)!;
    const actions: (() => void)[] = [
      () => this.registers(by),
      () => this.registers(this.signers.at(5)!),
      () => this.answers(),
      () => this.answers(),
      () => this.answers(),
      () => this.keyed(),
      () => this.governs(),
      () => this.decides(),
    ];
    if (lot !== undefined) {
      const holder = this.holderOf(lot);
      actions.push(
        () => this.offersLot(lot, holder),
        () => this.offersLot(lot, holder),
        () => this.offersLot(lot, holder),
        () => this.retires(lot, holder),
        () => this.tells(lot, holder),
        () => this.packs(lot, holder),
        () => this.packs(lot, holder),
        () => this.unpacks(lot),
        () => this.unpacks(lot),
        () => this.transforms(lot, holder),
        () => this.attests(lot, by),
      );
    }
    this.pick(actions)!();
  }

  private registers(by: Actor): void {
    const place = this.pick(this.places);
    if (this.random.below(4) === 0) {
      const body = map({ 1: "farm", 2: new CborMap([["en", "Field"]]) });
      const made = this.try(by, { kind: 20, touches: [[null, 0n, []]], body });
      if (made !== undefined) this.places.push(made);
    }
    this.try(by, {
      kind: 30,
      touches: [[null, 0n, []]],
      extra: place === undefined ? [] : [place.id],
      body: map({
        1: ["HS", "0808.10"],
        2: new CborMap([["en", "Apples"]]),
        4: place === undefined ? [] : [place.subject()],
        6: [BigInt(60 + 60 * this.random.below(3)), 0n, "KGM"],
      }),
    });
  }

  private offersLot(lot: Lane, by: Actor): void {
    const quantity = this.some(lot);
    const to = this.pick(this.signers)!;
    const moves = this.pick([1n, 2n, 3n, 3n, 3n, 3n])!;
    let touches = this.touching(lot);
    if (moves !== 3n && lot.title.length === 0) touches = [touches[0]!, [lot.subject, 1n, []]];
    if (moves === 1n && lot.title.length > 0) touches = [touches[0]!];
    if (moves === 2n && lot.title.length > 0) touches = [[lot.subject, 1n, this.tips(lot.title)]];
    const other = this.pick([...this.lots.values()]);
    const lines: Cbor[] = [[lot.subject, quantity]];
    if (moves === 3n && other !== undefined && other !== lot && this.random.below(3) === 0) {
      touches.push(...this.touching(other));
      lines.push([other.subject, this.some(other)]);
    }
    const recipient: Cbor[] = this.random.below(12) === 0 ? [2n, "Market"] : [0n, to.id];
    const body = map({ 1: lines, 2: recipient, 3: moves });
    // How many parts there are, the rules tell.
    for (let parts = 0; parts <= lines.length; parts++) {
      const created = Array.from({ length: parts }, (): Said["touches"][number] => [null, 0n, []]);
      const said = { kind: 50, touches: [...touches, ...created], extra: this.basisOf([to]), body };
      if (this.try(by, said) !== undefined) return;
    }
  }

  private answers(): void {
    const offer = this.pick(this.offers.slice(-6));
    if (offer === undefined) return;
    const { event } = this.judgedOf(offer);
    if (event.body.kind !== "transfer.offered") return;
    const { lines, to, moves } = event.body;
    const touches: Said["touches"] = [];
    let part = event.touches.filter(({ creates }) => !creates).length;
    const items = lines.map(({ lot }) => {
      const steps = this.judgedOf(offer).steps;
      const drawn = steps.some(({ touch, lot: step }) => touch.subject === lot && step?.effect.does === "draw");
      return drawn ? event.touches[part++]!.subject : lot;
    });
    items.forEach((item, index) => {
      const lot = this.lots.get(item)!;
      const newest = this.random.below(3) > 0;
      const onTitle = event.touches.some(({ subject, lane }) => subject === lines[index]!.lot && lane === "title");
      if (moves !== 2) touches.push([lot.subject, 0n, newest ? [lot.main.at(-1)!] : [offer.id]]);
      if (moves === 2 || (moves === 3 && onTitle))
        touches.push([lot.subject, 1n, newest ? [lot.title.at(-1)!] : [offer.id]]);
    });
    const addressee = this.pick(this.signers.filter(({ id }) => toHex(id) === to)) ?? this.pick(this.signers)!;
    const offerer = this.pick(this.signers.filter(({ id }) => toHex(id) === this.judgedOf(offer).acting))!;
    const choice = this.random.below(6);
    if (choice < 2) {
      const [kind, by] = choice === 0 ? [52, addressee] : [53, offerer];
      this.try(by, { kind, touches, body: map({ 1: offer.id }) });
      return;
    }
    const answered = lines.map(({ quantity }) => {
      const [value, scale] = [quantity.value, BigInt(quantity.scale)];
      const of = (amount: bigint): Cbor[] => [amount, scale, quantity.unit];
      const half = value / 2n;
      if (choice === 2 && half > 0n) return map({ 1: of(value - half), 2: of(half) });
      if (choice === 3 && half > 0n) return map({ 1: of(value - half), 3: of(half) });
      return choice === 4 ? map({ 1: of(0n), 2: of(value) }) : map({ 1: of(value) });
    });
    const created: Said["touches"] = choice === 2 ? lines.map(() => [null, 0n, []]) : [];
    const body = map({ 1: offer.id, 2: answered });
    this.try(addressee, { kind: 51, touches: [...touches, ...created], body });
  }

  private retires(lot: Lane, by: Actor): void {
    this.try(by, { kind: 38, touches: this.touching(lot), body: map({ 1: this.some(lot), 2: 2n }) });
  }

  private tells(lot: Lane, by: Actor): void {
    this.try(by, {
      kind: 33,
      touches: [[lot.subject, 0n, this.tips(lot.main)]],
      body: map({ 1: "cooling" }),
    });
  }

  private packs(lot: Lane, by: Actor): void {
    const lots = [...this.lots.values()];
    const other = this.pick(lots.slice(-8))!;
    const contents = other === lot ? [lot] : [lot, other].slice(0, 1 + this.random.below(2));
    const lines: Cbor[] = contents.map((one) => [one.subject, this.some(one)]);
    const units = lots.filter((one) => this.isUnit(one) && !contents.includes(one));
    const unit = this.random.below(2) === 0 ? this.pick(units) : undefined;
    const first: Said["touches"][number] =
      unit === undefined ? [null, 0n, []] : [unit.subject, 0n, this.tips(unit.main)];
    const touches = contents.map((one): Said["touches"][number] => [one.subject, 0n, this.tips(one.main)]);
    for (let parts = 0; parts <= contents.length; parts++) {
      const created = Array.from({ length: parts }, (): Said["touches"][number] => [null, 0n, []]);
      const said = { kind: 60, touches: [first, ...touches, ...created], body: map({ 2: lines }) };
      if (this.try(by, said) !== undefined) return;
    }
  }

  private stepOf(lot: Lane): NonNullable<Judged["steps"][number]["lot"]> {
    const newest = this.history.get(toHex(lot.main.at(-1)!))!;
    return newest.steps.find(({ touch }) => touch.subject === toHex(lot.subject) && touch.lane === "main")!.lot!;
  }

  private isUnit(lot: Lane): boolean {
    return this.stepOf(lot).after.contents !== undefined;
  }

  private unpacks(lot: Lane): void {
    const inside = this.stepOf(lot).after.inside;
    const unit = inside === undefined ? undefined : this.lots.get(inside);
    if (unit === undefined) return;
    const mates = [...this.lots.values()].filter((one) => this.stepOf(one).after.inside === inside && one !== lot);
    const contents = [lot, ...mates.slice(0, this.random.below(3))];
    this.try(this.holderOf(unit), {
      kind: 61,
      touches: [unit, ...contents].map((one) => [one.subject, 0n, this.tips(one.main)]),
      body: map({ 1: contents.map(({ subject }) => subject) }),
    });
  }

  private transforms(lot: Lane, by: Actor): void {
    const other = this.pick([...this.lots.values()].slice(-8))!;
    const inputs = other === lot ? [lot] : [lot, other].slice(0, 1 + this.random.below(2));
    const touches = inputs.flatMap((one) => this.touching(one));
    const outputs = 1 + this.random.below(2);
    const output = map({ 1: ["HS", "2009.71"], 2: new CborMap([["en", "Juice"]]), 6: [50n, 0n, "LTR"] });
    this.try(by, {
      kind: 37,
      touches: [...touches, ...Array.from({ length: outputs }, (): Said["touches"][number] => [null, 0n, []])],
      body: map({
        1: "run",
        2: "press",
        3: inputs.map((one) => [one.subject, this.some(one)]),
        4: Array.from({ length: outputs }, () => output),
      }),
    });
  }

  private attests(lot: Lane, by: Actor): void {
    const lane: Said["touches"] = [[lot.subject, by.id, this.tipsOf(lot.subject, by.id).slice(0, 2)]];
    const creator = lot.main[0]!;
    const recall = this.pick(this.recalls);
    switch (this.random.below(4)) {
      case 0:
        this.try(by, {
          kind: 90,
          touches: lane,
          extra: [creator, lot.main.at(-1)!],
          body: map({ 1: 1n, 2: "glass", 4: 1n, 5: "phone" }),
        });
        break;
      case 1: {
        if (recall === undefined) return;
        const { event, signer } = this.judgedOf(recall);
        const recaller = this.pick(this.signers.filter(({ id }) => toHex(id) === signer))!;
        const subject = this.lots.get(event.touches[0]!.subject)!.subject;
        this.try(recaller, {
          kind: 92,
          touches: [[subject, recaller.id, this.tipsOf(subject, recaller.id)]],
          body: map({ 1: recall.id, 2: "done" }),
        });
        break;
      }
      case 2:
        this.try(by, {
          kind: 70,
          touches: lane,
          extra: [creator],
          body: map({ 1: "temperature", 2: [1n, 2n], 3: [1n, 0n, "CEL"], 4: [2n, 0n, "CEL"], 6: 1n }),
        });
        break;
      default:
        this.try(by, {
          kind: 101,
          touches: lane,
          extra: [creator],
          body: map({ 1: creator, 2: "seen" }),
        });
    }
  }

  private keyed(): void {
    const actor = this.pick(this.signers.filter(({ enrolment }) => enrolment !== undefined))!;
    const prev = this.random.below(3) === 0 ? [actor.enrolment!] : this.tipsOf(actor.id, 0n);
    const key = keyOf(`key ${this.random.below(2 ** 30)} ${this.keys++}`);
    const touches: Said["touches"] = [[actor.id, 0n, prev]];
    const owner = (made: Made | undefined): void => {
      if (made === undefined) return;
      const { id, enrolment } = actor;
      const basis = [made.id, enrolment!];
      this.signers.push({ id, key, basis, journal: made.id, keyEvent: made.id, signed: [], enrolment });
    };
    const choice = this.random.below(7);
    if (choice < 2) {
      owner(this.try(actor, { kind: 12, touches, body: this.gives(12, key, actor.id) }));
      return;
    }
    // A rotation ends the journal where its own link says; a thief's may end it earlier.
    if (choice < 4) {
      const count = actor.signed.length;
      const fields = { 3: this.endOf(actor, count).slice(2, 4) };
      owner(this.try(actor, { kind: 13, touches, body: this.gives(13, key, actor.id, fields) }));
      return;
    }
    const above = this.pick(this.signers)!;
    const theirs = this.signers.filter(({ id, signed }) => toHex(id) === toHex(actor.id) && signed.length > 0);
    const cuts = [...new Map(theirs.map((one) => [toHex(one.keyEvent), one])).values()]
      .slice(0, 1 + this.random.below(2))
      .map((one) => this.endOf(one, this.random.below(one.signed.length + 1)))
      .sort((a, b) => (toHex(a[0] as Uint8Array) < toHex(b[0] as Uint8Array) ? -1 : 1));
    const extra = [actor.enrolment!];
    if (choice === 4) this.try(above, { kind: 15, touches, extra, body: map({ 1: "stolen", 2: cuts }) });
    else owner(this.try(above, { kind: 14, touches, extra, body: this.gives(14, key, actor.id, { 4: cuts }) }));
  }

  /** A cut, of which sometimes one later event stands. */
  private endOf(actor: Actor, count: number): Cbor[] {
    const later = this.random.below(3) === 0 ? actor.signed.slice(-1) : [];
    return this.cutAfter(actor, count, later);
  }

  private governs(): void {
    const by = this.pick(this.founders)!;
    const touches: Said["touches"] = [
      [this.network, 0n, this.amendments.length === 0 ? [this.network] : this.tipsOf(this.network, 0n)],
    ];
    const recent = this.amendments.slice(-3);
    if (this.random.below(3) > 0 && recent.length > 0) {
      this.try(by, { kind: 2, touches, body: map({ 1: this.pick(recent)!.id }) });
      return;
    }
    const follows =
      this.random.below(2) === 0 || recent.length === 0
        ? [this.network]
        : ascending(recent.slice(0, 1 + this.random.below(2)).map(({ id }) => id));
    const index = this.random.below(3);
    const leaver = this.founders[index]!;
    const decision = this.choice();
    const change =
      this.random.below(3) === 0
        ? { 4: [BigInt(index), this.cutAfter(leaver, this.random.below(leaver.signed.length + 1))] }
        : decision === undefined
          ? { 3: 1n }
          : { 5: [decision.lot, decision.branches, decision.standing] };
    this.try(by, { kind: 1, touches, body: map({ 1: follows, 2: map(change) }) });
  }

  /** Some events of a lot, and which of them are to stand. */
  private choice(): { lot: Uint8Array; branches: Uint8Array[]; standing: Uint8Array[] } | undefined {
    const lot = this.pick([...this.lots.values()].filter(({ main }) => main.length > 2));
    if (lot === undefined) return undefined;
    const moving = [...lot.main.slice(1), ...lot.title.slice(1)].filter((id) =>
      this.history
        .get(toHex(id))!
        .steps.some(
          ({ touch, lot: step }) =>
            touch.subject === toHex(lot.subject) &&
            step !== undefined &&
            !["create", "tell"].includes(step.effect.does),
        ),
    );
    const distinct = [...new Map(moving.map((id) => [toHex(id), id])).values()];
    const branches = ascending(distinct.slice(-2 - this.random.below(2)));
    if (branches.length < 2) return undefined;
    const standing = branches.filter(() => this.random.below(2) === 0).slice(0, branches.length - 1);
    return { lot: lot.subject, branches, standing };
  }

  private decides(): void {
    const choice = this.choice();
    if (choice === undefined) return;
    const { lot, branches, standing } = choice;
    const replaced = this.random.below(2) === 0 ? this.pick(this.decisions) : undefined;
    // Who stands above all of them is found by trying.
    for (const by of [...this.signers.slice(3, 5), ...this.founders]) {
      const touches: Said["touches"] = [[lot, by.id, this.tipsOf(lot, by.id)]];
      const body = map({ 1: branches, 2: standing, 3: "weighed", 4: replaced?.id });
      if (this.try(by, { kind: 110, touches, body }) !== undefined) return;
    }
  }

  /** Everything that survives any end of its journal, for bundles with these events. */
  survivals(shown: ReadonlySet<string>): { cbor: Cbor[][]; read: Survival[] } {
    const cbor: Cbor[][] = [];
    const read: Survival[] = [];
    for (const cutter of this.judged.filter(({ event }) => shown.has(event.id))) {
      for (const end of endsMadeBy(this.history, cutter)) {
        const journal = this.judged.filter((judged) => journalOf(judged) === end.journal);
        const [first] = journal;
        const actor = this.signers.find(({ key }) => toHex(key.public) === first?.event.key);
        if (actor === undefined) continue;
        for (const { event } of journal.slice(0, Number(end.count)).filter(({ event }) => shown.has(event.id))) {
          const survival = this.survival(hexBytes(cutter.event.id), actor, hexBytes(event.id), Number(end.count));
          cbor.push(survival);
          const [, , , index, path] = survival as [Uint8Array, Uint8Array, Uint8Array, bigint, Uint8Array[]];
          read.push({
            cutter: cutter.event.id,
            keyEvent: end.keyEvent,
            event: event.id,
            index: Number(index),
            path,
          });
        }
      }
    }
    const name = ([cutter, keyEvent, event]: Cbor[]) => toHex(encode([cutter!, keyEvent!, event!]));
    cbor.sort((a, b) => (name(a) < name(b) ? -1 : 1));
    return { cbor, read };
  }
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
