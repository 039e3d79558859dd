/** Counting (docs/rules.md, section 9): ends of keys, decisions, amendments, and that the set of events decides alone. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { Survival } from "../src/bundle.js";
import { type Hex, toHex } from "../src/bytes.js";
import { type Cbor, CborMap } from "../src/cbor.js";
import { Counting } from "../src/counting/counting.js";
import { liveEvents } from "../src/counting/keys.js";
import { amendmentsInForce } from "../src/counting/network.js";
import { holderOf } from "../src/counting/lots.js";
import { readEvent } from "../src/event/event.js";
import { verify } from "../src/index.js";
import { History, networkOf } from "../src/rules/history.js";
import { judge } from "../src/rules/replay.js";
import { bundleOfWorld, counted, described, everything, lotsOf } from "./story/gathering.js";
import { Random } from "./story/random.js";
import { KG, offerBody, placeBody, produceBody } from "./story/scene.js";
import { type Made, type Said, ascending, map } from "./story/signing.js";
import { type Actor, Story, type Telling } from "./story/story.js";
import { World } from "./story/worlds.js";

type Touches = Said["touches"];

/** A story that is counted. */
class Told extends Story {
  readonly history = new History(
    networkOf(
      toHex(this.network),
      "Valle Verde",
      this.founderKeys.map((key) => key.public),
    ),
  );
  readonly survivals: Survival[] = [];

  override tell(by: Actor, said: Telling): Made {
    const made = super.tell(by, said);
    this.history.add(judge(this.history, readEvent(made.bytes)));
    return made;
  }

  /** These events of the actor's journal lie before the end that the cutter makes after `count` of them. */
  survives(cutter: Uint8Array, actor: Actor, count: number): void {
    for (const event of actor.signed.slice(0, count))
      this.survivals.push({
        cutter: toHex(cutter),
        keyEvent: toHex(actor.keyEvent),
        event: toHex(event),
        index: 0,
        path: [],
      });
  }

  get counting(): Counting {
    return new Counting(this.history, this.survivals, 1_000_000);
  }

  /** Whether each touch of an event counts. */
  counts(made: Made): boolean[] {
    const judged = this.history.get(toHex(made.id))!;
    const { counting } = this;
    return judged.steps.map((_, index) => counting.step(judged, index) !== undefined);
  }

  registers(by: Actor, more: Record<number, Cbor> = {}, extra: Uint8Array[] = []): Made {
    return this.tell(by, { kind: 30, touches: [[null, 0n, []]], extra, body: produceBody(more) });
  }

  retires(by: Actor, lot: Made, value: number, prev: Made[] = [lot]): Made {
    const touches: Touches = [[lot.subject(), 0n, prev.map(({ id }) => id)]];
    return this.tell(by, { kind: 38, touches, body: map({ 1: KG(value), 2: 1n }) });
  }

  decides(by: Actor, lot: Made, branches: Made[], standing: Made[], replaces?: Made): Made {
    const ids = (events: Made[]) => ascending(events.map(({ id }) => id));
    return this.tell(by, {
      kind: 110,
      touches: [[lot.subject(), by.id, this.tipsOf(lot.subject(), by.id)]],
      body: map({ 1: ids(branches), 2: ids(standing), 3: "weighed", 4: replaces?.id }),
    });
  }

  amends(by: Actor, change: Record<number, Cbor>, follows: Uint8Array[] = [this.network]): Made {
    const tips = this.tipsOf(this.network, 0n);
    const touches: Touches = [[this.network, 0n, tips.length === 0 ? [this.network] : tips]];
    return this.tell(by, { kind: 1, touches, body: map({ 1: ascending(follows), 2: map(change) }) });
  }

  approves(by: Actor, amendment: Made): Made {
    const touches: Touches = [[this.network, 0n, this.tipsOf(this.network, 0n)]];
    return this.tell(by, { kind: 2, touches, body: map({ 1: amendment.id }) });
  }

