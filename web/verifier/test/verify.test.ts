/** Whole bundles: one that is valid, and what each change makes of it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex, idText, toHex } from "../src/bytes.js";
import { type Cbor, CborMap } from "../src/cbor.js";
import { type Policy, verify } from "../src/index.js";
import { keyOf, map } from "./story/signing.js";
import { CHAIN, Story, type Told, bundleOf, tellStory } from "./story/story.js";

test("a whole story is valid, once the blocks are known", () => {
  const { fields, blocks, actors, part } = tellStory();
  const verdict = verify(bundleOf(fields), { blockHashes: blocks, cosigners: 1 });
  assert.deepEqual(
    verdict.checks.filter(({ result }) => result !== "passed"),
    [],
  );
  assert.equal(verdict.verdict, "valid");
  assert.equal(verdict.subject, idText(toHex(part)));
  assert.deepEqual(verdict.lot, {
    holder: idText(toHex(actors.buyer.id)),
    balance: { value: "3400", scale: 1, unit: "KGM", packages: null },
    disputed: false,
    closed: null,
  });
  assert.equal(verdict.as_of?.cosigned_by.length, 1);
  // The block of the header, which is one after that in which the anchor says that it was made.
  assert.deepEqual(verdict.as_of?.anchored_in, { chain_id: CHAIN, number: 201, timestamp_s: 1_790_002_500 });
  assert.deepEqual(
    verdict.findings.map(({ finding }) => finding),
    ["accepted_after_expiry", "corrected"],
  );
});

test("an anchor without evidence was made before the block that proves the next one", () => {
  const bytes = mutant((f) => (f[7][0][2][0] = withField(f[7][0][2][0], 8, undefined)));
  const { events, checks, as_of } = verify(bytes);
  assert.equal(
    checks.find(({ result }) => result === "failed"),
    undefined,
  );
  assert.deepEqual(new Set(events.map(({ before }) => before?.number)), new Set([201]));
  // After which block an event was made is still told by the anchor.
  const after = events.find((event) => event.after !== null)?.after;
  assert.deepEqual(after, { chain_id: CHAIN, number: 100, timestamp_s: 1_790_000_000 });
  assert.equal(as_of?.anchored_in?.number, 201);
  const whole = verify(bundleOf(tellStory().fields)).events.map(({ before }) => before?.number);
  assert.deepEqual(new Set(whole), new Set([100, 201]));
});

/** The story's bundle after a change of its fields. */
function mutant(change: (fields: Record<number, any>, told: Told) => void): Uint8Array {
  const told = tellStory();
  const fields = structuredClone(told.fields) as Record<number, any>;
  // Cloning loses the class of maps, so the parts that have them are taken over as they are.
  fields[7] = (told.fields[7] as any[]).map(([node, line, anchors]) => [node, [...line], [...anchors]]);
  change(fields, told);
  return bundleOf(fields);
}

function withField(anchor: CborMap, key: number, value: Cbor | undefined): CborMap {
  const kept = anchor.entries.filter(([name]) => name !== BigInt(key));
  return new CborMap(value === undefined ? kept : [...kept, [BigInt(key), value]]);
}

function flipped(bytes: Uint8Array, at = 0): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
}

