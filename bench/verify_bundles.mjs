// Verifies bundles with the verifier in TypeScript and prints how many milliseconds each took, as a JSON list.
// Usage: verify_bundles.mjs VERIFIER ROUNDS BUNDLE...
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [verifier, rounds, ...files] = process.argv.slice(2);
const { verify } = await import(pathToFileURL(verifier));
const bundles = files.map((file) => new Uint8Array(readFileSync(file)));
const times = [];
for (let round = 0; round < Number(rounds); round++) {
  for (const bundle of bundles) {
    const start = performance.now();
    const { verdict } = verify(bundle, {});
    times.push(performance.now() - start);
    if (verdict === "invalid") throw new Error("a bundle of the node is invalid");
  }
}
process.stdout.write(JSON.stringify(times));
