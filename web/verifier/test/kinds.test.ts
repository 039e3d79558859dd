/** The rules of the kinds around produce, title, units, keys, amendments, attestations and decisions: one case for each code. */
import assert from "node:assert/strict";
import { toHex } from "../src/bytes.js";
import { type Cbor, CborMap } from "../src/cbor.js";
import { CREATES, KG, STRANGER, Scene, offerBody, othersHave, placeBody, produceBody, scene } from "./story/scene.js";
import { type Made, type Said, ascending, keyOf, map } from "./story/signing.js";
import type { Actor } from "./story/story.js";

type Touches = Said["touches"];

const DOCUMENT: Cbor[] = [new Uint8Array(32), "application/pdf"];
const CELSIUS = (value: number, scale = 1): Cbor[] => [BigInt(value), BigInt(scale), "CEL"];

/** The main lane of what an event created, extended from these. */
function on(lot: Made, ...tips: Made[]): Touches[number] {
  return [lot.subject(), 0n, (tips.length === 0 ? [lot] : tips).map(({ id }) => id)];
}

scene("keys of one's own", () => {
  const scene = new Scene();
  const { farmer, buyer, founder } = scene;
  const key = keyOf("second key");
  const adds = (by: Actor, touches: Touches, body = scene.gives(12, key, by.id)) =>
    scene.codeOf(by, { kind: 12, touches, body });
  const self: Touches = [[farmer.id, 0n, [farmer.enrolment!]]];
  assert.equal(adds(farmer, self), "admitted");
  assert.equal(adds(farmer, [[buyer.id, 0n, [buyer.enrolment!]]]), "own_lane");
  assert.equal(adds(farmer, [...self, [null, 0n, []]]), "own_lane");
  assert.equal(adds(founder, [[founder.id, 0n, [scene.network]]]), "founder_key");
  assert.equal(adds(farmer, self, scene.gives(12, farmer.key, farmer.id)), "own_key");
  assert.equal(adds(farmer, self, scene.gives(12, key, founder.id)), "countersignature");
  const rotates = (count: number) =>
    scene.codeOf(farmer, {
      kind: 13,
      touches: self,
      body: scene.gives(13, key, farmer.id, { 3: [BigInt(count), new Uint8Array(32)] }),
    });
  assert.equal(rotates(1), "admitted");

  const second = scene.addKey(farmer, "second key");
  const place = (by: Actor, basis: Uint8Array[]) =>
    scene.codeOf(by, { kind: 20, touches: CREATES, basis, body: placeBody() });
  assert.equal(place(second, second.basis), "admitted");
  assert.equal(place(second, [second.keyEvent]), "unknown_signer");
  assert.equal(place(second, [farmer.enrolment!]), "unknown_signer");
  assert.equal(place(second, [second.keyEvent, buyer.enrolment!]), "unknown_signer");
});

scene("keys from above", () => {
  const scene = new Scene();
  const { farmer, founder } = scene;
  const keeper = scene.enrol("keeper", [1], undefined, founder, [2, 6]);
  const member = scene.enrol("member", [2], undefined, keeper);
  const other = scene.addKey(member, "other");
  const key = keyOf("replacement");
  const self: Touches = [[member.id, 0n, [other.keyEvent]]];
  const cut = scene.cutAfter(member, 1);
  const replaces = (
    by: Actor,
    cuts: Cbor[],
    change: { touches?: Touches; extra?: Uint8Array[]; agreed?: Uint8Array } = {},
  ) =>
    scene.codeOf(by, {
      kind: 14,
      touches: change.touches ?? self,
      extra: change.extra ?? [member.enrolment!],
      body: scene.gives(14, key, change.agreed ?? member.id, { 4: cuts }),
    });
  assert.equal(replaces(keeper, [cut]), "admitted");
  assert.equal(replaces(founder, [cut]), "admitted");
  assert.equal(replaces(founder, [cut], { extra: [] }), "unknown_actor");
  assert.equal(replaces(founder, [cut], { touches: CREATES }), "touches");
  assert.equal(replaces(member, [cut]), "not_above");
  assert.equal(replaces(farmer, [cut]), "not_above");
  assert.equal(replaces(keeper, [cut], { agreed: keeper.id }), "countersignature");
  const both = [cut, scene.cutAfter(other, 0)];
  const sorted = both.sort((a, b) => (toHex(a[0] as Uint8Array) < toHex(b[0] as Uint8Array) ? -1 : 1));
  assert.equal(replaces(keeper, sorted), "admitted");
  assert.equal(replaces(keeper, [...sorted].reverse()), "cut");
  assert.equal(replaces(keeper, []), "cut");
  assert.equal(replaces(keeper, [cut, cut]), "cut");
  assert.equal(replaces(keeper, [scene.cutAfter(farmer, 0)]), "cut");
  assert.equal(replaces(keeper, [[scene.place.id, scene.place.id, 0n, STRANGER, []]]), "cut");
  assert.equal(replaces(keeper, [[scene.network, scene.network, 0n, STRANGER, []]]), "cut");
  const [keyEvent, last, count, root] = cut as [Uint8Array, Uint8Array, bigint, Uint8Array];
  assert.equal(replaces(keeper, [[keyEvent, last, 0n, root, []]]), "cut");
  assert.equal(replaces(keeper, [[keyEvent, keyEvent, count, root, []]]), "cut");
  assert.equal(replaces(keeper, [[keyEvent, last, count, root, [STRANGER, STRANGER]]]), "cut");
  assert.equal(replaces(keeper, [[keyEvent, last, count, root, [STRANGER]]]), "admitted");
  assert.equal(replaces(keeper, [[STRANGER, last, count, root, []]]), "missing_ancestor");
  const revokes = (by: Actor, cuts: Cbor[]) =>
    scene.codeOf(by, { kind: 15, touches: self, extra: [member.enrolment!], body: map({ 1: "left", 2: cuts }) });
  assert.equal(revokes(keeper, sorted), "admitted");
  assert.equal(revokes(member, sorted), "not_above");
  assert.equal(revokes(keeper, []), "cut");
});

