#!/usr/bin/env node
// Draws what `make bench` measured: a table into the page that UPDATE names, between two comments, and the curves of what
// depends on how much is stored as pictures in a folder beside it.
// Usage: UPDATE=docs/performance.md performance.mjs BENCH
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";

const page = process.env.UPDATE;
if (!page || process.argv.length !== 3) throw new Error("usage: UPDATE=docs/performance.md performance.mjs BENCH");
const figures = JSON.parse(readFileSync(process.argv[2], "utf8"));

/** Each with the figures whose points it shows. */
const CURVES = [
  { file: "admission", title: "Admission in bulk", unit: "events/s", lines: { "with all followers": "admit_bulk" } },
  { file: "cost", title: "Processor time of an event", unit: "µs", lines: { "with all followers": "admit_bulk_cpu" } },
  { file: "reading", title: "A lot with its history, 64 clients", unit: "ms", lines: { p50: "read_lot_p50", p95: "read_lot_p95" } },
  { file: "restart", title: "From kill −9 under load to serving", unit: "ms", lines: { restart: "restart" } },
  { file: "memory", title: "Memory", unit: "MiB", lines: { "a serving node": "rss_node", "admission alone": "rss" } },
];

const shown = (value) => (Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3))));
const grown = ({ name }) => name.includes("@");

function table() {
  const rows = figures.filter((figure) => !grown(figure)).map(({ name, value, unit, ceiling, ceiling_name, ratio }) => {
    const bound = ceiling === null ? "| | |" : `| ${shown(ceiling)}: ${ceiling_name} | ${ratio.toFixed(2)} |`;
    return `| \`${name}\` | ${shown(value)} | ${unit} ${bound}`;
  });
  return ["| figure | value | unit | ceiling | ratio |", "| --- | ---: | --- | --- | ---: |", ...rows].join("\n");
}

/** What was measured with so many events stored. */
function points(name) {
  const of = figures.filter((figure) => figure.name.startsWith(`${name}@`));
  return of.map((figure) => ({ stored: Number(figure.name.split("@")[1]), value: figure.value }));
}

function growth() {
  const names = [...new Set(figures.filter(grown).map(({ name }) => name.split("@")[0]))];
  const sizes = [...new Set(names.flatMap((name) => points(name).map(({ stored }) => stored)))].sort((a, b) => a - b);
  const row = (name) => {
    const unit = figures.find((figure) => figure.name.startsWith(`${name}@`)).unit;
    const at = new Map(points(name).map(({ stored, value }) => [stored, shown(value)]));
    return `| \`${name}\` | ${unit} | ${sizes.map((size) => at.get(size) ?? "").join(" | ")} |`;
  };
  const head = `| events stored | | ${sizes.map((size) => size.toLocaleString("en")).join(" | ")} |`;
  return [head, `| --- | --- |${" ---: |".repeat(sizes.length)}`, ...names.map(row)].join("\n");
}

/** Read on white and on black: the colours are between both. */
const [INK, GRID, COLOURS] = ["#808080", "#80808040", ["#2f81c5", "#c5652f"]];
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 280, 72, 20, 44, 40];

/** A round number that is not below `value`. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 1.5, 2, 3, 4, 5, 7.5, 10].map((step) => step * power).find((round) => round >= value);
}

function curve({ title, unit, lines }) {
  const series = Object.entries(lines).map(([label, name]) => ({ label, points: points(name) }));
  const all = series.flatMap(({ points }) => points);
  if (all.length === 0) return undefined;
  const sizes = [...new Set(all.map(({ stored }) => stored))].sort((a, b) => a - b);
  const [low, high] = [Math.log10(sizes[0]), Math.log10(sizes.at(-1))];
  const top = roundUp(Math.max(...all.map(({ value }) => value)));
  const x = (stored) => LEFT + ((WIDTH - LEFT - RIGHT) * (Math.log10(stored) - low)) / (high - low || 1);
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / top;
  const text = (at, height, anchor, words, colour = INK) =>
    `<text x="${at.toFixed(1)}" y="${height.toFixed(1)}" text-anchor="${anchor}" fill="${colour}">${words}</text>`;
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    `<path d="M${LEFT} ${y(top * share).toFixed(1)}H${WIDTH - RIGHT}" stroke="${GRID}"/>`,
    text(LEFT - 8, y(top * share) + 4, "end", (top * share).toLocaleString("en")),
  ]);
  const axis = sizes.map((size) => text(x(size), HEIGHT - BOTTOM + 20, "middle", size.toLocaleString("en")));
  const drawn = series.flatMap(({ label, points }, number) => {
    const colour = COLOURS[number];
    const at = points.map(({ stored, value }) => `${x(stored).toFixed(1)} ${y(value).toFixed(1)}`);
    const dots = at.map((point) => point.split(" ")).map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="4" fill="${colour}"/>`);
    const line = `<path d="M${at.join("L")}" fill="none" stroke="${colour}" stroke-width="2"/>`;
    return [line, ...dots, text(WIDTH - RIGHT - 180 * (series.length - 1 - number), 22, "end", label, colour)];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${title}, by events stored</title>`,
    text(LEFT, 22, "start", `${title} (${unit})`),
    ...grid,
    ...axis,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

const folder = join(dirname(page), "performance");
mkdirSync(folder, { recursive: true });
const pictures = [];
for (const wanted of CURVES) {
  const picture = curve(wanted);
  if (!picture) continue;
  writeFileSync(join(folder, `${wanted.file}.svg`), picture);
  pictures.push(`![${wanted.title}, in ${wanted.unit}, by events stored](performance/${wanted.file}.svg)`);
}

const machine = `${cpus().length} cores of ${cpus()[0].model}; the load average when the tables were written was ${loadavg()[0].toFixed(1)}.`;
const sections = { machine, figures: table(), growth: `${growth()}\n\n${pictures.join("\n\n")}` };
let written = readFileSync(page, "utf8");
for (const [name, content] of Object.entries(sections)) {
  const between = new RegExp(`(<!-- ${name} -->\n)[^]*(<!-- end of ${name} -->)`);
  if (!between.test(written)) throw new Error(`${page} has no <!-- ${name} --> to replace`);
  written = written.replace(between, (_, begin, end) => `${begin}\n${content}\n\n${end}`);
}
writeFileSync(page, written);
console.log(`tables written to ${page}, pictures to ${folder}`);
