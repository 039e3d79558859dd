/** The values that stand in events: bounded texts, GS1 keys, money, times, places. See docs/rules.md, "Values". */
import { type Cbor, CborMap, Tagged } from "../cbor.js";
import { type Hex, toBigInt, toHex, utf8 } from "../bytes.js";
import { demand } from "../malformed.js";
import { type Read, anyText, bytes, integer, isAscending, number, tuple, uint64 } from "../shape.js";

/** Control characters, and the marks that turn the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

/** Blanks (Unicode White_Space) at an end; those that are control characters are refused above. */
const BLANK_AT_END = /^[\p{Z}]|[\p{Z}]$/u;

/** A text of 1 to `most` bytes of UTF-8, printable, without blanks at its ends. */
export function text(most: number): Read<string> {
  return (value, what) => {
    const found = anyText(value, what);
    const length = utf8(found).length;
    demand(length >= 1 && length <= most, `${what} has not 1 to ${most} bytes`);
    demand(
      !UNPRINTABLE.test(found) && !BLANK_AT_END.test(found),
      `${what} has control characters, or blanks at its ends`,
    );
    return found;
  };
}

/** Text → value, with 1 to 32 entries. */
export function textMap<T>(read: Read<T>): Read<Map<string, T>> {
  return (value, what) => {
    demand(value instanceof CborMap, `${what} is no map`);
    demand(value.entries.length >= 1 && value.entries.length <= 32, `${what} has not 1 to 32 entries`);
    return new Map(value.entries.map(([key, item]) => [text(256)(key, `a key of ${what}`), read(item, what)]));
  };
}

/** The shape of a BCP 47 tag (RFC 5646 §2.1): a language of two or three letters, then subtags. */
const LANGUAGE_TAG = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/;

/** Language tag → text. */
export const langText: Read<Map<string, string>> = (value, what) => {
  const texts = textMap(text(512))(value, what);
  for (const tag of texts.keys())
    demand(LANGUAGE_TAG.test(tag) && tag.length <= 35, `${what} has a key that is no language tag`);
  return texts;
};

/** Weights 3 and 1 alternate from the digit left of the check digit (GS1 General Specifications §7.9). */
function checkDigitHolds(digits: string): boolean {
  const [check, ...rest] = [...digits].reverse().map(Number);
  const sum = rest.reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 3 : 1), 0);
  return check === (10 - (sum % 10)) % 10;
}

function gs1(length: number): Read<string> {
  return (value, what) => {
    const digits = anyText(value, what);
    demand(/^[0-9]+$/.test(digits) && digits.length === length, `${what} has not ${length} digits`);
    demand(checkDigitHolds(digits), `${what} has a wrong check digit`);
    return digits;
  };
}

/** A Global Location Number. */
export const gln = gs1(13);

/** A Global Trade Item Number in its form of 14 digits. */
export const gtin = gs1(14);

/** A Serial Shipping Container Code. */
export const sscc = gs1(18);

/** A GS1 Company Prefix. */
export const gs1Prefix: Read<string> = (value, what) => {
  const digits = anyText(value, what);
  demand(/^[0-9]{4,12}$/.test(digits), `${what} has not 4 to 12 digits`);
  return digits;
};

/** Milliseconds since 1970, up to the end of the year 9999. */
export const timestamp = number(0, 253_402_300_799_999);

/** Days since 1970, from 1900-01-01 to 9999-12-31. */
const day = number(-25_567, 2_932_896);

/** First and last day. */
export const dateRange: Read<[number, number]> = (value, what) => {
  const [first, last] = tuple(value, what, 2);
  const range: [number, number] = [day(first!, what), day(last!, what)];
  demand(range[0] <= range[1], `${what} ends before it starts`);
  return range;
};

/** When that of which an event tells took place: start, end, minutes east of UTC. */
export const occurred: Read<void> = (value, what) => {
  const [first, second, offset] = tuple(value, what, 3);
  const start = timestamp(first!, what);
  const end = second === null ? start : timestamp(second!, what);
  demand(start <= end, `${what} ends before it starts`);
  number(-840, 840)(offset!, `the UTC offset of ${what}`);
};

/** Latitude and longitude in 1e-7 degree. */
export interface Coordinates {
  latitude: number;
  longitude: number;
}

/** A WGS 84 point. */
export const coordinates: Read<Coordinates> = (value, what) => {
  const [latitude, longitude] = tuple(value, what, 2);
  return {
    latitude: number(-900_000_000, 900_000_000)(latitude!, `the latitude of ${what}`),
    longitude: number(-1_800_000_000, 1_800_000_000)(longitude!, `the longitude of ${what}`),
  };
};

/** The default scheme of grades has these values; other schemes are open. */
const DEFAULT_GRADES = ["A", "B", "C", "Premium"];

