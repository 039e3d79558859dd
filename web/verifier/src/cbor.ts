/**
 * Deterministic CBOR (RFC 8949 §4.2.1): one encoding for each value, every other one is refused while reading.
 *
 * Lengths are compared with the bytes that are there before anything is made of them, so a claim of 10⁹ entries
 * costs nothing; nesting is bounded, because the reader calls itself.
 */
import { compare, concat, joined, toHex, utf8 } from "./bytes.js";
import { demand } from "./malformed.js";

/** A CBOR value without floats, `undefined` and simple values. Integers are always `bigint`. */
export type Cbor = bigint | Uint8Array | string | boolean | null | Cbor[] | CborMap | Tagged;

/** Entries in the order of their encoding. */
export class CborMap {
  constructor(readonly entries: readonly (readonly [Cbor, Cbor])[]) {}
}

/** A tagged value. */
export class Tagged {
  constructor(
    readonly tag: bigint,
    readonly value: Cbor,
  ) {}
}

/** Deeper than anything that the formats nest: 12 levels of a free value within payload and body. */
const MAX_DEPTH = 20;

const UINT = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;

// Without `ignoreBOM` a leading U+FEFF would vanish from the text.
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the one value that fills `bytes`. */
export function decode(bytes: Uint8Array): Cbor {
  const reader = new Reader(bytes);
  const value = reader.value();
  reader.end();
  return value;
}

/**
 * Reads bytes from the front. The methods that name a shape read bundles, whose parts are too many to be first
 * decoded into a tree; `value` reads anything.
 */
export class Reader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  /** Refuses what follows the value. */
  end(): void {
    demand(this.at === this.bytes.length, `${this.bytes.length - this.at} bytes follow the end of the CBOR value`);
  }

  /** An unsigned integer of at most `most`. */
  uint(most: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.argument(UINT, "unsigned integer");
    demand(value <= BigInt(most), `an integer is above ${most}`);
    return Number(value);
  }

  /** A byte string of `least` to `most` bytes. */
  byteString(least: number, most: number = least): Uint8Array {
    return this.take(this.counted(BYTES, "byte string", least, most));
  }

  /** A text of `least` to `most` bytes of UTF-8. */
  textString(least: number, most: number): string {
    return this.text(this.counted(TEXT, "text", least, most));
  }

  /** An array of `least` to `most` items, each read by `item`. */
  list<T>(least: number, most: number, item: () => T): T[] {
    const length = this.counted(ARRAY, "array", least, most);
    const items: T[] = [];
    for (let index = 0; index < length; index++) items.push(item());
    return items;
  }

  /** The head of an array whose items are then read one by one; gives how many there are. */
  tuple(least: number, most: number = least): number {
    return this.counted(ARRAY, "array", least, most);
  }

  /** A map of small ascending integer keys; `field` reads the value and refuses unknown keys. */
  fields(field: (key: number) => void): void {
    const length = this.counted(MAP, "map", 0, Number.MAX_SAFE_INTEGER);
    for (let index = 0, last = -1; index < length; index++) {
      const key = this.uint(255);
      demand(key > last, "map keys are not ascending and distinct");
      last = key;
      field(key);
    }
  }

  /** Whether null comes next; it is then read. */
  isNull(): boolean {
    const found = this.bytes[this.at] === 0xf6;
    if (found) this.at += 1;
    return found;
  }

  /** Major type and argument, in the shortest form. */
  head(): [number, bigint] {
    const first = this.take(1)[0]!;
    const [major, low] = [first >> 5, first & 31];
    if (low < 24) return [major, BigInt(low)];
    demand(low < 28 && major !== 7, "floats, simple values and indefinite lengths have no place in these formats");
    const argument = this.take(1 << (low - 24));
    const value = BigInt(`0x${toHex(argument)}`);
    const least = low === 24 ? 24n : 1n << BigInt(8 << (low - 25));
    demand(value >= least, "an integer or length is not in its shortest form");
    return [major, value];
  }

  /** Any value, nested at most `depth` levels. */
  value(depth: number = MAX_DEPTH): Cbor {
    demand(depth > 0, `values are nested deeper than ${MAX_DEPTH} levels`);
    const [major, argument] = this.head();
    switch (major) {
      case UINT:
        return argument;
      case NEGATIVE:
        return -1n - argument;
      case BYTES:
        return this.take(this.bounded(argument, 1));
      case TEXT:
        return this.text(this.bounded(argument, 1));
      case ARRAY:
        return Array.from({ length: this.bounded(argument, 1) }, () => this.value(depth - 1));
      case MAP:
        return this.map(this.bounded(argument, 2), depth);
      case TAG:
        return new Tagged(argument, this.value(depth - 1));
      default:
        return simple(argument);
    }
  }

  private map(length: number, depth: number): CborMap {
    const entries: [Cbor, Cbor][] = [];
    let last: Uint8Array | undefined;
    for (let index = 0; index < length; index++) {
      const start = this.at;
      const key = this.value(depth - 1);
      const encoded = this.bytes.subarray(start, this.at);
      demand(last === undefined || compare(last, encoded) < 0, "map keys are not ascending and distinct");
      last = encoded;
      entries.push([key, this.value(depth - 1)]);
    }
    return new CborMap(entries);
  }

  private text(length: number): string {
    const bytes = this.take(length);
    try {
      return utf8Decoder.decode(bytes);
    } catch (error) {
      // The decoder's only complaint; anything else is not ours to hide.
      if (!(error instanceof TypeError)) throw error;
    }
    return refuse("a text is not UTF-8");
  }

  private counted(wanted: number, what: string, least: number, most: number): number {
    const length = this.argument(wanted, what);
    demand(length >= BigInt(least) && length <= BigInt(most), `a ${what} has not ${least} to ${most} bytes or items`);
    return Number(length);
  }

  private argument(wanted: number, what: string): bigint {
    const [major, argument] = this.head();
    demand(major === wanted, `something else stands where a ${what} should be`);
    return argument;
  }

  /** A length, where that many items of at least `size` bytes each can still follow. */
  private bounded(length: bigint, size: number): number {
    demand(length * BigInt(size) <= BigInt(this.bytes.length - this.at), "a length goes beyond the end of the bytes");
    return Number(length);
  }

  private take(length: number): Uint8Array {
    demand(this.at + length <= this.bytes.length, "the bytes end within a value");
    return this.bytes.subarray(this.at, (this.at += length));
  }
}