scene("amendments", () => {
  const scene = new Scene();
  const { farmer, founder, network } = scene;
  const begins: Touches = [[network, 0n, [network]]];
  const amends = (change: Record<number, Cbor>, follows: Cbor[] = [network], touches = begins, by = founder) =>
    scene.codeOf(by, { kind: 1, touches, body: map({ 1: follows, 2: map(change) }) });
  const [first, second]: Cbor[][] = [
    [1n, new Uint8Array(20)],
    [1n, new Uint8Array(20).fill(1)],
  ];
  assert.equal(amends({ 1: [first!, second!] }), "admitted");
  assert.equal(amends({ 1: [second!, first!] }), "list_order");
  assert.equal(amends({ 1: [] }), "admitted");
  assert.equal(amends({}), "empty");
  assert.equal(amends({ 3: 1n }, [STRANGER]), "missing_ancestor");
  assert.equal(amends({ 3: 1n }, [scene.place.id]), "amendment");
  assert.equal(amends({ 3: 1n }, []), "amendment");
  assert.equal(amends({ 3: 1n }, [network], [[founder.id, 0n, [network]]]), "touches");
  assert.equal(amends({ 3: 1n }, [network], begins, farmer), "founder");
  assert.equal(amends({ 2: new CborMap([["a".repeat(64), 1n]]) }), "admitted");
  assert.equal(amends({ 2: new CborMap([["a".repeat(65), 1n]]) }), "list_order");
  assert.equal(amends({ 2: new CborMap([]) }), "admitted");
  const leaves = (index: bigint, cut: Cbor[]) => amends({ 4: [index, cut] });
  assert.equal(leaves(0n, [network, network, 0n, STRANGER, []]), "admitted");
  assert.equal(leaves(1n, [network, network, 0n, STRANGER, []]), "founder");
  assert.equal(leaves(0n, [network, network, 1n, STRANGER, []]), "cut");
  assert.equal(leaves(0n, [farmer.enrolment!, network, 1n, STRANGER, []]), "cut");
  assert.equal(amends({ 5: [STRANGER, [], []] }), "decision");

  const amended = scene.tell(founder, { kind: 1, touches: begins, body: map({ 1: [network], 2: map({ 3: 1n }) }) });
  const newer = scene.tell(founder, {
    kind: 1,
    touches: [[network, 0n, [amended.id]]],
    body: map({ 1: [amended.id], 2: map({ 3: 2n }) }),
  });
  assert.equal(amends({ 3: 1n }, ascending([amended.id, newer.id])), "admitted");
  assert.equal(amends({ 3: 1n }, ascending([network, newer.id])), "amendment");
  const approves = (target: Uint8Array, by = founder) =>
    scene.codeOf(by, { kind: 2, touches: [[network, 0n, [newer.id]]], body: map({ 1: target }) });
  assert.equal(approves(amended.id), "admitted");
  assert.equal(approves(amended.id, farmer), "founder");
  assert.equal(approves(scene.place.id), "amendment");
  assert.equal(approves(network), "amendment");
  const place = (...extra: Uint8Array[]) =>
    scene.codeOf(farmer, { kind: 20, touches: CREATES, extra, body: placeBody() });
  assert.equal(place(amended.id), "admitted");
  assert.equal(place(newer.id), "unsupported");
  const same = scene.tell(founder, {
    kind: 1,
    touches: [[network, 0n, [newer.id]]],
    body: map({ 1: [network], 2: map({ 3: 1n }) }),
  });
  assert.equal(place(amended.id, same.id), "amendment");
});

scene("places change", () => {
  const scene = new Scene();
  const { farmer, buyer, founder, place } = scene;
  const updates = (body: CborMap, by = farmer, extra = [place.id], touches: Touches = [on(place)]) =>
    scene.codeOf(by, { kind: 21, touches, extra, body });
  assert.equal(updates(map({ 9: "ES" })), "admitted");
  assert.equal(updates(map({ 9: "ES" }), founder), "admitted");
  assert.equal(updates(map({ 9: "ES" }), buyer), "not_above");
  assert.equal(updates(map({ 9: "ES" }), farmer, []), "unknown_place");
  assert.equal(updates(map({ 9: "ES" }), farmer, [place.id], [[place.subject(), farmer.id, []]]), "touches");
  assert.equal(updates(map({})), "empty");
  assert.equal(updates(map({ 9: "es" })), "country");
  assert.equal(updates(map({ 4: [1n, 1n] })), "open_point");
  assert.equal(updates(map({ 8: STRANGER })), "unknown_place");
});

