/** The rules of docs/rules.md: for each code an event that breaks it, and what joins, crossings and conflicts come to. */
import assert from "node:assert/strict";
import { idText, toHex } from "../src/bytes.js";
import { type Cbor, CborMap, encode } from "../src/cbor.js";
import { Counting } from "../src/counting/counting.js";
import type { Judged } from "../src/rules/history.js";
import { CREATES, KG, STRANGER, Scene, offerBody, othersHave, placeBody, produceBody, scene } from "./story/scene.js";
import { type Made, type Said, keyOf, map, sign } from "./story/signing.js";
import type { Actor } from "./story/story.js";

scene("enrolment", () => {
  const scene = new Scene();
  const key = keyOf("newcomer");
  const enrols = (change: Record<number, Cbor | undefined>, by = scene.founder, signer = key): string => {
    const body = { 1: key.public, 2: 0n, 3: [2n], 4: [], 5: "newcomer", ...change };
    const signature = sign(signer, encode(["furrow/countersign/1", scene.network, by.id, 10n, map(body)]));
    return scene.codeOf(by, { kind: 10, touches: CREATES, body: map({ ...body, 10: signature }) });
  };
  const details = map({ 1: key.public, 2: "peer" });
  assert.equal(enrols({}), "admitted");
  assert.equal(enrols({ 3: [1n, 3n], 4: [2n, 12n], 8: ["1234", "12345"], 9: details }), "admitted");
  for (const change of [{ 3: [] }, { 3: [2n, 1n] }, { 3: [2n, 2n] }, { 4: [3n, 2n] }])
    assert.equal(enrols(change), "roles_given");
  assert.equal(enrols({}, scene.farmer), "roles_given");
  assert.equal(enrols({ 3: [3n] }), "node_details");
  assert.equal(enrols({ 9: details }), "node_details");
  assert.equal(enrols({ 8: ["1235", "1234"] }), "list_order");
  assert.equal(enrols({}, scene.founder, keyOf("other")), "countersignature");
  assert.equal(enrols({ 1: scene.founder.key.public }, scene.founder, scene.founder.key), "own_key");
});

scene("updates", () => {
  const scene = new Scene();
  const { farmer, founder } = scene;
  const updates = (by: Actor, subject: Uint8Array, prev: Uint8Array[], body: CborMap) =>
    scene.codeOf(by, { kind: 11, touches: [[subject, 0n, prev]], body });
  const name = map({ 1: "new name" });
  assert.equal(updates(farmer, farmer.id, [farmer.enrolment!], name), "admitted");
  assert.equal(updates(founder, founder.id, [scene.network], name), "admitted");
  assert.equal(updates(founder, farmer.id, [farmer.enrolment!], name), "own_lane");
  assert.equal(updates(farmer, scene.buyer.id, [scene.network], name), "prev");
  assert.equal(updates(farmer, farmer.id, [scene.place.id], name), "prev");
  assert.equal(updates(farmer, farmer.id, [STRANGER], name), "missing_ancestor");
  assert.equal(updates(farmer, farmer.id, [farmer.enrolment!], map({})), "empty");
  assert.equal(
    updates(farmer, farmer.id, [farmer.enrolment!], map({ 4: map({ 1: STRANGER, 2: "peer" }) })),
    "node_details",
  );
});

scene("signers, members and places", () => {
  const scene = new Scene();
  const { farmer, buyer, founder } = scene;
  const place = (by: Actor, said: Partial<Said> & { extra?: Uint8Array[] } = {}, more: Record<number, Cbor> = {}) =>
    scene.codeOf(by, { kind: 20, touches: CREATES, body: placeBody(more), ...said });
  assert.equal(place(farmer, { basis: [scene.network] }), "unknown_signer");
  assert.equal(place(founder, { basis: [farmer.enrolment!] }), "unknown_signer");
  assert.equal(place(founder, { onBehalfOf: farmer.id, extra: [farmer.enrolment!] }), "admitted");
  assert.equal(place(founder, { onBehalfOf: farmer.id }), "on_behalf_of");
  assert.equal(place(buyer, { onBehalfOf: farmer.id, extra: [farmer.enrolment!] }), "on_behalf_of");
  assert.equal(place(farmer, {}, { 4: [100_001n, 0n] }), "open_point");
  assert.equal(place(farmer, {}, { 5: [100_000n, 0n] }), "open_point");
  assert.equal(place(farmer, {}, { 9: "es" }), "country");
  assert.equal(place(farmer, {}, { 8: STRANGER }), "unknown_place");
  assert.equal(place(farmer, { extra: [scene.place.id] }, { 8: scene.place.subject() }), "admitted");
  assert.equal(scene.codeOf(farmer, { kind: 999, touches: CREATES, body: map({}) }), "unsupported");
  assert.equal(scene.codeOf(farmer, { kind: 20, touches: [...CREATES, ...CREATES], body: placeBody() }), "touches");
});

