/** Bundles that the other verifier wrote, with its verdicts where the auditor brings all block hashes: this one comes to the same, field by field. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { type Verdict, parsePolicy, verify } from "../src/index.js";

const GOLDEN = new URL("../../../../provenance/tests/provenance/golden/", import.meta.url);
const golden = (name: string) => readFileSync(new URL(name, GOLDEN), "utf8").trim();

/** The verdict as JSON, order of fields included, without the sentences, which may differ. */
function withoutSentences(verdict: Verdict): string {
  const checks = verdict.checks.map(({ proves: _, rests_on: __, detail: ___, ...check }) => check);
  return JSON.stringify({ ...verdict, checks }, null, 2);
}

for (const file of readdirSync(GOLDEN).filter((name) => name.endsWith(".bundle"))) {
  const bytes = new Uint8Array(readFileSync(new URL(file, GOLDEN)));
  const theirs = JSON.parse(golden(file.replace(".bundle", ".verdict.json"))) as Verdict;
  const policy = parsePolicy({ blockHashes: theirs.blocks.map(({ hash }) => hash) });

  test(`both verifiers agree on ${file}`, () => {
    assert.equal(withoutSentences(verify(bytes, policy)), withoutSentences(theirs));
  });

  test(`no flipped bit of ${file} goes unseen`, () => {
    const whole = withoutSentences(verify(bytes, policy));
    for (let at = 0; at < bytes.length; at += 397) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at % 8);
      const found = verify(changed, policy);
      assert.ok(found.verdict === "invalid" || withoutSentences(found) !== whole, `byte ${at} was changed unseen`);
    }
  });
}