scene("collections", () => {
  const scene = new Scene();
  const { farmer, founder, place } = scene;
  const cooperative = scene.enrol("cooperative", [1]);
  const delivery = (quantity: Cbor[], more: Record<number, Cbor> = {}) => map({ 1: farmer.id, 3: quantity, ...more });
  const collects = (
    deliveries: Cbor[],
    total: Cbor[] = KG(100),
    more: Record<number, Cbor> = {},
    by = cooperative,
    extra = [farmer.enrolment!],
  ) => scene.codeOf(by, { kind: 31, touches: CREATES, extra, body: produceBody({ 4: deliveries, 6: total, ...more }) });
  const two = [delivery(KG(40, 4)), delivery(KG(60))];
  assert.equal(collects(two), "admitted");
  assert.equal(collects(two, [1000n, 1n, "KGM", 9n]), "admitted");
  assert.equal(collects(two, KG(99)), "lines");
  assert.equal(collects(two, [100n, 0n, "LTR"]), "lines");
  assert.equal(collects([], KG(0)), "lines");
  assert.equal(collects([delivery(KG(0)), delivery(KG(100))]), "lines");
  assert.equal(collects([delivery([1n, 0n, "LTR"]), delivery(KG(100))]), "lines");
  assert.equal(collects(two, KG(100), { 9: ["b", "a"] }), "list_order");
  assert.equal(collects(two, KG(100), {}, farmer), "role");
  assert.equal(collects(two, KG(100), {}, cooperative, []), "unknown_actor");
  assert.equal(collects([delivery(KG(100), { 2: place.subject() })]), "unknown_place");
  assert.equal(collects([delivery(KG(100), { 2: STRANGER, 1: STRANGER })]), "unknown_actor");
  assert.equal(
    collects([delivery(KG(100), { 2: place.subject() })], KG(100), {}, cooperative, [farmer.enrolment!, place.id]),
    "admitted",
  );
  const collected = scene.tell(cooperative, {
    kind: 31,
    touches: CREATES,
    extra: [farmer.enrolment!],
    body: produceBody({ 4: two, 6: KG(100) }),
  });
  const states = (by: Actor, kind: number) =>
    scene.codeOf(by, {
      kind,
      touches: [[collected.subject(), by.id, []]],
      body: map({ 1: collected.id, 2: "seen", 3: DOCUMENT }),
    });
  assert.equal(states(farmer, 101), "admitted");
  assert.equal(states(farmer, 102), "admitted");
  assert.equal(states(founder, 102), "not_party");
  assert.equal(
    scene.codeOf(farmer, { kind: 101, touches: [on(collected)], body: map({ 1: collected.id, 2: "x" }) }),
    "touches",
  );
  assert.equal(
    scene.codeOf(farmer, {
      kind: 101,
      touches: [[place.subject(), farmer.id, []]],
      body: map({ 1: collected.id, 2: "x" }),
    }),
    "touches",
  );
  assert.equal(
    scene.codeOf(farmer, {
      kind: 101,
      touches: [[place.subject(), farmer.id, []]],
      body: map({ 1: scene.network, 2: "x" }),
    }),
    "not_party",
  );
  const corrects = (fields: Record<number, Cbor>) =>
    scene.codeOf(cooperative, {
      kind: 100,
      touches: [[collected.subject(), cooperative.id, []]],
      body: map({ 1: collected.id, 2: "typing error", 3: map(fields) }),
    });
  assert.equal(corrects({ 3: "Reineta", 9: ["a", "b"] }), "admitted");
  assert.equal(corrects({ 9: ["b", "a"] }), "list_order");
  assert.equal(corrects({ 6: KG(99) }), "correction");
});

