// Joins the rivals' figures into one file and prints them; beside them Furrow's own, where `make bench` left any.
// Usage: report.mjs OUT BENCH PART...
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const [out, bench, ...parts] = process.argv.slice(2);
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

const figures = parts.flatMap(read);
writeFileSync(out, `${JSON.stringify(figures, null, 2)}\n`);

const own = existsSync(bench) ? read(bench).map(({ name, value, unit }) => ({ name: `furrow ${name}`, value, unit, what: "make bench" })) : [];
const shown = (value) => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3))));
for (const { name, value, unit, what } of [...figures, ...own]) {
  console.log(`${name.padEnd(36)}${shown(value).padStart(10)} ${unit.padEnd(10)} ${what}`);
}
console.log(`\nwritten to ${out}; versions stand in it`);
