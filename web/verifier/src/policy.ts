/** What an auditor demands beyond what a bundle says of itself. */
import { parseId } from "./bytes.js";

/** Nothing of it must be given. */
export interface Policy {
  /** The network id that is expected, in base32. */
  network?: string | undefined;
  /** How many cosigners are wanted; none if not given. */
  cosigners?: number | undefined;
  /** Node actors whose cosignatures count, in base32; anybody's if not given, nobody's if the list is empty. */
  cosignerIds?: readonly string[] | undefined;
  /** Hashes of blocks, as `0x…`, from a source that the auditor chose. */
  blockHashes?: readonly string[] | undefined;
}

/** A policy that makes no sense; the message says which part and what to write. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

/** Checks a policy that comes from JSON, a form or a command line; throws `PolicyError`. */
export function parsePolicy(value: unknown): Policy {
  if (value === undefined || value === null) return {};
  const known = ["network", "cosigners", "cosignerIds", "blockHashes"];
  must(typeof value === "object" && !Array.isArray(value), "a policy is an object");
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  must(unknown === undefined, `a policy has no '${unknown}'; it has ${known.join(", ")}`);
  const { network, cosigners, cosignerIds, blockHashes } = value as Record<string, unknown>;
  must(network === undefined || isId(network), "network is no id; write its 52 characters a to z and 2 to 7");
  must(
    cosigners === undefined || (Number.isSafeInteger(cosigners) && Number(cosigners) >= 0),
    "cosigners is no number from 0 on",
  );
  must(cosignerIds === undefined || isList(cosignerIds, isId), "cosignerIds is no list of ids of 52 characters each");
  must(
    blockHashes === undefined || isList(blockHashes, isBlockHash),
    "blockHashes is no list of 0x and 64 hexadecimal digits each",
  );
  return { network, cosigners: cosigners as number | undefined, cosignerIds, blockHashes };
}

function isId(value: unknown): value is string {
  return typeof value === "string" && parseId(value) !== undefined;
}

function isBlockHash(value: unknown): value is string {
  return typeof value === "string" && /^0x[0-9a-fA-F]{64}$/.test(value);
}

function isList<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

function must(condition: boolean, message: string): asserts condition {
  if (!condition) throw new PolicyError(message);
}