scene("produce", () => {
  const scene = new Scene();
  const { farmer, buyer, founder } = scene;
  const registers = (more: Record<number, Cbor>, by = farmer, extra: Uint8Array[] = []) =>
    scene.codeOf(by, { kind: 30, touches: CREATES, extra, body: produceBody(more) });
  assert.equal(registers({}, buyer), "role");
  assert.equal(
    scene.codeOf(founder, {
      kind: 30,
      touches: CREATES,
      body: produceBody(),
      onBehalfOf: buyer.id,
      extra: [buyer.enrolment!],
    }),
    "role",
  );
  assert.equal(registers({ 6: KG(0) }), "zero_quantity");
  assert.equal(registers({ 9: ["b", "a"] }), "list_order");
  // Bytes decide: U+FF21 is EF BC A1, U+1F34E is F0 9F 8D 8E, though its first code unit is lower.
  assert.equal(registers({ 9: ["\uff21", "🍎"] }), "admitted");
  assert.equal(registers({ 4: [scene.place.subject()] }), "unknown_place");

  const lot = scene.registers();
  const on = (said: { kind: number; body: Cbor; by?: Actor; extra?: Uint8Array[]; touches?: Said["touches"] }) =>
    scene.codeOf(said.by ?? farmer, { touches: [[lot.subject(), 0n, [lot.id]]], ...said });
  const retires = (quantity: Cbor[]) => on({ kind: 38, body: map({ 1: quantity, 2: 1n }) });
  assert.equal(retires(KG(100, 10)), "admitted");
  assert.equal(retires(KG(100)), "admitted");
  assert.equal(retires(KG(0)), "zero_quantity");
  assert.equal(retires([1n, 0n, "LTR"]), "unit");
  assert.equal(retires(KG(101)), "balance");
  assert.equal(retires(KG(100, 9)), "balance");
  assert.equal(retires(KG(50, 11)), "balance");
  const price = map({ 1: [1n, "EUR"] });
  assert.equal(on({ kind: 35, body: price, by: buyer }), "not_holder");
  assert.equal(on({ kind: 35, body: price, touches: [[farmer.id, 0n, [farmer.enrolment!]]] }), "touches");
  assert.equal(on({ kind: 35, body: price, touches: [[lot.subject(), farmer.id, []]] }), "touches");
  assert.equal(on({ kind: 35, body: price, touches: [[lot.subject(), 1n, []]] }), "touches");
  assert.equal(on({ kind: 32, body: map({ 1: scene.place.subject() }) }), "unknown_place");
  assert.equal(on({ kind: 32, body: map({ 1: scene.place.subject() }), extra: [scene.place.id] }), "admitted");
  const uncounted = scene.registers(produceBody({ 6: KG(5) }));
  assert.equal(
    on({ kind: 38, body: map({ 1: KG(1, 1), 2: 1n }), touches: [[uncounted.subject(), 0n, [uncounted.id]]] }),
    "packages",
  );
});

scene("offers", () => {
  const scene = new Scene();
  const { farmer, buyer } = scene;
  const [lot, other, foreign] = [
    scene.registers(),
    scene.registers(),
    scene.registers(produceBody(), scene.enrol("neighbour", [2])),
  ];
  const whole: Cbor[] = [lot.subject(), KG(100, 10)];
  const touch: Said["touches"][number] = [lot.subject(), 0n, [lot.id]];
  const offers = (lines: Cbor[], touches: Said["touches"], more: Record<number, Cbor> = {}, to = buyer.id) =>
    scene.codeOf(farmer, { kind: 50, touches, extra: [buyer.enrolment!], body: offerBody(lines, to, more) });
  assert.equal(offers([whole], [touch]), "admitted");
  assert.equal(offers([], [touch]), "lines");
  assert.equal(offers([whole], [touch], { 7: [2n, 1n] }), "temperature");
  assert.equal(offers([whole], [touch], { 10: scene.network }), "not_an_offer");
  assert.equal(offers([], [touch], { 10: lot.id }), "lines");
  assert.equal(offers([whole], [touch], {}, farmer.id), "to_self");
  assert.equal(offers([whole], [touch], {}, STRANGER), "unknown_actor");
  assert.equal(offers([whole], [touch], { 5: STRANGER }), "unknown_place");
  assert.equal(offers([whole], [touch], { 4: STRANGER }), "unknown_actor");
  assert.equal(offers([whole], [touch], { 3: 1n }), "divided");
  assert.equal(offers([whole], [touch, [null, 0n, []]]), "touches");
  assert.equal(offers([[lot.subject(), KG(1)]], [touch]), "touches");
  assert.equal(offers([[lot.subject(), KG(1)]], [touch, [null, 0n, []]]), "admitted");
  assert.equal(
    offers(
      [[foreign.subject(), KG(1)]],
      [
        [foreign.subject(), 0n, [foreign.id]],
        [null, 0n, []],
      ],
    ),
    "not_holder",
  );
  // Two parts, of which one would be somebody else's lot.
  const twoParts: Cbor[] = [
    [lot.subject(), KG(1)],
    [other.subject(), KG(1)],
  ];
  const theft: Said["touches"] = [
    touch,
    [other.subject(), 0n, [other.id]],
    [null, 0n, []],
    [foreign.subject(), 0n, [foreign.id]],
  ];
  assert.equal(offers(twoParts, theft), "touches");

  scene.offers(lot, [lot], KG(100, 10), false);
  const open = new Counting(scene.history, [], 1_000_000).tips(toHex(lot.subject()), "main")[0]!;
  const again: Said["touches"] = [[lot.subject(), 0n, [Buffer.from(open.event.id, "hex")]]];
  assert.equal(offers([whole], again), "offer_open");
});