const MUTANTS: [string, string, (fields: Record<number, any>, told: Told) => void, Policy?][] = [
  ["format", "newer_version", (f) => (f[1] = 2n)],
  ["format", "not_a_bundle", (f) => (f[10] = 1n)],
  ["format", "not_a_bundle", (f) => f[4].reverse()],
  ["format", "not_a_bundle", (f) => (f[8] = [...f[8], ...f[8]])],
  ["network", "malformed_network", (f) => (f[2][0] = " Valle")],
  ["network", "malformed_network", (f) => (f[2][2] = [new Uint8Array(32)])],
  ["network", "other_network", () => undefined, { network: "a".repeat(52) }],
  ["signatures", "bad_event", (f) => (f[4][3][1] = flipped(f[4][3][1], 300))],
  ["signatures", "event_of_other_network", (f) => (f[2][1] = new Uint8Array(16))],
  ["signatures", "repeated_event", (f) => (f[4][4][1] = f[4][3][1])],
  ["rules", "missing_ancestor", (f) => f[4].splice(4, 1)],
  ["scope", "unknown_log", (f) => (f[6] = f[6].replace("furrow/state", "furrow/State"))],
  ["scope", "unknown_lot", (f) => (f[3] = new Uint8Array(32))],
  ["scope", "left_out", (f) => (f[9] = [new Uint8Array(32)])],
  ["scope", "missing_subject", (f) => f[5].pop()],
  [
    "scope",
    "extra_subject",
    (f, { story }) => (f[5] = story.subjects([...f[5].map(([id]: any) => id), new Uint8Array(32)])),
  ],
  ["checkpoint", "bad_signature", (f) => (f[6] = f[6].replace(/\n(\d+)\n/, "\n1$1\n"))],
  ["cosignatures", "too_few_cosigners", () => undefined, { cosigners: 2 }],
  ["cosignatures", "too_few_cosigners", () => undefined, { cosigners: 1, cosignerIds: ["a".repeat(52)] }],
  ["log", "bad_inclusion", (f) => f[4][2][2].pop()],
  ["log", "bad_inclusion", (f) => (f[4][2][2][0] = flipped(f[4][2][2][0]))],
  ["log", "bad_inclusion", (f) => (f[4].at(-1)[0] = 999n)],
  ["whole", "not_whole", (f) => f[5][0][1].reverse()],
  ["whole", "not_whole", (f) => f[5].find((proof: any) => proof.length === 2).push(null)],
  ["anchors", "foreign_anchor", (f) => (f[7][0][1][0] = 1n)],
  ["anchors", "anchor_order", (f) => f[7][0][2].reverse()],
  ["anchors", "bad_link", (f) => (f[7][0][2][1] = withField(f[7][0][2][1], 8, undefined))],
  ["anchors", "bad_consistency", (f) => (f[7][0][2][0] = withField(f[7][0][2][0], 7, undefined))],
  ["anchors", "bad_consistency", (f) => (f[7][0][2][0] = withField(f[7][0][2][0], 5, new Uint8Array(32)))],
  ["anchors", "other_state_root", (f) => (f[7][0][2][1] = withField(f[7][0][2][1], 6, new Uint8Array(32)))],
  ["chain", "bad_receipt_proof", (f) => (f[7][0][2][0] = withField(f[7][0][2][0], 6, new Uint8Array(32)))],
  ["chain", "bad_header", (f) => (f[7][0][2][0] = withField(f[7][0][2][0], 2, 99n))],
  ["chain", "bad_storage_proof", (f) => (f[7][0][2][1] = withField(f[7][0][2][1], 2, 199n))],
  ["chain", "unknown_block", () => undefined, { blockHashes: [`0x${"00".repeat(32)}`] }],
  ["openings", "unknown_field", (f) => (f[8][0][1] = [3n])],
  ["openings", "bad_opening", (f) => (f[8][0][2] = new Uint8Array(16))],
];

for (const [check, reason, change, policy] of MUTANTS) {
  test(`${check}: ${reason} after ${change.toString().slice(0, 90)}`, () => {
    const bytes = mutant(change);
    const { verdict, checks } = verify(bytes, policy);
    const failed = checks.find(({ result }) => result === "failed");
    assert.ok(failed, `the bundle is ${verdict}`);
    assert.equal(`${failed.check}: ${failed.reason}`, `${check}: ${reason}`);
    record.push(
      [check, reason, failed.event ?? "-", failed.subject ?? "-", policyText(policy), ...patch(bytes)].join(" "),
    );
  });
}

/** The cases above, for other verifiers: what they must find, under which policy, in which bytes. */
const record: string[] = [];

/** `network cosigners cosigners' ids block hashes`, a dash where nothing is given. */
function policyText({ network, cosigners, cosignerIds, blockHashes }: Policy = {}): string {
  return [network ?? "-", cosigners ?? 0, cosignerIds?.join(",") ?? "-", blockHashes?.join(",") ?? "-"].join(" ");
}

/** What stays of the story's bundle at the front and at the end, in bytes, and what stands between. */
function patch(bytes: Uint8Array): [number, number, string] {
  const whole = bundleOf(tellStory().fields);
  const most = Math.min(bytes.length, whole.length);
  let front = 0;
  while (front < most && bytes[front] === whole[front]) front++;
  let back = 0;
  while (back < most - front && bytes.at(-1 - back) === whole.at(-1 - back)) back++;
  return [front, back, toHex(bytes.subarray(front, bytes.length - back)) || "-"];
}