scene("what is done with produce", () => {
  const scene = new Scene();
  const { farmer, buyer, founder, place } = scene;
  const lot = scene.registers();
  const handles = (fields: Record<number, Cbor>, extra = [place.id], by = farmer) =>
    scene.codeOf(by, { kind: 33, touches: [on(lot)], extra, body: map({ 1: "cooling", ...fields }) });
  assert.equal(handles({}), "admitted");
  assert.equal(handles({ 2: place.subject(), 3: [-100n, 400n], 4: "night" }), "admitted");
  assert.equal(handles({ 2: place.subject() }, []), "unknown_place");
  assert.equal(handles({ 3: [1n, 0n] }), "temperature");
  assert.equal(handles({}, [], buyer), "not_holder");
  assert.equal(
    scene.codeOf(founder, {
      kind: 33,
      touches: [on(lot)],
      onBehalfOf: farmer.id,
      extra: [farmer.enrolment!],
      body: map({ 1: "cooling" }),
    }),
    "admitted",
  );
  const assigns = (codes: CborMap) => scene.codeOf(farmer, { kind: 36, touches: [on(lot)], body: map({ 1: codes }) });
  assert.equal(assigns(map({ 3: "TLC" })), "admitted");
  assert.equal(assigns(map({})), "empty");

  const other = scene.registers();
  const output = (quantity: Cbor[], more: Record<number, Cbor> = {}) =>
    map({ 1: ["HS", "2009.71"], 2: new CborMap([["en", "Juice"]]), 6: quantity, ...more });
  const juice = output([50n, 0n, "LTR"]);
  const transforms = (inputs: Cbor[], touches: Touches, outputs: Cbor[] = [juice], more: Record<number, Cbor> = {}) =>
    scene.codeOf(farmer, { kind: 37, touches, body: map({ 1: "run 7", 2: "press", 3: inputs, 4: outputs, ...more }) });
  const all: Cbor[] = [lot.subject(), KG(100, 10)];
  const part: Cbor[] = [other.subject(), KG(30)];
  const touches: Touches = [on(lot), on(other), [null, 0n, []]];
  assert.equal(transforms([all, part], touches), "admitted");
  assert.equal(transforms([all, part], touches, [juice], { 5: KG(1) }), "admitted");
  assert.equal(transforms([all, part], touches, [juice], { 5: KG(0) }), "zero_quantity");
  assert.equal(transforms([all, part], touches, [juice], { 6: place.subject() }), "unknown_place");
  assert.equal(transforms([all, part], touches, []), "lines");
  assert.equal(transforms([], [[null, 0n, []]]), "lines");
  assert.equal(transforms([all, part], touches, [output(KG(0))]), "zero_quantity");
  assert.equal(transforms([all, part], touches, [output(KG(1), { 9: ["b", "a"] })]), "list_order");
  assert.equal(transforms([all, part], touches, [juice, juice]), "touches");
  assert.equal(transforms([part, all], touches), "touches");
  assert.equal(transforms([all, part], [...touches, [lot.subject(), farmer.id, []]]), "touches");
  assert.equal(transforms([[lot.subject(), KG(101)], part], touches), "balance");
  const made = scene.tell(farmer, {
    kind: 37,
    touches,
    body: map({ 1: "run 7", 2: "press", 3: [all, part], 4: [juice] }),
  });
  assert.equal(
    scene.codeOf(farmer, { kind: 35, touches: [on(lot, made)], body: map({ 1: [1n, "EUR"] }) }),
    "lot_closed",
  );
  scene.counted(other);
  assert.equal(
    scene.codeOf(farmer, {
      kind: 38,
      touches: [[made.subject(2), 0n, [made.id]]],
      body: map({ 1: [50n, 0n, "LTR"], 2: 1n }),
    }),
    "admitted",
  );
});