scene("answers", () => {
  const scene = new Scene();
  const { farmer, buyer } = scene;
  const [lot, other, foreign] = [scene.registers(), scene.registers(), scene.registers()];
  const offer = scene.tell(farmer, {
    kind: 50,
    touches: [
      [lot.subject(), 0n, [lot.id]],
      [other.subject(), 0n, [other.id]],
    ],
    extra: [buyer.enrolment!],
    body: offerBody(
      [
        [lot.subject(), KG(100, 10)],
        [other.subject(), KG(100, 10)],
      ],
      buyer.id,
    ),
  });
  const both: Said["touches"] = [
    [lot.subject(), 0n, [offer.id]],
    [other.subject(), 0n, [offer.id]],
  ];
  const all = map({ 1: KG(100, 10) });
  const accepts = (lines: Cbor[], touches = both, by = buyer, named = offer.id) =>
    scene.codeOf(by, { kind: 51, touches, body: map({ 1: named, 2: lines }) });
  const part = map({ 1: KG(60, 6), 2: KG(30, 3), 3: KG(10, 1) });
  assert.equal(accepts([all, all]), "admitted");
  assert.equal(accepts([all, part], [...both, [null, 0n, []]]), "admitted");
  assert.equal(accepts([all, map({ 1: KG(0, 0), 3: KG(100, 10) })]), "admitted");
  assert.equal(accepts([all, all], both, farmer), "not_addressee");
  assert.equal(accepts([all, all], both, buyer, lot.id), "not_addressee");
  assert.equal(accepts([all, all], both, buyer, scene.network), "not_an_offer");
  assert.equal(accepts([all]), "lines");
  assert.equal(accepts([all, map({ 1: KG(100) })]), "lines");
  assert.equal(accepts([all, map({ 1: KG(99, 10) })]), "lines");
  assert.equal(accepts([all, map({ 1: KG(100, 10), 2: KG(0, 0) })]), "zero_quantity");
  assert.equal(accepts([all, all], [...both].reverse()), "touches");
  assert.equal(accepts([all, part]), "touches");
  assert.equal(accepts([part, part], [...both, [null, 0n, []], [foreign.subject(), 0n, [foreign.id]]]), "touches");
  const closes = (kind: number, by: Actor, touches = both, named = offer.id) =>
    scene.codeOf(by, { kind, touches, body: map({ 1: named }) });
  assert.equal(closes(52, buyer), "admitted");
  assert.equal(closes(53, farmer), "admitted");
  assert.equal(closes(52, farmer), "not_addressee");
  assert.equal(closes(53, buyer), "not_offerer");
  assert.equal(closes(53, farmer, both, scene.network), "not_an_offer");
  assert.equal(closes(53, farmer, both.slice(0, 1)), "touches");
  const taken = scene.tell(buyer, { kind: 51, touches: both, body: map({ 1: offer.id, 2: [all, all] }) });
  const late: Said["touches"] = both.map(([subject, lane]) => [subject, lane, [taken.id]]);
  assert.equal(closes(53, farmer, late), "no_open_offer");
});

