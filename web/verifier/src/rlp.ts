/**
 * RLP (Yellow Paper, appendix B) as far as evidence needs it: one item that fills its bytes, in its one encoding. Lists
 * are opened one level at a time, so how deep they are nested does not matter.
 */
import { concat, toBigInt } from "./bytes.js";
import { demand } from "./malformed.js";

/** The encoded items of a list. */
export function rlpList(bytes: Uint8Array, what: string): Uint8Array[] {
  const { isList, payload } = whole(bytes, what);
  demand(isList, `${what} is no list`);
  const items: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += items.at(-1)!.length) {
    const rest = payload.subarray(at);
    items.push(rest.subarray(0, head(rest, what).end));
  }
  return items;
}

/** The bytes of a string; of exactly `length`, where one is given. */
export function rlpBytes(bytes: Uint8Array | undefined, what: string, length?: number): Uint8Array {
  demand(bytes !== undefined, `${what} is missing`);
  const { isList, payload } = whole(bytes, what);
  demand(!isList, `${what} is no string`);
  demand(length === undefined || payload.length === length, `${what} has not ${length} bytes`);
  return payload;
}

/** An unsigned integer below 2^53, without leading zeros. */
export function rlpInteger(bytes: Uint8Array | undefined, what: string): number {
  const digits = rlpBytes(bytes, what);
  demand(digits[0] !== 0, `${what} has a leading zero`);
  const value = digits.length <= 8 ? toBigInt(digits) : 2n ** 64n;
  demand(value < 2n ** 53n, `${what} is 2^53 or more`);
  return Number(value);
}

/** The encoding of a string of less than 56 bytes; an integer is one without leading zeros. */
export function rlpOf(bytes: Uint8Array): Uint8Array {
  return bytes.length === 1 && bytes[0]! < 0x80 ? bytes : concat(Uint8Array.of(0x80 + bytes.length), bytes);
}

function whole(bytes: Uint8Array, what: string): { isList: boolean; payload: Uint8Array } {
  const { isList, start, end } = head(bytes, what);
  demand(end === bytes.length, `something follows the end of ${what}`);
  return { isList, payload: bytes.subarray(start, end) };
}

/** What stands first in some bytes: a list or a string, and where its payload starts and ends. */
function head(bytes: Uint8Array, what: string): { isList: boolean; start: number; end: number } {
  const first = bytes[0];
  demand(first !== undefined, `${what} ends before its first item`);
  if (first < 0x80) return { isList: false, start: 0, end: 1 };
  const isList = first >= 0xc0;
  const short = first - (isList ? 0xc0 : 0x80);
  // Above 55 the head tells how many bytes the length has.
  const start = 1 + Math.max(0, short - 55);
  const length = start === 1 ? BigInt(short) : toBigInt(bytes.subarray(1, start));
  demand(start === 1 || (bytes[1] !== 0 && length > 55n), `a length in ${what} is not in its shortest form`);
  demand(BigInt(start) + length <= BigInt(bytes.length), `an item of ${what} goes beyond the end of the bytes`);
  const end = start + Number(length);
  demand(isList || end !== 2 || bytes[1]! >= 0x80, `a byte in ${what} is not in its shortest form`);
  return { isList, start, end };
}