scene("title moves alone", () => {
  const scene = new Scene();
  const { farmer, buyer } = scene;
  const [lot, other] = [scene.registers(), scene.registers()];
  const whole: Cbor[] = [lot.subject(), KG(100, 10)];
  const title: Touches[number] = [lot.subject(), 1n, []];
  const offers = (moves: bigint, touches: Touches, quantity = KG(100, 10), to: Cbor[] = [0n, buyer.id], by = farmer) =>
    scene.codeOf(by, {
      kind: 50,
      touches,
      extra: [buyer.enrolment!, farmer.enrolment!],
      body: map({ 1: [[lot.subject(), quantity]], 2: to, 3: moves }),
    });
  for (const moves of [1n, 2n]) {
    assert.equal(offers(moves, [on(lot), title]), "admitted");
    assert.equal(offers(moves, [on(lot)]), "divided");
    assert.equal(offers(moves, [on(lot), title], KG(99)), "divided");
    assert.equal(offers(moves, [on(lot), title], KG(100), [2n, "Market"]), "outside");
    assert.equal(offers(moves, [on(lot), [lot.subject(), 1n, [lot.id]]]), "prev");
    assert.equal(offers(moves, [on(lot), title, [null, 0n, []]]), "touches");
    assert.equal(offers(moves, [title, on(lot)]), moves === 1n ? "touches" : "touches");
  }
  assert.equal(offers(3n, [on(lot), title]), "divided");
  assert.equal(offers(2n, [title]), "touches");

  // The buyer stores it, the farmer keeps title.
  const stored = scene.tell(farmer, {
    kind: 50,
    touches: [on(lot), title],
    extra: [buyer.enrolment!],
    body: offerBody([whole], buyer.id, { 3: 1n }),
  });
  const accepts = (line: CborMap, touches: Touches) =>
    scene.codeOf(buyer, { kind: 51, touches, body: map({ 1: stored.id, 2: [line] }) });
  assert.equal(accepts(map({ 1: KG(100, 10) }), [on(lot, stored)]), "admitted");
  assert.equal(accepts(map({ 1: KG(90, 9), 3: KG(10, 1) }), [on(lot, stored)]), "admitted");
  assert.equal(accepts(map({ 1: KG(90, 9), 2: KG(10, 1) }), [on(lot, stored), [null, 0n, []]]), "divided");
  assert.equal(accepts(map({ 1: KG(100, 10) }), [on(lot, stored), [lot.subject(), 1n, [stored.id]]]), "touches");
  const kept = scene.tell(buyer, {
    kind: 51,
    touches: [on(lot, stored)],
    body: map({ 1: stored.id, 2: [map({ 1: KG(90, 9), 3: KG(10, 1) })] }),
  });
  const onTitle = (tip: Made): Touches[number] => [lot.subject(), 1n, [tip.id]];
  const prices = (touches: Touches, by: Actor) =>
    scene.codeOf(by, { kind: 35, touches, body: map({ 1: [1n, "EUR"] }) });
  assert.equal(prices([onTitle(stored)], farmer), "admitted");
  assert.equal(prices([onTitle(stored)], buyer), "not_holder");
  assert.equal(prices([on(lot, kept)], buyer), "divided");
  const retires = (by: Actor, touches: Touches, quantity = KG(90, 9)) =>
    scene.codeOf(by, { kind: 38, touches, body: map({ 1: quantity, 2: 1n }) });
  assert.equal(retires(buyer, [on(lot, kept)]), "divided");
  assert.equal(retires(buyer, [on(lot, kept), onTitle(stored)]), "not_holder");
  assert.equal(offers(2n, [on(lot, kept), title], KG(90), [0n, buyer.id], buyer), "to_self");
  assert.equal(offers(2n, [onTitle(stored)], KG(100)), "admitted");
  assert.equal(offers(2n, [onTitle(stored)], KG(90)), "divided");
  assert.equal(offers(1n, [on(lot, kept), title], KG(90, 9), [0n, farmer.id], buyer), "divided");
  assert.equal(offers(1n, [on(lot, kept)], KG(80, 8), [0n, farmer.id], buyer), "divided");
  assert.equal(offers(1n, [on(lot, kept)], KG(90, 9), [0n, farmer.id], buyer), "admitted");

  const sold = scene.tell(farmer, {
    kind: 50,
    touches: [onTitle(stored)],
    extra: [buyer.enrolment!],
    body: offerBody([whole], buyer.id, { 3: 2n }),
  });
  const buys = (line: CborMap, touches: Touches) =>
    scene.codeOf(buyer, { kind: 51, touches, body: map({ 1: sold.id, 2: [line] }) });
  assert.equal(buys(map({ 1: KG(100, 10) }), [onTitle(sold)]), "admitted");
  assert.equal(buys(map({ 1: KG(0, 0), 2: KG(100, 10) }), [onTitle(sold)]), "admitted");
  assert.equal(buys(map({ 1: KG(90, 9), 3: KG(10, 1) }), [onTitle(sold)]), "divided");
  assert.equal(buys(map({ 1: KG(100, 10) }), [on(lot, kept)]), "touches");
  assert.equal(scene.codeOf(buyer, { kind: 52, touches: [onTitle(sold)], body: map({ 1: sold.id }) }), "admitted");
  const bought = scene.tell(buyer, {
    kind: 51,
    touches: [onTitle(sold)],
    body: map({ 1: sold.id, 2: [map({ 1: KG(100, 10) })] }),
  });
  // Title to more than there is goes with what there is.
  assert.equal(retires(buyer, [on(lot, kept), onTitle(bought)]), "admitted");
  assert.equal(retires(buyer, [on(lot, kept), onTitle(bought)], KG(9)), "divided");
  assert.equal(offers(3n, [on(lot, kept), onTitle(bought)], KG(90, 9), [0n, farmer.id], buyer), "admitted");
  assert.equal(offers(3n, [on(lot, kept)], KG(90, 9), [0n, farmer.id], buyer), "divided");
  const together = scene.tell(buyer, {
    kind: 50,
    touches: [on(lot, kept), onTitle(bought)],
    extra: [farmer.enrolment!],
    body: offerBody([[lot.subject(), KG(90, 9)]], farmer.id),
  });
  const takes = (line: CborMap, touches: Touches) =>
    scene.codeOf(farmer, { kind: 51, touches, body: map({ 1: together.id, 2: [line] }) });
  assert.equal(takes(map({ 1: KG(90, 9) }), [on(lot, together), onTitle(together)]), "admitted");
  assert.equal(takes(map({ 1: KG(90, 9) }), [on(lot, together)]), "touches");
  assert.equal(takes(map({ 1: KG(90, 9) }), [onTitle(together), on(lot, together)]), "touches");
  assert.equal(
    scene.codeOf(buyer, {
      kind: 53,
      touches: [on(lot, together), onTitle(together)],
      body: map({ 1: together.id }),
    }),
    "admitted",
  );
  scene.counted(other);
});