scene("corrections", () => {
  const scene = new Scene();
  const { farmer, buyer, founder } = scene;
  const lot = scene.registers();
  const corrects = (replacement: CborMap, by = farmer, target = lot, extra: Uint8Array[] = []) =>
    scene.codeOf(by, {
      kind: 100,
      touches: [[target.subject(), by.id, []]],
      extra,
      body: map({ 1: target.id, 2: "typing error", 3: replacement }),
    });
  assert.equal(corrects(map({ 3: "Reineta" })), "admitted");
  assert.equal(corrects(map({ 3: "Reineta" }), founder), "admitted");
  assert.equal(corrects(map({ 3: "Reineta" }), buyer), "not_above");
  assert.equal(corrects(map({})), "empty");
  assert.equal(corrects(map({ 6: KG(1) })), "admitted");
  assert.equal(corrects(map({ 6: KG(0) })), "zero_quantity");
  assert.equal(corrects(map({ 6: [1n, 0n, "LTR"] })), "unit");
  assert.equal(corrects(map({ 2: null })), "correction");
  assert.equal(corrects(map({ 3: "" })), "correction");
  assert.equal(corrects(map({ 12: 1n })), "correction");
  assert.equal(corrects(map({ 9: ["b", "a"] })), "list_order");
  assert.equal(corrects(map({ 4: [scene.place.subject()] })), "unknown_place");
  assert.equal(corrects(map({ 4: [scene.place.subject()] }), farmer, lot, [scene.place.id]), "admitted");
  assert.equal(corrects(map({ 4: [1n, 1n] }), farmer, scene.place), "open_point");
  assert.equal(
    scene.codeOf(farmer, {
      kind: 100,
      touches: [[lot.subject(), 0n, [lot.id]]],
      body: map({ 1: lot.id, 2: "x", 3: map({ 3: "y" }) }),
    }),
    "touches",
  );
});

scene("draws side by side are joined, and each counts once", () => {
  const scene = new Scene();
  const lot = scene.registers();
  const retires = (prev: Made[], value: number) =>
    scene.tell(scene.farmer, {
      kind: 38,
      touches: [[lot.subject(), 0n, prev.map(({ id }) => id)]],
      body: map({ 1: KG(value), 2: 1n }),
    });
  const [one, two] = [retires([lot], 30), retires([lot], 20)];
  assert.deepEqual(scene.counted(lot), { balance: 50n, holder: toHex(scene.farmer.id), disputed: false, rivals: 0 });
  const joined = retires([one, two], 10);
  assert.equal(scene.counted(lot).balance, 40n);
  const again = retires([joined, two], 5);
  assert.equal(scene.counted(lot).balance, 35n);
  assert.equal(idText(toHex(again.id)).length, 52);
});

scene("draws beyond the balance are a conflict, which an acceptance settles", () => {
  const scene = new Scene();
  const lot = scene.registers();
  const [one, two] = [scene.offers(lot, [lot], KG(70), true), scene.offers(lot, [lot], KG(60), true)];
  assert.deepEqual(scene.counted(lot), { balance: 100n, holder: toHex(scene.farmer.id), disputed: true, rivals: 2 });
  const price = {
    kind: 35,
    touches: [[lot.subject(), 0n, [one.id, two.id]]] as Said["touches"],
    body: map({ 1: [1n, "EUR"] }),
  };
  assert.equal(scene.codeOf(scene.farmer, price), "conflict");
  scene.accepts(two, two.subject(1), KG(60));
  assert.deepEqual(scene.counted(lot), { balance: 40n, holder: toHex(scene.farmer.id), disputed: false, rivals: 2 });
});

scene("an acceptance that crosses a cancellation stands", () => {
  const scene = new Scene();
  const lot = scene.registers();
  const offer = scene.offers(lot, [lot], KG(100, 10), false);
  const cancelled = scene.tell(scene.farmer, {
    kind: 53,
    touches: [[lot.subject(), 0n, [offer.id]]],
    body: map({ 1: offer.id }),
  });
  assert.equal(scene.counted(lot).holder, toHex(scene.farmer.id));
  const accepted = scene.accepts(offer, lot.subject(), KG(100, 10));
  assert.deepEqual(scene.counted(lot), { balance: 100n, holder: toHex(scene.buyer.id), disputed: false, rivals: 0 });
  const goesOn: Said["touches"] = [[lot.subject(), 0n, [accepted.id, cancelled.id]]];
  assert.equal(scene.codeOf(scene.buyer, { kind: 35, touches: goesOn, body: map({ 1: [1n, "EUR"] }) }), "admitted");
});

scene("what leaves the network is closed", () => {
  const scene = new Scene();
  const lot = scene.registers();
  const out = scene.tell(scene.farmer, {
    kind: 50,
    touches: [[lot.subject(), 0n, [lot.id]]],
    body: map({ 1: [[lot.subject(), KG(100)]], 2: [2n, "Market"], 3: 3n }),
  });
  const told: Said["touches"] = [[lot.subject(), 0n, [out.id]]];
  assert.equal(scene.codeOf(scene.farmer, { kind: 35, touches: told, body: map({ 1: [1n, "EUR"] }) }), "lot_closed");
  assert.equal(new Counting(scene.history, [], 1_000_000).lot(toHex(lot.subject()))!.state.closed, "handed_out");
  const all: Judged[] = [...scene.history.all()];
  assert.equal(all.length, 5);
});

othersHave("foreign_rules.txt");
