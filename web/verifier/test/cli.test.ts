/** The command, as a user runs it: files in, text and exit codes out; an endpoint asked for blocks. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PolicyError, parsePolicy, verify } from "../src/index.js";
import { CHAIN, bundleOf, tellStory } from "./story/story.js";

const folder = mkdtempSync(join(tmpdir(), "furrow-verify-"));
after(() => rmSync(folder, { recursive: true }));

const { fields, blocks } = tellStory();
const file = join(folder, "lot.furrow");
writeFileSync(file, bundleOf(fields));

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = fileURLToPath(new URL("../src/cli.js", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

test("exit codes tell the verdict", async () => {
  const hashes = blocks.flatMap((hash) => ["--block-hash", hash]);
  const valid = await run(file, "--cosigners", "1", ...hashes);
  assert.equal(valid.code, 0, valid.err);
  assert.match(valid.out, /^VALID/);
  assert.match(valid.out, /balance {3}340\.0 KGM/);
  const incomplete = await run(file);
  assert.equal(incomplete.code, 3);
  assert.ok(incomplete.out.includes(blocks[0]!));
  const invalid = await run(file, "--cosigners", "2", "--json");
  assert.equal(invalid.code, 1);
  assert.equal(JSON.parse(invalid.out).verdict, "invalid");
  for (const args of [
    [],
    [file, file],
    [join(folder, "none")],
    [folder],
    [file, "--cosigners", "x"],
    [file, "--network", "x"],
    [file, "--colour"],
  ]) {
    assert.equal((await run(...args)).code, 2, args.join(" "));
  }
});

test("help is no error", async () => {
  const { code, out } = await run("--help");
  assert.equal(code, 0);
  assert.match(out, /^usage:/);
});

test("the one file for browsers gives the same verdict", async () => {
  const built = new URL("../../dist/furrow-verifier.js", import.meta.url);
  assert.doesNotMatch(readFileSync(built, "utf8"), /\b(import|require)\s*\(?\s*["']/, "it imports nothing");
  const browser = (await import(built.href)) as { verify: typeof verify };
  const bytes = bundleOf(fields);
  assert.deepEqual(browser.verify(bytes, { blockHashes: blocks }), verify(bytes, { blockHashes: blocks }));
});

test("an endpoint is asked for the hashes of the blocks, and for nothing else", async () => {
  const asked: string[] = [];
  let chain = CHAIN;
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, params, id } = JSON.parse(Buffer.concat(chunks).toString());
    asked.push(method);
    const hash = Number(params[0]) === 100 ? blocks[0] : blocks[1];
    response.end(
      JSON.stringify({ jsonrpc: "2.0", id, result: method === "eth_chainId" ? `0x${chain.toString(16)}` : { hash } }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    assert.equal((await run(file, "--rpc", url)).code, 0);
    assert.deepEqual(asked.sort(), ["eth_chainId", "eth_getBlockByNumber", "eth_getBlockByNumber"]);
    chain = 1;
    assert.equal((await run(file, "--rpc", url)).code, 3, "blocks of another chain say nothing");
  } finally {
    server.close();
  }
  assert.equal((await run(file, "--rpc", url)).code, 2, "nobody answers");
});

test("policies from outside are checked", () => {
  assert.deepEqual(parsePolicy(undefined), {});
  for (const wrong of [
    1,
    [],
    { cosigners: -1 },
    { cosigners: 1.5 },
    { network: "x" },
    { cosignerIds: ["x"] },
    { blockHashes: "0x" },
    { blockHash: [] },
  ]) {
    assert.throws(() => parsePolicy(wrong), PolicyError);
  }
});