  balance(lot: Made | Uint8Array): bigint | undefined {
    const subject = lot instanceof Uint8Array ? lot : lot.subject();
    return this.counting.lot(toHex(subject))?.state.balance.value;
  }
}

test("what a stolen key signed after its end does not count, nor what rests on it", () => {
  const told = new Told();
  const cooperative = told.enrol("cooperative", [1], undefined, told.founder, [2]);
  const farmer = told.enrol("farmer", [2], undefined, cooperative);
  const lot = told.registers(farmer);
  const stolen = { ...farmer };
  const place = told.tell(farmer, { kind: 20, touches: [[null, 0n, []]], body: placeBody() });
  const there = told.registers(cooperative, { 4: [place.subject()] }, [place.id]);
  const taken = told.retires(farmer, lot, 100);
  const fresh = told.replaceKey(cooperative, farmer, "fresh", [told.cutAfter(farmer, 1)]);
  told.survives(fresh.keyEvent, stolen, 1);
  for (const event of [place, there, taken]) assert.deepEqual(told.counts(event), [false]);
  assert.deepEqual(told.counts(lot), [true]);
  assert.equal(told.balance(lot), 100n);
  assert.equal(told.balance(there), undefined);
  // The owner goes on where the thief was: what it extends is what counts there.
  const after = told.retires(fresh, lot, 30);
  assert.deepEqual(told.counts(after), [true]);
  assert.deepEqual(
    told.counting.tips(toHex(lot.subject()), "main").map(({ event }) => event.id),
    [toHex(after.id)],
  );
  assert.deepEqual(told.counting.uncounted(toHex(lot.subject())), [toHex(taken.id)]);
  // In a bundle that does not show it, nothing survives.
  assert.equal(new Counting(told.history, [], 1_000).lot(toHex(lot.subject())), undefined);
});

test("later events that a cut names stand, and need no proof", () => {
  const told = new Told();
  const farmer = told.enrol("farmer", [2]);
  const [first, second, third] = [told.registers(farmer), told.registers(farmer), told.registers(farmer)];
  const cut = told.cutAfter(farmer, 0, [second.id]);
  told.tell(told.founder, {
    kind: 15,
    touches: [[farmer.id, 0n, [farmer.enrolment!]]],
    extra: [farmer.enrolment!],
    body: map({ 1: "stolen", 2: [cut] }),
  });
  assert.deepEqual(
    [first, second, third].map((lot) => told.counts(lot)[0]),
    [false, true, false],
  );
});

test("with an enroller's key falls what it enrolled, and what those did", () => {
  const told = new Told();
  const cooperative = told.enrol("cooperative", [1], undefined, told.founder, [2]);
  const farmer = told.enrol("farmer", [2], undefined, cooperative);
  const key = told.addKey(farmer, "second key");
  const lots = [told.registers(farmer), told.registers(key)];
  assert.deepEqual(
    lots.map((lot) => told.counts(lot)[0]),
    [true, true],
  );
  told.replaceKey(told.founder, cooperative, "fresh", [told.cutAfter(cooperative, 0)]);
  assert.deepEqual(
    lots.map((lot) => told.counts(lot)[0]),
    [false, false],
  );
});

test("a rotation ends its journal where its link says; two of them leave both keys alive", () => {
  const told = new Told();
  const farmer = told.enrol("farmer", [2]);
  const before = told.registers(farmer);
  const journal = farmer.journal;
  const one = told.addKey(farmer, "one", 13);
  const signed = [...farmer.signed];
  const late = told.registers(farmer);
  assert.deepEqual(told.counts(late), [false]);
  told.survives(one.keyEvent, farmer, 1);
  assert.deepEqual(told.counts(before), [true]);
  farmer.journal = journal;
  farmer.signed = signed.slice(0, 1);
  const two = told.addKey(farmer, "two", 13);
  told.survives(two.keyEvent, farmer, 1);
  const lots = [told.registers(one), told.registers(two)];
  assert.deepEqual(
    [before, ...lots].map((lot) => told.counts(lot)[0]),
    [true, true, true],
  );
  // Who stands above chooses.
  told.replaceKey(told.founder, farmer, "three", [told.cutAfter(two, 0)]);
  assert.deepEqual(
    lots.map((lot) => told.counts(lot)[0]),
    [true, false],
  );
});

