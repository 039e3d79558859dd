/** Conflict proofs that the verifier in Rust wrote, with its verdicts; thousands of wrong ones are in `differential.mjs`. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { isConflictProof, verify, verifyConflict } from "../src/index.js";

const GOLDEN = new URL("../../../../provenance/tests/provenance/golden/", import.meta.url);
const NAMES = readdirSync(GOLDEN).filter((name) => name.endsWith(".conflict"));

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, GOLDEN)));

test("golden conflict proofs have the verdict that the other verifier gives", () => {
  assert.ok(NAMES.length >= 7);
  for (const name of NAMES) {
    const expected: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, GOLDEN), "utf8"));
    assert.ok(isConflictProof(read(name)), name);
    assert.deepEqual(verifyConflict(read(name)), expected, name);
  }
});

test("a changed byte is refused, and what it is not", () => {
  for (const name of NAMES) {
    const bytes = read(name);
    for (let at = 0; at < bytes.length; at += 37) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      assert.equal(verifyConflict(changed).verdict, "invalid", `${name}, byte ${at}`);
    }
    const { failed } = verifyConflict(bytes, { network: "a".repeat(52) });
    assert.equal(failed?.reason, "other_network");
    assert.equal(verify(bytes).verdict, "invalid", "it is no bundle");
  }
  const bundle = read("simple.bundle");
  assert.ok(!isConflictProof(bundle));
  assert.equal(verifyConflict(bundle).failed?.reason, "not_a_conflict_proof");
});

test("a newer version is told apart from what is none", () => {
  const bytes = read("fork.conflict");
  bytes[18] = 0x32;
  assert.equal(verifyConflict(bytes).failed?.reason, "newer_version");
  for (const none of ["", "\x84", "\x84\x71furrow/conflict/", "\x84\x72furrow/conflict/01", "\xa8\x01\x01"]) {
    const bytes = Uint8Array.from(none, (letter) => letter.charCodeAt(0));
    assert.ok(!isConflictProof(bytes));
    assert.equal(verifyConflict(bytes).failed?.reason, "not_a_conflict_proof");
  }
});
