/** Whole bundles: one that is valid, and what each change makes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, idText, toHex } from "../src/bytes.js";
import { type Cbor, CborMap } from "../src/cbor.js";
import { type CheckResult, type Policy, type Verdict, verify } from "../src/index.js";
import { type Told, bundleOf, tellStory } from "./story/story.js";

test("a whole story is valid, once the blocks are known", () => {
  const { fields, blocks, actors, part } = tellStory();
  const verdict = verify(bundleOf(fields), { blockHashes: blocks, cosigners: 1 });
  assert.deepEqual(verdict.checks.filter(({ result }) => result !== "passed"), []);
  assert.equal(verdict.verdict, "valid");
  assert.equal(verdict.subject, idText(toHex(part)));
  assert.deepEqual(verdict.lot, {
    holder: idText(toHex(actors.buyer.id)),
    balance: { value: "3400", scale: 1, unit: "KGM", packages: null },
    disputed: false,
    closed: null,
  });
  assert.equal(verdict.as_of?.cosigned_by.length, 1);
  assert.equal(verdict.as_of?.anchored_in?.number, 200);
  assert.deepEqual(verdict.findings.map(({ finding }) => finding), ["accepted_after_expiry", "corrected"]);
});

/** What a change of the story's bundle must lead to. */
function mutant(change: (fields: Record<number, any>, told: Told) => void, policy: Policy = {}): CheckResult | Verdict["verdict"] {
  const told = tellStory();
  const fields = structuredClone(told.fields) as Record<number, any>;
  // Cloning loses the class of maps, so the parts that have them are taken over as they are.
  fields[7] = (told.fields[7] as any[]).map(([node, line, anchors]) => [node, [...line], [...anchors]]);
  change(fields, told);
  const verdict = verify(bundleOf(fields), policy);
  return verdict.checks.find(({ result }) => result === "failed") ?? verdict.verdict;
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
  ["scope", "extra_subject", (f, { story }) => (f[5] = story.subjects([...f[5].map(([id]: any) => id), new Uint8Array(32)]))],
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
    const found = mutant(change, policy);
    assert.ok(typeof found === "object", `the bundle is ${String(found)}`);
    assert.equal(`${found.check}: ${found.reason}`, `${check}: ${reason}`);
  });
}

test("what the auditor did not bring leaves a bundle incomplete", () => {
  const { fields } = tellStory();
  const withoutHashes = verify(bundleOf(fields));
  assert.equal(withoutHashes.verdict, "incomplete");
  assert.deepEqual(withoutHashes.checks.filter(({ result }) => result === "open").map(({ reason }) => reason), ["block_hash_needed"]);
  assert.equal(withoutHashes.blocks.length, 2);
  const withoutAnchors = verify(bundleOf({ ...fields, 7: [] }));
  const open = withoutAnchors.checks.filter(({ result }) => result === "open");
  assert.deepEqual(open.map(({ check, reason }) => `${check} ${reason}`), ["anchors not_anchored", "chain not_anchored"]);
});

test("an invalid verdict tells nothing of the bundle", () => {
  const verdict = verify(Uint8Array.of(0xa0));
  const { checks, ...rest } = verdict;
  const empty = { verdict: "invalid", subject: null, network: null, as_of: null, findings: [], events: [], lot: null, blocks: [] };
  assert.deepEqual(rest, empty);
  assert.deepEqual(Object.keys(verdict), ["verdict", "subject", "network", "as_of", "checks", "findings", "events", "lot", "blocks"]);
  assert.equal(checks.filter(({ result }) => result === "skipped").length, 11);
});

test("claims of huge lengths cost nothing", () => {
  for (const head of ["a101", "bb7fffffffffffffff", "a9019b7fffffffffffffff", "a101ba3b9aca00", "81".repeat(100_000), "a10181"]) {
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
    changed[at]! ^= 1 << at % 8;
    assert.equal(verify(changed, policy).verdict, "invalid", `byte ${at} was changed unseen`);
  }
  for (let end = 0; end < bytes.length; end += 499) {
    assert.equal(verify(bytes.subarray(0, end), policy).verdict, "invalid", `cut at ${end}`);
  }
});