test("decisions overrule; the one that nothing replaces, if it is alone; amendments before it", () => {
  const told = new Told(["one", "two", "three"]);
  const [one, two] = told.founders as [Actor, Actor];
  const farmer = told.enrol("farmer", [2], undefined, one);
  const lot = told.registers(farmer);
  const draws = [told.retires(farmer, lot, 70), told.retires(farmer, lot, 60)] as [Made, Made];
  const standing = () => draws.map((draw) => told.counts(draw)[0]);
  assert.deepEqual(standing(), [true, true]);
  assert.equal(told.counting.lot(toHex(lot.subject()))!.disputed, true);
  const first = told.decides(one, lot, draws, [draws[0]]);
  assert.deepEqual(standing(), [true, false]);
  assert.equal(told.balance(lot), 30n);
  const second = told.decides(one, lot, draws, [draws[1]], first);
  assert.deepEqual(standing(), [false, true]);
  told.decides(one, lot, draws, [], first);
  assert.deepEqual(standing(), [true, true], "two heads decide nothing");
  assert.deepEqual(told.counts(second), [true]);
  const decision = { 5: [lot.subject(), ascending(draws.map(({ id }) => id)), []] };
  const amendment = told.amends(two, decision);
  assert.deepEqual(standing(), [true, true], "one of three founders is too few");
  told.approves(one, amendment);
  assert.deepEqual(standing(), [false, false]);
});

test("of rival amendments none is in force until one follows them all; who left approves nothing", () => {
  const told = new Told(["one", "two", "three"]);
  const [one, two, three] = told.founders as [Actor, Actor, Actor];
  const farmer = told.enrol("farmer", [2], undefined, one);
  const lot = told.registers(farmer);
  const draws = [told.retires(farmer, lot, 10), told.retires(farmer, lot, 20)] as [Made, Made];
  const stand = (draw: Made) => ({ 5: [lot.subject(), ascending(draws.map(({ id }) => id)), [draw.id]] });
  const standing = () => draws.map((draw) => told.counts(draw)[0]);
  const rivals = [told.amends(one, stand(draws[0])), told.amends(two, stand(draws[1]))] as [Made, Made];
  told.approves(two, rivals[0]);
  assert.deepEqual(standing(), [true, false]);
  told.approves(three, rivals[1]);
  assert.deepEqual(standing(), [true, true]);
  const leaves = told.amends(
    one,
    { 4: [2n, told.cutAfter(three, 1)] },
    rivals.map(({ id }) => id),
  );
  told.approves(two, leaves);
  told.survives(leaves.id, three, 1);
  const late = told.amends(three, stand(draws[1]), [leaves.id]);
  told.approves(one, late);
  assert.deepEqual(standing(), [true, true], "one of two is no majority");
  assert.deepEqual(told.counts(late), [false]);
  told.approves(two, late);
  assert.deepEqual(standing(), [false, true]);
});