function simple(argument: bigint): boolean | null {
  if (argument === 20n || argument === 21n) return argument === 21n;
  demand(argument === 22n, "undefined and other simple values have no place in these formats");
  return null;
}

function refuse(message: string): never {
  demand(false, message);
}

/** The deterministic encoding of a value; entries of maps are sorted here. */
export function encode(value: Cbor): Uint8Array {
  if (typeof value === "bigint") return value >= 0n ? head(UINT, value) : head(NEGATIVE, -1n - value);
  if (typeof value === "string") {
    const bytes = utf8(value);
    return concat(head(TEXT, bytes.length), bytes);
  }
  if (value instanceof Uint8Array) return concat(head(BYTES, value.length), value);
  if (Array.isArray(value)) return joined([head(ARRAY, value.length), ...value.map(encode)]);
  if (value instanceof Tagged) return concat(head(TAG, value.tag), encode(value.value));
  if (value instanceof CborMap) {
    const entries = value.entries.map(([key, item]) => [encode(key), encode(item)] as const);
    entries.sort(([a], [b]) => compare(a, b));
    return joined([head(MAP, entries.length), ...entries.flat()]);
  }
  return Uint8Array.of(value === null ? 0xf6 : value ? 0xf5 : 0xf4);
}

function head(major: number, argument: bigint | number): Uint8Array {
  const value = BigInt(argument);
  if (value < 24n) return Uint8Array.of((major << 5) | Number(value));
  const size = value < 0x100n ? 1 : value < 0x10000n ? 2 : value < 0x100000000n ? 4 : 8;
  const out = new Uint8Array(1 + size);
  out[0] = (major << 5) | (24 + Math.log2(size));
  for (let index = size, rest = value; index > 0; index--, rest >>= 8n) out[index] = Number(rest & 0xffn);
  return out;
}
