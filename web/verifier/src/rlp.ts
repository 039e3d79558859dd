/** RLP as Ethereum's nodes and headers are written: ethers reads it, and what is not in its one canonical form is refused. */
import { decodeRlp, encodeRlp } from "ethers/utils";
import { isError } from "ethers/utils";
import { fromHex, toHex } from "./bytes.js";
import { Malformed, demand } from "./malformed.js";

/** A byte string, as `0x…`, or a list of items. */
export type Rlp = string | Rlp[];

/** A receipt nests four lists, a trie's node a few inline ones; more would only fill the stack. */
const MAX_DEPTH = 32;

/** Reads the one item that fills `bytes`; throws `Malformed`. */
export function readRlp(bytes: Uint8Array): Rlp {
  demand(nesting(bytes) <= MAX_DEPTH, `RLP is nested deeper than ${MAX_DEPTH} lists`);
  let item: Rlp;
  try {
    item = decodeRlp(bytes) as Rlp;
  } catch (error) {
    if (isError(error, "INVALID_ARGUMENT") || isError(error, "BUFFER_OVERRUN")) throw new Malformed("the bytes are no RLP");
    throw error;
  }
  demand(encodeRlp(item) === `0x${toHex(bytes)}`, "the RLP is not in its canonical form");
  return item;
}

/** The canonical RLP of a byte string. */
export function rlpOf(bytes: Uint8Array): Uint8Array {
  return itemBytes(encodeRlp(bytes));
}

/** How deep the lists of some bytes are nested, found without calling itself. */
function nesting(bytes: Uint8Array): number {
  const ends: number[] = [];
  let deepest = 0;
  for (let at = 0; at < bytes.length; ) {
    while (ends.length > 0 && ends.at(-1)! <= at) ends.pop();
    const head = bytes[at]!;
    const isList = head >= 0xc0;
    const short = head - (isList ? 0xc0 : 0x80);
    if (short < 0) {
      at += 1;
      continue;
    }
    const extra = Math.max(0, short - 55);
    let length = extra === 0 ? short : 0;
    for (let index = 1; index <= extra; index++) length = length * 256 + (bytes[at + index] ?? 0);
    at += 1 + extra;
    if (isList) deepest = Math.max(deepest, ends.push(at + length));
    else at += length;
  }
  return deepest;
}

/** The items of a list. */
export function rlpList(item: Rlp | undefined, what: string): Rlp[] {
  demand(Array.isArray(item), `${what} is no list`);
  return item;
}

/** The bytes of a string; of exactly `length`, where one is given. */
export function rlpBytes(item: Rlp | undefined, what: string, length?: number): Uint8Array {
  demand(typeof item === "string", `${what} is no string`);
  const bytes = itemBytes(item);
  demand(length === undefined || bytes.length === length, `${what} has not ${length} bytes`);
  return bytes;
}

/** An unsigned integer of at most 64 bits, without leading zeros. */
export function rlpInteger(item: Rlp | undefined, what: string): bigint {
  const bytes = rlpBytes(item, what);
  demand(bytes.length <= 8 && bytes[0] !== 0, `${what} is no integer of 64 bits in its shortest form`);
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

function itemBytes(hex: string): Uint8Array {
  return fromHex(hex.slice(2));
}
