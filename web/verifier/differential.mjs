#!/usr/bin/env node
// Compares this verifier with another one on many cases: node differential.mjs FOLDER
//
// The folder holds bases/<name> (bundles and conflict proofs), verdicts.json (verdicts without the sentences) and cases.jsonl, one case a line:
//   { name, base, start, end, insert, policy, verdict, what }
// The case's file is the base with the bytes from start to end exchanged for insert (hexadecimal); verdict is an index into verdicts.json,
// and what is "bundle" or "conflict".
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

// Nearly all cases share their signatures: each of them is verified once, by the code that is under test.
const remembering = `
  import * as real from "REAL";
  const seen = new Map();
  export const isWellFormedKey = real.isWellFormedKey;
  export function verifySignature(...parts) {
    const name = parts.map((part) => Buffer.from(part).toString("latin1").length + ":" + Buffer.from(part).toString("latin1")).join(" ");
    if (!seen.has(name)) seen.set(name, real.verifySignature(...parts));
    return seen.get(name);
  }`;
const hooks = `
  export async function load(url, context, next) {
    if (!url.endsWith("/dist/ed25519.js")) return next(url, context);
    return { format: "module", shortCircuit: true, source: ${JSON.stringify(remembering)}.replace("REAL", url + "?real") };
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { verify, verifyConflict } = await import("./dist/index.js");

const folder = process.argv[2];
const verdicts = JSON.parse(readFileSync(join(folder, "verdicts.json"), "utf8"));
const bases = new Map();
/** Differences that are alike but for ids are told once, with the first case and how many there are. */
const alike = new Map();
let [cases, differences] = [0, 0];
for (const line of readFileSync(join(folder, "cases.jsonl"), "utf8").split("\n")) {
  if (line === "") continue;
  const { name, base, start, end, insert, policy, verdict, what } = JSON.parse(line);
  if (!bases.has(base)) bases.set(base, readFileSync(join(folder, "bases", base)));
  const bytes = bases.get(base);
  const file = Buffer.concat([bytes.subarray(0, start), Buffer.from(insert, "hex"), bytes.subarray(end)]);
  const [expected, found] = [verdicts[verdict], verdictOf(what, new Uint8Array(file), policy)];
  cases += 1;
  if (isDeepStrictEqual(found, expected)) continue;
  differences += 1;
  const told = differing(expected, found, "  ").join("\n");
  const kind = told.replaceAll(/[a-z2-7]{52}|[0-9a-f]{64}/g, "id");
  const first = `${base}, ${name}, policy ${JSON.stringify(policy)}\n${told}`;
  const known = alike.get(kind) ?? { first, count: 0 };
  alike.set(kind, { ...known, count: known.count + 1 });
}
for (const { first, count } of alike.values()) console.log(`${count} times, such as ${first}`);
console.log(`${cases} cases, ${differences} differences`);
process.exitCode = differences === 0 && cases > 0 ? 0 : 1;

/** The verdict without its sentences, which may differ between verifiers. */
function verdictOf(what, file, policy) {
  try {
    if (what === "conflict") {
      const { failed, ...rest } = verifyConflict(file, policy);
      return { ...rest, failed: failed && { reason: failed.reason, event: failed.event } };
    }
    const { checks, ...rest } = verify(file, policy);
    return { ...rest, checks: checks.map(({ check, result, reason, event, subject }) => ({ check, result, reason, event, subject })) };
  } catch (error) {
    return { thrown: String(error.stack) };
  }
}

/** Each part in which two values differ, with both of its values. */
function differing(expected, found, at) {
  if (isDeepStrictEqual(expected, found)) return [];
  const isTree = (value) => typeof value === "object" && value !== null;
  if (!isTree(expected) || !isTree(found)) return [`${at}: the other says ${JSON.stringify(expected)}, this one ${JSON.stringify(found)}`];
  const keys = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...keys].flatMap((key) => differing(expected[key], found[key], `${at}.${key}`));
}