scene("units", () => {
  const scene = new Scene();
  const { farmer, buyer, place } = scene;
  const [lot, other] = [scene.registers(), scene.registers()];
  const all: Cbor[] = [lot.subject(), KG(100, 10)];
  const part: Cbor[] = [other.subject(), KG(30)];
  const create: Touches[number] = [null, 0n, []];
  const packs = (contents: Cbor[], touches: Touches, more: Record<number, Cbor> = {}, by = farmer) =>
    scene.codeOf(by, { kind: 60, touches, body: map({ 2: contents, ...more }) });
  const both: Touches = [create, on(lot), on(other), create];
  assert.equal(packs([all, part], both), "admitted");
  assert.equal(packs([all, part], both, { 1: "106141411234567897" }), "admitted");
  assert.equal(packs([], both), "lines");
  assert.equal(packs([all, part], both, { 3: place.subject() }), "unknown_place");
  assert.equal(packs([all, part], both.slice(0, 3)), "touches");
  assert.equal(packs([part, all], both), "touches");
  assert.equal(packs([all], [create, on(lot), create]), "touches");
  assert.equal(packs([all], [on(other), on(lot)]), "touches");
  assert.equal(packs([[lot.subject(), KG(200)]], [create, on(lot)]), "balance");
  assert.equal(packs([all], [create, on(lot)], {}, buyer), "not_holder");
  const packed = scene.tell(farmer, { kind: 60, touches: both, body: map({ 2: [all, part] }) });
  const unit = packed.subject(0);
  const content = packed.subject(3);
  const onUnit: Touches[number] = [unit, 0n, [packed.id]];
  assert.equal(scene.codeOf(farmer, { kind: 33, touches: [on(lot, packed)], body: map({ 1: "cooling" }) }), "packed");
  assert.equal(
    scene.codeOf(farmer, { kind: 38, touches: [onUnit], body: map({ 1: [1n, 0n, "EA"], 2: 4n }) }),
    "packed",
  );
  const more = scene.registers();
  const bread = map({ 1: ["HS", "1905"], 2: new CborMap([["en", "Bread"]]), 6: KG(1) });
  assert.equal(
    scene.codeOf(farmer, {
      kind: 37,
      touches: [onUnit, create],
      body: map({ 1: "run", 2: "mix", 3: [[unit, [1n, 0n, "EA"]]], 4: [bread] }),
    }),
    "packed",
  );
  const adds: Cbor[] = [[more.subject(), KG(10)]];
  assert.equal(packs(adds, [onUnit, on(more), create]), "admitted");
  assert.equal(packs(adds, [onUnit, on(more), create], { 1: "106141411234567897" }), "touches");
  // A unit in a unit.
  assert.equal(packs([[unit, [1n, 0n, "EA"]]], [create, onUnit]), "admitted");
  assert.equal(packs([[unit, [5n, 1n, "EA"]]], [create, onUnit, create]), "packed");

  const unpacks = (contents: Cbor[], touches: Touches, by = farmer, fields: Record<number, Cbor> = {}) =>
    scene.codeOf(by, { kind: 61, touches, body: map({ 1: contents, ...fields }) });
  const out: Touches = [onUnit, on(lot, packed), [content, 0n, [packed.id]]];
  assert.equal(unpacks([lot.subject(), content], out), "admitted");
  assert.equal(unpacks([lot.subject()], out.slice(0, 2)), "admitted");
  assert.equal(unpacks([], [onUnit]), "lines");
  assert.equal(unpacks([lot.subject()], out), "touches");
  assert.equal(unpacks([lot.subject()], out.slice(0, 2), buyer), "not_holder");
  assert.equal(unpacks([lot.subject()], out.slice(0, 2), farmer, { 2: STRANGER }), "unknown_place");
  assert.equal(unpacks([more.subject()], [onUnit, on(more)]), "not_inside");
  assert.equal(unpacks([more.subject(), lot.subject(), content], [onUnit, on(more), out[1]!, out[2]!]), "touches");
  assert.equal(unpacks([lot.subject()], [on(other, packed), on(lot, packed)]), "touches");

  // What lies in a unit goes where the unit goes.
  const offer = scene.tell(farmer, {
    kind: 50,
    touches: [onUnit],
    extra: [buyer.enrolment!],
    body: offerBody([[unit, [1n, 0n, "EA"]]], buyer.id),
  });
  const taken = scene.accepts(offer, unit, [1n, 0n, "EA"]);
  assert.equal(unpacks([lot.subject()], [[unit, 0n, [taken.id]], on(lot, packed)]), "not_holder");
  const emptied = scene.tell(buyer, {
    kind: 61,
    touches: [[unit, 0n, [taken.id]], on(lot, packed), [content, 0n, [packed.id]]],
    body: map({ 1: [lot.subject(), content] }),
  });
  assert.equal(scene.counted(lot).holder, toHex(buyer.id));
  assert.equal(
    scene.codeOf(buyer, { kind: 38, touches: [[unit, 0n, [emptied.id]]], body: map({ 1: [1n, 0n, "EA"], 2: 4n }) }),
    "admitted",
  );
});

