// Joins the rivals' figures into one file and prints them; beside them Furrow's own, where `make bench` left any.
// With UPDATE=PAGE the tables in that page, between two comments, are written anew.
// Usage: report.mjs OUT BENCH PART...
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const [out, bench, ...parts] = process.argv.slice(2);
const read = (path) => JSON.parse(readFileSync(path, "utf8"));

const figures = parts.flatMap(read);
writeFileSync(out, `${JSON.stringify(figures, null, 2)}\n`);

const measured = existsSync(bench) ? read(bench) : [];
const own = measured.map((figure) => ({ ...figure, name: `furrow ${figure.name}`, what: "make bench" }));
const shown = (value) => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3))));
for (const { name, value, unit, what } of [...figures, ...own]) {
  console.log(`${name.padEnd(36)}${shown(value).padStart(10)} ${unit.padEnd(10)} ${what}`);
}
console.log(`\nwritten to ${out}; versions stand in it`);

if (process.env.UPDATE) {
  const versions = [...new Set(figures.map((figure) => figure.version))];
  const tables = versions.map((version) => {
    const rows = figures.filter((figure) => figure.version === version);
    const lines = rows.map(({ name, value, unit, what }) => `| \`${name}\` | ${shown(value)} | ${unit} | ${what} |`);
    return [`${version}:`, "", "| figure | value | unit | what |", "| --- | ---: | --- | --- |", ...lines].join("\n");
  });
  const page = readFileSync(process.env.UPDATE, "utf8");
  const between = /(<!-- figures -->\n)[^]*(<!-- end of figures -->)/;
  const written = page.replace(between, (_, begin, end) => `${begin}\n${tables.join("\n\n")}\n\n${end}`);
  if (!page.includes("<!-- figures -->")) throw new Error(`${process.env.UPDATE} has no <!-- figures --> to replace`);
  writeFileSync(process.env.UPDATE, written);
  console.log(`tables written to ${process.env.UPDATE}`);
}