test("a line falls alone; with an input falls all that came out; a unit stands for itself", () => {
  const told = new Told();
  const cooperative = told.enrol("cooperative", [1], undefined, told.founder, [2]);
  const farmer = told.enrol("farmer", [2], undefined, cooperative);
  const [lot, other] = [told.registers(farmer), told.registers(farmer)];
  const rival = told.retires(farmer, lot, 80);
  const contents: Cbor[] = [
    [lot.subject(), KG(40)],
    [other.subject(), KG(100)],
  ];
  const packed = told.tell(farmer, {
    kind: 60,
    touches: [
      [null, 0n, []],
      [lot.subject(), 0n, [lot.id]],
      [other.subject(), 0n, [other.id]],
      [null, 0n, []],
    ],
    body: map({ 2: contents }),
  });
  const unpacked = told.tell(farmer, {
    kind: 61,
    touches: [packed.subject(0), packed.subject(3), other.subject()].map((id) => [id, 0n, [packed.id]]),
    body: map({ 1: [packed.subject(3), other.subject()] }),
  });
  told.decides(cooperative, lot, [rival, packed], [rival]);
  assert.deepEqual(told.counts(packed), [true, false, true, false]);
  assert.deepEqual(told.counts(unpacked), [true, false, true], "what was never packed is not taken out");
  assert.equal(told.counting.lot(toHex(packed.subject(0)))!.state.contents, 0);
  const unit = told.decides(cooperative, other, [packed, unpacked], []);
  assert.deepEqual(
    [packed, unpacked].map((event) => told.counts(event)),
    [
      [true, false, false, false],
      [true, false, false],
    ],
  );
  assert.deepEqual(told.counts(unit), [true]);
  assert.equal(told.balance(packed.subject(3)), undefined);

  const [apples, pears] = [told.registers(farmer), told.registers(farmer)];
  const used = told.retires(farmer, apples, 100);
  const juice = map({ 1: ["HS", "2009.71"], 2: new CborMap([["en", "Juice"]]), 6: [50n, 0n, "LTR"] });
  const pressed = told.tell(farmer, {
    kind: 37,
    touches: [
      [apples.subject(), 0n, [apples.id]],
      [pears.subject(), 0n, [pears.id]],
      [null, 0n, []],
    ],
    body: map({
      1: "run",
      2: "press",
      3: [
        [apples.subject(), KG(50)],
        [pears.subject(), KG(50)],
      ],
      4: [juice],
    }),
  });
  told.decides(cooperative, apples, [used, pressed], [used]);
  assert.deepEqual(told.counts(pressed), [false, true, false]);
  assert.equal(told.balance(pears), 50n);
});

test("while a lot lies in a unit, who holds the unit holds the lot", () => {
  const told = new Told();
  const farmer = told.enrol("farmer", [2]);
  const buyer = told.enrol("buyer", [6]);
  const lot = told.registers(farmer);
  const pack = (subject: Uint8Array, prev: Made, quantity: Cbor[]) =>
    told.tell(farmer, {
      kind: 60,
      touches: [
        [null, 0n, []],
        [subject, 0n, [prev.id]],
      ],
      body: map({ 2: [[subject, quantity]] }),
    });
  const one: Cbor[] = [1n, 0n, "EA"];
  const inner = pack(lot.subject(), lot, KG(100));
  const outer = pack(inner.subject(0), inner, one);
  const offer = told.tell(farmer, {
    kind: 50,
    touches: [[outer.subject(0), 0n, [outer.id]]],
    extra: [buyer.enrolment!],
    body: offerBody([[outer.subject(0), one]], buyer.id),
  });
  told.tell(buyer, {
    kind: 51,
    touches: [[outer.subject(0), 0n, [offer.id]]],
    body: map({ 1: offer.id, 2: [map({ 1: one })] }),
  });
  const state = told.counting.lot(toHex(lot.subject()))!.state;
  assert.equal(state.holder, toHex(farmer.id));
  assert.equal(holderOf(told.counting, state), toHex(buyer.id));
});

test("of many rivals two are shown, those with the lowest ids", () => {
  const told = new Told();
  const [farmer, buyer] = [told.enrol("farmer", [2]), told.enrol("buyer", [6])];
  const lot = told.registers(farmer);
  const offers = Array.from({ length: 5 }, () =>
    told.tell(farmer, {
      kind: 50,
      touches: [[lot.subject(), 0n, [lot.id]]],
      extra: [buyer.enrolment!],
      body: offerBody([[lot.subject(), KG(100)]], buyer.id),
    }),
  );
  const draw = told.retires(farmer, lot, 5);
  const shown = told.counting.tips(toHex(lot.subject()), "main").map(({ event }) => event.id);
  const lowest = offers
    .map(({ id }) => toHex(id))
    .sort()
    .slice(0, 2);
  assert.deepEqual(shown, [...lowest, toHex(draw.id)].sort());
});