scene("what others attest", () => {
  const scene = new Scene();
  const { farmer, buyer, founder, place } = scene;
  const device = scene.enrol("device", [12]);
  const laboratory = scene.enrol("laboratory", [9]);
  const lot = scene.registers();
  const onLane = (by: Actor): Touches => [[lot.subject(), by.id, []]];
  const measures = (fields: Record<number, Cbor>, by = device, extra = [lot.id], touches = onLane(by)) =>
    scene.codeOf(by, {
      kind: 70,
      touches,
      extra,
      body: map({ 1: "temperature", 2: [1n, 2n], 3: CELSIUS(10), 4: CELSIUS(400, 2), 6: 3n, ...fields }),
    });
  assert.equal(measures({}), "admitted");
  assert.equal(measures({ 5: CELSIUS(2, 0) }), "admitted");
  assert.equal(measures({ 5: CELSIUS(5, 0) }), "measures");
  assert.equal(measures({ 4: CELSIUS(99, 2) }), "measures");
  assert.equal(measures({ 4: [5n, 0n, "FAH"] }), "measures");
  assert.equal(measures({ 6: 0n }), "measures");
  assert.equal(measures({ 2: [2n, 1n] }), "period");
  assert.equal(measures({ 8: place.subject() }), "unknown_place");
  assert.equal(measures({}, farmer), "role");
  assert.equal(measures({}, device, []), "unknown_subject");
  assert.equal(measures({}, device, [lot.id], onLane(farmer)), "touches");
  const inspects = (fields: Record<number, Cbor>, by = laboratory, extra = [lot.id]) =>
    scene.codeOf(by, {
      kind: 39,
      touches: onLane(by),
      extra,
      body: map({ 1: "S-1", 2: "ISO 1", 3: [], 4: 1n, ...fields }),
    });
  const analytes = (count: number): Cbor[] =>
    Array.from({ length: count }, (_, at) => map({ 1: `lead ${at}`, 2: [-1n, 3n, "mg/kg"], 3: [1n, 1n, "mg/kg"] }));
  assert.equal(inspects({ 3: analytes(32), 5: DOCUMENT }), "admitted");
  assert.equal(inspects({ 3: analytes(33) }), "lines");
  assert.equal(inspects({}, buyer), "role");
  assert.equal(inspects({}, laboratory, []), "unknown_subject");
  assert.equal(inspects({ 6: STRANGER }), "unknown_place");

  const attaches = (
    fields: Record<number, Cbor>,
    by = device,
    extra: Uint8Array[] = [device.enrolment!, lot.id],
    kind = 71,
    of = device,
  ) =>
    scene.codeOf(by, {
      kind,
      touches: [[of.id, 0n, [of.enrolment!]]],
      extra,
      body: map({ 1: lot.subject(), 2: 5n, ...fields }),
    });
  assert.equal(attaches({}), "admitted");
  assert.equal(attaches({ 3: 5n }, founder), "admitted");
  assert.equal(attaches({ 3: 4n }), "period");
  assert.equal(attaches({}, farmer), "not_above");
  assert.equal(attaches({}, founder, [lot.id]), "unknown_actor");
  assert.equal(attaches({}, device, [device.enrolment!]), "unknown_subject");
  assert.equal(attaches({}, farmer, [lot.id], 71, farmer), "role");
  assert.equal(attaches({}, device, undefined, 72), "admitted");
  assert.equal(scene.codeOf(device, { kind: 72, touches: CREATES, body: map({ 1: lot.subject(), 2: 5n }) }), "touches");
});

scene("certificates and recalls", () => {
  const scene = new Scene();
  const { farmer, buyer, founder, place } = scene;
  const certifier = scene.enrol("certifier", [10]);
  const authority = scene.enrol("authority", [11]);
  const lot = scene.registers();
  const fields = (more: Record<number, Cbor> = {}) =>
    map({ 1: "organic", 2: "ES-1", 3: [farmer.id], 6: [20_000n, 21_000n], ...more });
  const issues = (more: Record<number, Cbor> = {}, by = certifier, extra = [farmer.enrolment!], touches = CREATES) =>
    scene.codeOf(by, { kind: 80, touches, extra, body: fields(more) });
  assert.equal(issues(), "admitted");
  assert.equal(
    issues({
      5: [
        ["HS", "08"],
        ["HS", "0808"],
      ],
      7: KG(1),
      8: DOCUMENT,
    }),
    "admitted",
  );
  assert.equal(
    issues({
      5: [
        ["HS", "0808"],
        ["HS", "08"],
      ],
    }),
    "list_order",
  );
  assert.equal(issues({ 3: [] }), "list_order");
  assert.equal(issues({ 3: [farmer.id, farmer.id] }), "list_order");
  assert.equal(issues({ 7: KG(0) }), "zero_quantity");
  assert.equal(issues({}, certifier, []), "unknown_actor");
  assert.equal(issues({ 4: [place.subject()] }), "unknown_place");
  assert.equal(issues({}, farmer), "role");
  assert.equal(issues({}, certifier, [], [[lot.subject(), certifier.id, []]]), "touches");
  const certificate = scene.tell(certifier, {
    kind: 80,
    touches: CREATES,
    extra: [farmer.enrolment!],
    body: fields(),
  });
  const changes = (by: Actor, extra = [certificate.id], touches: Touches = [on(certificate)]) =>
    scene.codeOf(by, { kind: 81, touches, extra, body: map({ 1: 1n, 2: 7n, 3: "late" }) });
  assert.equal(changes(certifier), "admitted");
  assert.equal(changes(founder), "admitted");
  assert.equal(changes(farmer), "not_above");
  assert.equal(changes(certifier, []), "unknown_subject");
  assert.equal(changes(certifier, [lot.id], [on(lot)]), "unknown_subject");
  assert.equal(changes(certifier, [certificate.id], CREATES), "touches");

  const recalls = (by: Actor, extra = [lot.id], touches: Touches = [[lot.subject(), by.id, []]]) =>
    scene.codeOf(by, { kind: 90, touches, extra, body: map({ 1: 1n, 2: "glass", 4: 2n, 5: "phone" }) });
  assert.equal(recalls(authority), "admitted");
  assert.equal(recalls(farmer), "admitted");
  assert.equal(recalls(buyer), "not_party");
  assert.equal(recalls(authority, []), "unknown_subject");
  assert.equal(recalls(authority, [lot.id], [on(lot)]), "touches");
  const other = scene.registers();
  const recall = scene.tell(authority, {
    kind: 90,
    touches: [
      [other.subject(), authority.id, []],
      [lot.subject(), authority.id, []],
    ],
    extra: [lot.id, other.id],
    body: map({ 1: 1n, 2: "glass", 4: 2n, 5: "phone" }),
  });
  const follows = (kind: number, body: CborMap, by = authority, lots = [other, lot]) =>
    scene.codeOf(by, { kind, touches: lots.map((one) => [one.subject(), by.id, []]), body });
  assert.equal(follows(91, map({ 1: recall.id, 2: 2n })), "admitted");
  assert.equal(follows(91, map({ 1: recall.id, 6: "mail" }), founder), "admitted");
  assert.equal(follows(91, map({ 1: recall.id })), "empty");
  assert.equal(follows(91, map({ 1: lot.id, 2: 2n })), "recall");
  assert.equal(follows(91, map({ 1: scene.network, 2: 2n })), "recall");
  assert.equal(follows(92, map({ 1: recall.id, 2: "done" })), "admitted");
  assert.equal(follows(92, map({ 1: recall.id, 2: "done" }), farmer), "not_above");
  assert.equal(follows(92, map({ 1: recall.id, 2: "done" }), authority, [lot, other]), "touches");
  assert.equal(follows(92, map({ 1: recall.id, 2: "done" }), authority, [other]), "touches");
});