test("other verifiers have the same cases", () => {
  const { fields, blocks } = tellStory();
  const policy = { blockHashes: blocks, cosigners: 1 };
  const story = verify(bundleOf(fields), policy);
  const withoutSentences = {
    ...story,
    checks: story.checks.map(({ proves: _, rests_on: __, detail: ___, ...check }) => check),
  };
  golden("foreign_bundle.hex", `${toHex(bundleOf(fields))}\n`);
  golden("foreign_bundle.json", `${JSON.stringify(withoutSentences, null, 2)}\n`);
  golden("foreign_mutants.txt", `story ${policyText(policy)}\n${record.join("\n")}\n`);
});

function golden(name: string, text: string): void {
  const file = new URL(`../../../../provenance/tests/provenance/golden/${name}`, import.meta.url);
  if (process.env["UPDATE"]) writeFileSync(file, text);
  assert.equal(readFileSync(file, "utf8"), text, "the cases changed; run again with UPDATE=1 if that is meant");
}

test("what the auditor did not bring leaves a bundle incomplete", () => {
  const { fields } = tellStory();
  const withoutHashes = verify(bundleOf(fields));
  assert.equal(withoutHashes.verdict, "incomplete");
  assert.deepEqual(
    withoutHashes.checks.filter(({ result }) => result === "open").map(({ reason }) => reason),
    ["block_hash_needed"],
  );
  assert.equal(withoutHashes.blocks.length, 2);
  const withoutAnchors = verify(bundleOf({ ...fields, 7: [] }));
  const open = withoutAnchors.checks.filter(({ result }) => result === "open");
  assert.deepEqual(
    open.map(({ check, reason }) => `${check} ${reason}`),
    ["anchors not_anchored", "chain not_anchored"],
  );
});

test("an invalid verdict tells nothing of the bundle", () => {
  const verdict = verify(Uint8Array.of(0xa0));
  const { checks, ...rest } = verdict;
  const empty = {
    verdict: "invalid",
    subject: null,
    network: null,
    as_of: null,
    findings: [],
    events: [],
    lot: null,
    blocks: [],
  };
  assert.deepEqual(rest, empty);
  assert.deepEqual(Object.keys(verdict), [
    "verdict",
    "subject",
    "network",
    "as_of",
    "checks",
    "findings",
    "events",
    "lot",
    "blocks",
  ]);
  assert.equal(checks.filter(({ result }) => result === "skipped").length, 11);
});

test("claims of huge lengths cost nothing", () => {
  for (const head of [
    "a101",
    "bb7fffffffffffffff",
    "a9019b7fffffffffffffff",
    "a101ba3b9aca00",
    "81".repeat(100_000),
    "a10181",
  ]) {
    assert.equal(verify(fromHex(head)).verdict, "invalid");
  }
});

test("no flipped bit of a bundle goes unseen", () => {
  const { fields, blocks } = tellStory();
  const bytes = bundleOf(fields);
  const policy = { blockHashes: blocks, cosigners: 1 };
  // Every byte takes half an hour; EVERY_BYTE=1 asks for it.
  const step = process.env["EVERY_BYTE"] ? 1 : 97;
  for (let at = 0; at < bytes.length; at += step) {
    const changed = bytes.slice();
    changed[at]! ^= 1 << (at % 8);
    assert.equal(verify(changed, policy).verdict, "invalid", `byte ${at} was changed unseen`);
  }
  for (let end = 0; end < bytes.length; end += 499) {
    assert.equal(verify(bytes.subarray(0, end), policy).verdict, "invalid", `cut at ${end}`);
  }
});

/** The reason for which a bundle fails, or its verdict. */
function outcome(fields: Record<number, Cbor>): string {
  const { verdict, checks } = verify(bundleOf(fields));
  const failed = checks.find(({ result }) => result === "failed");
  return failed ? `${failed.check} ${failed.reason}` : verdict;
}