/** Scheme and value of a grade. */
export const grade: Read<void> = (value, what) => {
  const [scheme, name] = tuple(value, what, 2).map((part) => text(64)(part, what));
  demand(scheme !== "furrow" || DEFAULT_GRADES.includes(name!), `${what} is none of ${DEFAULT_GRADES.join(", ")}`);
};

/** A unit in the shape of UN/ECE Recommendation 20. */
export const unit: Read<string> = (value, what) => {
  const code = anyText(value, what);
  demand(/^[A-Z0-9]{2,3}$/.test(code), `${what} is no unit code`);
  return code;
};

/** An amount below 2^120, as a bignum (RFC 8949 §3.4.3) only where 64 bits do not hold it. */
const amount: Read<bigint> = (value, what) => {
  if (!(value instanceof Tagged)) return uint64(value, what);
  const digits = bytes(9, 15)(value.value, what);
  demand(value.tag === 2n && digits[0] !== 0, `${what} is no positive bignum in its shortest form`);
  return toBigInt(digits);
};

/** Amount in the minor unit, currency, and per which unit. */
export const price: Read<void> = (value, what) => {
  const [money, currency, per] = tuple(value, what, 2, 3);
  amount(money!, `the amount of ${what}`);
  demand(/^[A-Z]{3}$/.test(anyText(currency!, what)), `${what} has no currency of three capital letters`);
  if (per !== undefined) unit(per, what);
};

/** A value that stands open, or a commitment of 32 bytes to it. */
export type Sealable<T> = { sealed: Uint8Array } | { sealed: undefined; open: T };

/** No value that may be sealed is itself a byte string, so the CBOR type tells the two apart. */
export function sealable<T>(read: Read<T>): Read<Sealable<T>> {
  return (value, what) =>
    value instanceof Uint8Array ? { sealed: bytes(32)(value, what) } : { sealed: undefined, open: read(value, what) };
}

/** Any value: no bignums, at most 12 levels, at most 1,024 items, keys and values counted alike. */
export const free: Read<Cbor> = (value, what) => {
  let items = 0;
  const visit = (item: Cbor, depth: number): void => {
    items += 1;
    demand(depth <= 12 && items <= 1024, `${what} is nested deeper than 12 levels, or has more than 1024 items`);
    if (Array.isArray(item)) item.forEach((inner) => visit(inner, depth + 1));
    if (item instanceof CborMap) item.entries.flat().forEach((inner) => visit(inner, depth + 1));
    if (item instanceof Tagged) {
      demand(item.tag !== 2n && item.tag !== 3n, `${what} holds a bignum`);
      visit(item.value, depth + 1);
    }
  };
  visit(value, 1);
  return value;
};

/** Type and number of a document, or other pairs of texts. */
export function pair(first: number, second: number): Read<[string, string]> {
  return (value, what) => {
    const [a, b] = tuple(value, what, 2);
    return [text(first)(a!, what), text(second)(b!, what)];
  };
}

/** Scheme and code. */
export type Commodity = [string, string];

/** What kind of produce it is. */
export const commodity: Read<Commodity> = pair(32, 32);

/** `value` × 10^−`scale` of a unit. */
export interface Measure {
  value: bigint;
  scale: number;
  unit: string;
}

/** Something measured. */
export const measure: Read<Measure> = (value, what) => {
  const [digits, scale, unit] = tuple(value, what, 3);
  return {
    value: integer(-(2n ** 63n), 2n ** 63n - 1n)(digits!, what),
    scale: number(0, 9)(scale!, what),
    unit: text(16)(unit!, what),
  };
};

/** SHA-256 and media type of a document. */
export const document: Read<void> = (value, what) => {
  const [hash, mediaType] = tuple(value, what, 2);
  bytes(32)(hash!, what);
  text(128)(mediaType!, what);
};

/** A chain's id and 32 bytes of a commitment. */
export const after: Read<{ chain: bigint; commitment: Hex }> = (value, what) => {
  const [chain, commitment] = tuple(value, what, 2);
  return { chain: uint64(chain!, what), commitment: toHex(bytes(32)(commitment!, what)) };
};

/** Least and most, in hundredths of a degree Celsius. */
export type Temperature = [bigint, bigint];

/** Limits of temperature; their order is a rule. */
export const temperature: Read<Temperature> = (value, what) => {
  const [least, most] = tuple(value, what, 2).map((part) => integer(-32_768n, 32_767n)(part, what));
  return [least!, most!];
};

/** Ids in ascending order, without repetition. */
export function ascendingIds(ids: Hex[], what: string): Hex[] {
  demand(
    isAscending(ids, (a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    `${what} is not ascending and distinct`,
  );
  return ids;
}
