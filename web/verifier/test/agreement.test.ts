/** Bundles that the other verifier wrote, with its verdicts under no policy: this one comes to the same, field by field. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fromHex } from "../src/bytes.js";
import { type Verdict, verify } from "../src/index.js";

const GOLDEN = new URL("../../../../provenance/tests/provenance/golden/", import.meta.url);
const golden = (name: string) => readFileSync(new URL(name, GOLDEN), "utf8").trim();

/** The verdict as JSON, order of fields included, without the sentences, which may differ. */
function withoutSentences(verdict: Verdict): string {
  const checks = verdict.checks.map(({ proves: _, rests_on: __, detail: ___, ...check }) => check);
  return JSON.stringify({ ...verdict, checks }, null, 2);
}

for (const file of readdirSync(GOLDEN).filter((name) => /^bundle_.*\.hex$/.test(name))) {
  const bytes = fromHex(golden(file));

  test(`both verifiers agree on ${file}`, () => {
    const theirs = JSON.parse(golden(file.replace(".hex", ".json"))) as Verdict;
    assert.equal(withoutSentences(verify(bytes)), withoutSentences(theirs));
  });

  test(`no flipped bit of ${file} goes unseen`, () => {
    const whole = withoutSentences(verify(bytes));
    for (let at = 0; at < bytes.length; at += 397) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at % 8);
      const found = verify(changed);
      assert.ok(found.verdict === "invalid" || withoutSentences(found) !== whole, `byte ${at} was changed unseen`);
    }
  });
}
