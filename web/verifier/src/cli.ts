#!/usr/bin/env node
/** `furrow-verify`: a bundle or a conflict proof in, a verdict out. With `--rpc` and nowhere else it uses the network. */
import { readFileSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { MAX_BUNDLE_BYTES } from "./bundle.js";
import { isConflictProof } from "./conflict/proof.js";
import { verifyConflict } from "./conflict/verify.js";
import { type Policy, PolicyError, parsePolicy } from "./policy.js";
import { conflictReportOf, reportOf } from "./report.js";
import type { Verdict } from "./verdict.js";
import { verify } from "./verify.js";

const USAGE = `usage: furrow-verify FILE [options]

  --block-hash H    a block's hash from a source that you trust; may be repeated
  --rpc URL         ask this endpoint for the hashes of the blocks that are needed
  --network ID      the network that is expected
  --cosigners N     how many nodes must have cosigned
  --cosigner ID     whose cosignatures count; may be repeated
  --json            print the verdict as JSON
  --help            this text

FILE is a bundle, or a conflict proof, for which only --network and --json have a meaning.

exit codes: 0 valid, 1 invalid, 2 usage or unreadable, 3 incomplete
`;

const EXIT_CODES: Readonly<Record<Verdict["verdict"], number>> = { valid: 0, invalid: 1, incomplete: 3 };
const EXIT_USAGE = 2;

/** An endpoint that does not answer within this is of no use to somebody who waits at a terminal. */
const RPC_TIMEOUT_MS = 20_000;

/** What the command line asks for makes no sense, or cannot be had. */
class UsageError extends Error {}

/** What the command line asks for. */
interface Wish {
  file: string;
  policy: Policy;
  rpc: string | undefined;
  json: boolean;
}

/** What the command line asks for; nothing where it asks for help. */
function readArguments(): Wish | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const texts = { type: "string", multiple: true } as const;
  let parsed;
  try {
    const options = {
      "block-hash": texts,
      rpc: text,
      network: text,
      cosigners: text,
      cosigner: texts,
      json: flag,
      help: flag,
    } as const;
    parsed = parseArgs({ allowPositionals: true, options });
  } catch (error) {
    // What parseArgs throws says which argument is wrong.
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new UsageError("name one file");
  const { cosigners } = values;
  if (cosigners !== undefined && !/^[0-9]{1,6}$/.test(cosigners)) throw new UsageError("--cosigners is no number");
  const policy = parsePolicy({
    network: values.network,
    cosigners: cosigners === undefined ? undefined : Number(cosigners),
    cosignerIds: values.cosigner,
    blockHashes: values["block-hash"],
  });
  return { file, policy, rpc: values.rpc, json: values.json ?? false };
}

function readBundleFile(file: string): Uint8Array {
  try {
    if (statSync(file).size > MAX_BUNDLE_BYTES) throw new UsageError(`${file} is larger than a bundle may be`);
    return readFileSync(file);
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** The hashes of the blocks that the verdict needs, as the endpoint has them. Blocks of other chains are left out. */
async function askForHashes(url: string, blocks: Verdict["blocks"]): Promise<string[]> {
  const chain = Number(await ask(url, "eth_chainId", []));
  const numbers = new Set(blocks.filter(({ chain_id }) => chain_id === chain).map(({ number }) => number));
  const found = [...numbers].map(async (number) => {
    const block = (await ask(url, "eth_getBlockByNumber", [`0x${number.toString(16)}`, false])) as {
      hash?: unknown;
    } | null;
    return block?.hash;
  });
  return (await Promise.all(found)).filter((hash): hash is string => typeof hash === "string");
}

/** One call of Ethereum's JSON-RPC. */
async function ask(url: string, method: string, params: unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(RPC_TIMEOUT_MS),
  });
  const answer = (await response.json()) as { result?: unknown; error?: { message?: string } };
  if (answer.result === undefined) throw new Error(`${method}: ${answer.error?.message ?? "no result"}`);
  return answer.result;
}

/** Verifies a conflict proof, which needs nothing but itself. */
function tellOfConflict(bytes: Uint8Array, { policy, rpc, json }: Wish): number {
  const { network, ...others } = policy;
  if (rpc !== undefined || Object.values(others).some((wanted) => wanted !== undefined))
    throw new UsageError("a conflict proof needs no blocks and no cosigners; give --network or nothing");
  const verdict = verifyConflict(bytes, { network });
  process.stdout.write(json ? `${JSON.stringify(verdict, null, 2)}\n` : conflictReportOf(verdict));
  return EXIT_CODES[verdict.verdict];
}

async function main(): Promise<number> {
  const wish = readArguments();
  if (wish === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { file, policy, rpc, json } = wish;
  const bytes = readBundleFile(file);
  if (isConflictProof(bytes)) return tellOfConflict(bytes, wish);
  const blockHashes = [...(policy.blockHashes ?? [])];
  if (rpc !== undefined) {
    const { blocks } = verify(bytes, { ...policy, blockHashes: [] });
    const asked = await askForHashes(rpc, blocks).catch((error: Error) => {
      throw new UsageError(`the endpoint gave no blocks: ${error.message}`);
    });
    blockHashes.push(...asked);
  }
  const verdict = verify(bytes, { ...policy, blockHashes });
  process.stdout.write(json ? `${JSON.stringify(verdict, null, 2)}\n` : reportOf(verdict));
  return EXIT_CODES[verdict.verdict];
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError || error instanceof PolicyError)) throw error;
  process.stderr.write(`furrow-verify: ${error.message}\n\n${USAGE}`);
  process.exitCode = EXIT_USAGE;
}