test("a shallow bundle leaves out parents, and says so", () => {
  const { story, actors, lot, part } = tellStory();
  const { node, farmer, buyer } = actors;
  const whole = [part, story.network, story.founder.id, farmer.id, buyer.id, node.id];
  // The correction touches the parent alone, and nothing rests on it; nothing here rests on the witness either.
  const needed = (at: number) => at !== story.events.length - 1 && at !== 1;
  const shallow = { ...story.bundle(part, whole, keyOf("log of the node"), needed), 9: [lot] };
  assert.equal(outcome(shallow), "incomplete");
  assert.deepEqual(
    verify(bundleOf(shallow)).findings.filter(({ finding }) => finding === "left_out"),
    [{ finding: "left_out", subject: idText(toHex(lot)), events: [] }],
  );
  assert.equal(outcome({ ...shallow, 9: [part] }), "scope left_out");
  assert.equal(outcome({ ...shallow, 5: story.subjects([...whole, lot]) }), "scope extra_subject");
  const { 9: _, ...deep } = shallow;
  assert.equal(outcome(deep), "scope missing_subject");
  const withCorrection = story.bundle(part, whole, keyOf("log of the node"), (at) => at !== 1);
  assert.equal(outcome({ ...withCorrection, 9: [lot] }), "scope extra_event");
  // Withheld, though the parent's history claims to be whole.
  assert.equal(outcome({ ...deep, 5: story.subjects([...whole, lot]) }), "whole not_whole");
});

test("a bundle of a lot in conflict holds the parts of all rivals", () => {
  const story = new Story();
  const logKey = keyOf("log of the node");
  const node = story.enrol("node", [3], { key: logKey, anchors: false });
  const farmer = story.enrol("farmer", [2]);
  const buyer = story.enrol("buyer", [6]);
  const body = map({ 1: ["HS", "0808.10"], 2: new CborMap([["en", "Apples"]]), 4: [], 6: [10n, 0n, "KGM"] });
  const produce = story.tell(farmer, { kind: 30, touches: [[null, 0n, []]], body });
  const lot = produce.subject();
  const journal = farmer.journal;
  const offers = [7n, 8n].map((value) => {
    farmer.journal = journal;
    return story.tell(farmer, {
      kind: 50,
      touches: [
        [lot, 0n, [produce.id]],
        [null, 0n, []],
      ],
      extra: [buyer.enrolment!],
      body: map({ 1: [[lot, [value, 0n, "KGM"]]], 2: [0n, buyer.id], 3: 3n }),
    });
  });
  const parts = offers.map((offer) => offer.subject(1));
  const whole = [lot, ...parts, story.network, story.founder.id, farmer.id, node.id];
  const fields = story.bundle(lot, whole, logKey);
  assert.equal(outcome(fields), "incomplete");
  const verdict = verify(bundleOf(fields));
  assert.equal(verdict.lot?.disputed, true);
  assert.deepEqual(verdict.lot?.balance.value, "10");
  const ids = offers
    .map(({ id }) => toHex(id))
    .sort()
    .map(idText);
  assert.deepEqual(verdict.findings, [
    { finding: "conflict", subject: idText(toHex(lot)), events: ids },
    { finding: "journal_fork", subject: idText(toHex(farmer.id)), events: ids },
  ]);
  assert.equal(
    outcome({ ...fields, 5: story.subjects(whole.filter((id) => id !== parts[0])) }),
    "scope missing_subject",
  );
});

test("replaying gives up on joins upon joins", () => {
  const story = new Story();
  const farmer = story.enrol("farmer", [2]);
  const body = map({ 1: ["HS", "0808.10"], 2: new CborMap([["en", "Apples"]]), 4: [], 6: [10n, 0n, "KGM"] });
  const produce = story.tell(farmer, { kind: 30, touches: [[null, 0n, []]], body });
  const lot = produce.subject();
  // Each event joins the whole layer below it, so its walk leads through all layers, down to the registration.
  const width = 16;
  const price = map({ 1: [1n, "EUR", "KGM"] });
  let tips = [produce.id];
  for (let layer = 0; layer < 50; layer++) {
    const join = () => story.tell(farmer, { kind: 35, touches: [[lot, 0n, tips]], body: price }).id;
    tips = Array.from({ length: width }, join);
  }
  const entries = story.events.map(({ made }, at): Cbor => [BigInt(at + 1), made.bytes, []]);
  const fields = { ...tellStory().fields, 2: story.definition, 3: lot };
  assert.equal(outcome({ ...fields, 4: entries }), "rules too_complex");
  // The checkpoint's node is not enrolled: the rules hold, and only the next check finds something.
  assert.equal(outcome({ ...fields, 4: entries.slice(0, 2 + 10 * width) }), "scope unknown_log");
});