/** The ids of live events by the words of section 9.2, each question asked anew. */
function liveByWords(world: World): Set<Hex> {
  const { read } = world.survivals(everything(world));
  const shown = new Set(read.map(({ cutter, keyEvent, event }) => `${cutter} ${keyEvent} ${event}`));
  const inForce = amendmentsByWords(world);
  const known = new Map<Hex, boolean>();
  const isLive = (id: Hex): boolean => {
    const answer = known.get(id) ?? decide(id);
    known.set(id, answer);
    return answer;
  };
  const decide = (id: Hex): boolean => {
    const { event, keyEvent, enrolment, signer } = world.history.get(id)!;
    if (keyEvent !== undefined && !(isLive(keyEvent.event.id) && isLive(enrolment!.event.id))) return false;
    const journal = keyEvent?.event.id ?? toHex(world.network);
    return world.judged.every((cutter) => {
      const { body } = cutter.event;
      const ends: { keyEvent: Hex; later: Hex[] }[] = [];
      if (body.kind === "actor.key_replaced" || body.kind === "actor.revoked") ends.push(...body.cuts);
      if (body.kind === "network.amended" && body.change.leaves !== undefined && inForce.includes(cutter.event.id)) {
        const { founder, cut } = body.change.leaves;
        if (toHex(world.founders[founder]!.id) === signer) ends.push(cut);
      }
      if (body.kind === "actor.key_rotated" && event.body.kind !== "actor.key_rotated")
        ends.push({ keyEvent: cutter.keyEvent!.event.id, later: [] });
      return ends.every(
        (end) =>
          end.keyEvent !== journal ||
          cutter.event.id === id ||
          end.later.includes(id) ||
          shown.has(`${cutter.event.id} ${journal} ${id}`) ||
          // Whether it is live is asked last: it never depends on what it ends.
          (body.kind !== "network.amended" && !isLive(cutter.event.id)),
      );
    });
  };
  return new Set(world.judged.map(({ event }) => event.id).filter(isLive));
}

function amendmentsByWords(world: World): Hex[] {
  let founders = world.founders.map(({ id }) => toHex(id));
  let followed = [toHex(world.network)];
  const inForce: Hex[] = [];
  for (;;) {
    const approved = world.judged.filter(({ event, signer }) => {
      if (event.body.kind !== "network.amended" || event.body.follows.join() !== followed.join()) return false;
      const approvers = world.judged.filter(
        (other) => other.event.body.kind === "network.approved" && other.event.body.amendment === event.id,
      );
      const votes = new Set([signer, ...approvers.map((other) => other.signer)].filter((id) => founders.includes(id)));
      return votes.size > founders.length / 2;
    });
    if (approved.length === 0) return inForce;
    followed = approved.map(({ event }) => event.id).sort();
    const [only, ...others] = approved;
    if (others.length > 0 || only!.event.body.kind !== "network.amended") continue;
    inForce.push(only!.event.id);
    const { leaves } = only!.event.body.change;
    if (leaves !== undefined) founders = founders.filter((id) => id !== toHex(world.founders[leaves.founder]!.id));
  }
}

/** The events of a world in another order, in which ancestors still come first. */
function shuffled(world: World, random: Random): World["judged"] {
  const left = [...world.judged];
  const done = new Set<Hex>([toHex(world.network)]);
  const order: World["judged"] = [];
  while (left.length > 0) {
    const ready = left.filter(({ event }) =>
      [...event.basis, ...event.touches.flatMap(({ prev }) => prev)].every((id) => done.has(id)),
    );
    // What a body names is nearly always touched too; where it is not, the first one is ready.
    const next = world.history.get(ready[random.below(ready.length)]!.event.id)!;
    left.splice(left.indexOf(next), 1);
    done.add(next.event.id);
    order.push(next);
  }
  return order;
}

