/**
 * Byte strings and how they are written. Inside the verifier an id or hash of 32 bytes is held as `Hex`,
 * because text can be a key of a map and its order is the order of the bytes.
 */
import { sha256 as sha256Of } from "@noble/hashes/sha2.js";

/** Lowercase hexadecimal without a prefix. */
export type Hex = string;

/** SHA-256 of the concatenation of `parts`. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  return sha256Of(parts.length === 1 ? parts[0]! : concat(...parts));
}

/** All parts, one after the other. */
export function concat(...parts: Uint8Array[]): Uint8Array {
  return joined(parts);
}

/** The same for a list that may be longer than a call can have arguments. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Whether two byte strings are the same. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Negative, zero or positive, by the first byte that differs; a beginning comes before the whole. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index++) {
    const difference = a[index]! - b[index]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const HEX_PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes as lowercase hexadecimal. */
export function toHex(bytes: Uint8Array): Hex {
  let out = "";
  for (const byte of bytes) out += HEX_PAIRS[byte]!;
  return out;
}

/** The bytes of lowercase or uppercase hexadecimal that is known to be well-formed. */
export function fromHex(hex: Hex): Uint8Array {
  const out = new Uint8Array(hex.length / 2);
  for (let index = 0; index < out.length; index++)
    out[index] = Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16);
  return out;
}

/** Letters of RFC 4648 §6 in lower case. */
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/** Lowercase base32 without padding: 52 characters for 32 bytes. */
export function toBase32(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += BASE32[(held >> bits) & 31]!;
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? out + BASE32[(held << (5 - bits)) & 31]! : out;
}

/** An id as people see it. */
export function idText(id: Hex): string {
  return toBase32(fromHex(id));
}

/** The 32 bytes of an id in its one written form; nothing for any other text. */
export function parseId(text: string): Uint8Array | undefined {
  if (text.length !== 52) return undefined;
  const out = new Uint8Array(32);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of text) {
    const value = BASE32.indexOf(letter);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  // 52 letters hold 260 bits; the last four must be zero, or one id would have sixteen forms.
  return held === 0 ? out : undefined;
}

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Bytes of standard base64 in its one canonical form; nothing for any other text. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : undefined;
}

/** The UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** `value` in `length` bytes, most significant first. */
export function bigEndian(value: bigint | number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let rest = BigInt(value);
  for (let index = length - 1; index >= 0; index--) {
    out[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return out;
}

/** The unsigned number that bytes hold, most significant first. */
export function toBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}