scene("decisions", () => {
  const scene = new Scene();
  const { founder, buyer } = scene;
  const keeper = scene.enrol("keeper", [1], undefined, founder, [1, 2]);
  const inner = scene.enrol("inner", [1], undefined, keeper, [2]);
  const grower = scene.enrol("grower", [2], undefined, inner);
  const lot = scene.registers(produceBody(), grower);
  const draws = (value: number) =>
    scene.tell(grower, { kind: 38, touches: [on(lot)], body: map({ 1: KG(value), 2: 1n }) });
  const [one, two] = [draws(70), draws(60)];
  const told = scene.tell(grower, { kind: 35, touches: [on(lot)], body: map({ 1: [1n, "EUR"] }) });
  const decides = (
    by: Actor,
    branches: Made[],
    standing: Made[],
    more: Record<number, Cbor> = {},
    touches: Touches = [[lot.subject(), by.id, []]],
  ) => {
    const ids = (events: Made[]) => ascending(events.map(({ id }) => id));
    return scene.codeOf(by, {
      kind: 110,
      touches,
      body: map({ 1: ids(branches), 2: ids(standing), 3: "weighed", ...more }),
    });
  };
  assert.equal(decides(inner, [one, two], [one]), "admitted");
  assert.equal(decides(inner, [one, two], []), "admitted");
  assert.equal(decides(keeper, [one, two], [one]), "not_resolver");
  assert.equal(decides(grower, [one, two], [one]), "not_resolver");
  assert.equal(decides(inner, [one, two], [one, two]), "decision");
  assert.equal(decides(inner, [one], []), "decision");
  assert.equal(decides(inner, [one, told], []), "decision");
  assert.equal(decides(inner, [one, lot], []), "decision");
  assert.equal(decides(inner, [one, two], [told]), "decision");
  assert.equal(decides(inner, [one, two], [], { 1: [STRANGER, one.id].reverse() }), "missing_ancestor");
  assert.equal(decides(inner, [one, two], [one], {}, [on(lot)]), "touches");
  assert.equal(decides(inner, [one, two], [one], {}, [[scene.place.subject(), inner.id, []]]), "decision");
  // Who enrolled the grower is party to an offer that it carries, so the next one above decides.
  const carried = scene.tell(grower, {
    kind: 50,
    touches: [on(lot), [null, 0n, []]],
    extra: [buyer.enrolment!, inner.enrolment!],
    body: offerBody([[lot.subject(), KG(80)]], buyer.id, { 4: inner.id }),
  });
  assert.equal(decides(inner, [one, carried], [one]), "not_resolver");
  assert.equal(decides(keeper, [one, carried], [one]), "admitted");
  const decided = scene.tell(inner, {
    kind: 110,
    touches: [[lot.subject(), inner.id, []]],
    body: map({ 1: ascending([one.id, two.id]), 2: [one.id], 3: "weighed" }),
  });
  assert.equal(decides(inner, [one, two], [two], { 4: decided.id }), "admitted");
  assert.equal(decides(inner, [one, two], [two], { 4: one.id }), "decision");
  assert.equal(decides(inner, [one, two], [two], { 4: scene.network }), "decision");
  assert.equal(
    scene.codeOf(scene.founder, {
      kind: 1,
      touches: [[scene.network, 0n, [scene.network]]],
      body: map({
        1: [scene.network],
        2: map({ 5: [lot.subject(), ascending([one.id, two.id]), [two.id]] }),
      }),
    }),
    "admitted",
  );
});

othersHave("foreign_kinds.txt");