test("what counts depends on the set of events alone, and on the words of the page", () => {
  const random = new Random("orders");
  let uncounted = 0;
  for (let round = 0; round < 6; round++) {
    const world = new World(`counting ${round}`, 100);
    const counting = counted(world, everything(world));
    const expected = described(world, counting);
    for (let order = 0; order < 3; order++) {
      const history = new History(world.history.network);
      for (const judged of shuffled(world, random)) history.add(judged);
      const { read } = world.survivals(everything(world));
      assert.deepEqual(described(world, new Counting(history, read, 1_000_000)), expected);
    }
    const live = liveByWords(world);
    const { read } = world.survivals(everything(world));
    assert.deepEqual(liveEvents(world.history, amendmentsInForce(world.history), read), live);
    for (const judged of world.judged) {
      const counts = judged.steps.some((_, index) => counting.step(judged, index) !== undefined);
      if (counts) assert.ok(live.has(judged.event.id), "what counts is live");
      else uncounted += 1;
      predecessorsAreThoseThatCount(counting, judged.event.id);
    }
  }
  assert.ok(uncounted > 20, `only ${uncounted} events do not count`);
});

/** By the words of section 9.4: prev, those that do not count replaced by their own, and so on. */
function predecessorsAreThoseThatCount(counting: Counting, id: Hex): void {
  const judged = counting.get(id)!;
  const network = counting.network.id;
  judged.event.touches.forEach(({ subject, lane, prev }, index) => {
    const step = counting.step(judged, index);
    if (step === undefined) return;
    const found = new Set<Hex>();
    const visit = (one: Hex): void => {
      const other = one === network ? undefined : counting.get(one)!;
      const at = other?.steps.findIndex(({ touch }) => touch.subject === subject && touch.lane === lane);
      if (other === undefined || counting.step(other, at!) !== undefined) found.add(one);
      else other.event.touches[at!]!.prev.forEach(visit);
    };
    prev.forEach(visit);
    assert.deepEqual(step.prev, [...found].sort());
  });
}

const GOLDEN = new URL("../../../../provenance/tests/provenance/golden/worlds/", import.meta.url);

/** Lots that were never made, as far as counts, and logs of nodes that never were, have no bundles. */
const FAIR = ["incomplete", "scope unknown_lot", "scope unknown_log"];

test("bundles of worlds by chance hold, and other verifiers have the same ones", () => {
  const found: string[] = [];
  for (let round = 0; round < 8; round++) {
    const world = new World(`bundles ${round}`, 90);
    const lots = lotsOf(world);
    for (const [at, lot] of [lots[0]!, lots.at(-1)!].entries()) {
      const bytes = bundleOfWorld(world, lot);
      const verdict = verify(bytes);
      const failed = verdict.checks.find(({ result }) => result === "failed");
      found.push(failed === undefined ? verdict.verdict : `${failed.check} ${failed.reason}`);
      const checks = verdict.checks.map(({ proves: _, rests_on: __, detail: ___, ...check }) => check);
      golden(`${round}-${at}`, bytes, `${JSON.stringify({ ...verdict, checks }, null, 2)}\n`);
    }
  }
  assert.deepEqual(
    found.filter((outcome) => !FAIR.includes(outcome)),
    [],
  );
  assert.ok(found.filter((outcome) => outcome === "incomplete").length > 6, found.join());
});

function golden(name: string, bundle: Uint8Array, verdict: string): void {
  const [file, text] = [new URL(`${name}.bundle`, GOLDEN), new URL(`${name}.verdict.json`, GOLDEN)];
  if (process.env["UPDATE"]) {
    writeFileSync(file, bundle);
    writeFileSync(text, verdict);
  }
  assert.ok(readFileSync(file).equals(bundle), "the bundles changed; run again with UPDATE=1 if that is meant");
  assert.equal(readFileSync(text, "utf8"), verdict);
}
