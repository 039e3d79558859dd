#!/usr/bin/env node
// Gives solc-js the face of the native compiler, as far as forge needs it: `--version`, and standard JSON
// from stdin to stdout.
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(import.meta.url)("solc");

/** A pipe takes a part of a long text at a time. */
function print(text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(1, bytes, at);
  }
}

const options = process.argv.slice(2);
if (options.includes("--version")) {
  print(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (options.includes("--standard-json")) {
  print(solc.compile(readFileSync(0, "utf8")));
} else {
  process.stderr.write("solc.mjs knows only --version and --standard-json with the input on stdin\n");
  process.exitCode = 2;
}
