/** Readers that demand a shape of a decoded CBOR value, and say which field has another one. */
import { type Cbor, CborMap } from "./cbor.js";
import { type Hex, toHex } from "./bytes.js";
import { demand } from "./malformed.js";

/** Reads a value, or throws `Malformed`; `what` names it in the message. */
export type Read<T> = (value: Cbor, what: string) => T;

/** Integers of a bundle are below this, so that every language holds them exactly. */
export const MAX_INTEGER = 2n ** 53n - 1n;

/** An integer between two bounds, both included. */
export function integer(least: bigint, most: bigint): Read<bigint> {
  return (value, what) => {
    demand(
      typeof value === "bigint" && value >= least && value <= most,
      `${what} is no integer of ${least} to ${most}`,
    );
    return value;
  };
}

/** An integer that fits a JavaScript number. */
export function number(least: number, most: number): Read<number> {
  const read = integer(BigInt(least), BigInt(most));
  return (value, what) => Number(read(value, what));
}

/** An unsigned integer below 2^53. */
export const uint = number(0, Number(MAX_INTEGER));

/** An unsigned integer of 64 bits. */
export const uint64 = integer(0n, 2n ** 64n - 1n);

/** A byte string of `least` to `most` bytes. */
export function bytes(least: number, most: number = least): Read<Uint8Array> {
  return (value, what) => {
    const right = value instanceof Uint8Array && value.length >= least && value.length <= most;
    demand(right, `${what} is no byte string of ${least === most ? least : `${least} to ${most}`} bytes`);
    return value as Uint8Array;
  };
}

/** A byte string of 32 bytes, as an id. */
export const id: Read<Hex> = (value, what) => toHex(bytes(32)(value, what));

/** A text of any length. */
export const anyText: Read<string> = (value, what) => {
  demand(typeof value === "string", `${what} is no text`);
  return value;
};

/** An array of `least` to `most` items. */
export function array<T>(read: Read<T>, least: number, most: number = Number.MAX_SAFE_INTEGER): Read<T[]> {
  return (value, what) => {
    const right = Array.isArray(value) && value.length >= least && value.length <= most;
    demand(right, `${what} is no array of ${least} to ${most} items`);
    return (value as Cbor[]).map((item, index) => read(item, `${what}[${index}]`));
  };
}

/** The items of an array of fixed length; each is then read on its own. */
export function tuple(value: Cbor, what: string, least: number, most: number = least): Cbor[] {
  const right = Array.isArray(value) && value.length >= least && value.length <= most;
  demand(right, `${what} is no array of ${least === most ? least : `${least} to ${most}`} items`);
  return value as Cbor[];
}

/** A map whose keys are small integers and all known. */
export class Fields {
  private readonly fields = new Map<number, Cbor>();

  constructor(
    value: Cbor,
    readonly what: string,
    known: readonly number[],
  ) {
    demand(value instanceof CborMap, `${what} is no map`);
    for (const [key, item] of value.entries) {
      const number = typeof key === "bigint" ? Number(key) : Number.NaN;
      demand(known.includes(number), `${what} has a field that this version does not know`);
      this.fields.set(number, item);
    }
  }

  /** How many fields are given. */
  get size(): number {
    return this.fields.size;
  }

  /** A field that must be there. */
  get<T>(key: number, read: Read<T>): T {
    const value = this.fields.get(key);
    demand(value !== undefined, `${this.what} lacks field ${key}`);
    return read(value, `field ${key} of ${this.what}`);
  }

  /** A field that may be absent; null does not stand for absence. */
  maybe<T>(key: number, read: Read<T>): T | undefined {
    const value = this.fields.get(key);
    return value === undefined ? undefined : read(value, `field ${key} of ${this.what}`);
  }
}

/** Whether each item comes after the one before it. */
export function isAscending<T>(items: readonly T[], compare: (a: T, b: T) => number): boolean {
  return items.every((item, index) => index === 0 || compare(items[index - 1]!, item) < 0);
}

/** Order of texts whose order of code units is the order meant, such as `Hex`. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
