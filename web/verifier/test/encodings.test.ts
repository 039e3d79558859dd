/** CBOR, RLP, base32 and base64, compared with other people's implementations and with the specifications' examples. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as cborg from "cborg";
import { encodeRlp } from "ethers/utils";
import { compare, fromHex, idText, parseBase64, parseId, toBase64, toHex, utf8 } from "../src/bytes.js";
import { type Cbor, CborMap, Tagged, decode, encode } from "../src/cbor.js";
import { Malformed, attempt } from "../src/malformed.js";
import { rlpBytes, rlpInteger, rlpList, rlpOf } from "../src/rlp.js";
import { Random } from "./story/random.js";

function randomCbor(random: Random, depth: number): Cbor {
  switch (random.below(depth > 0 ? 8 : 5)) {
    case 0:
      return BigInt.asUintN(random.below(65), random.bits64());
    case 1:
      return -1n - BigInt.asUintN(random.below(65), random.bits64());
    case 2:
      return random.bytes(random.below(40));
    case 3:
      return ["", "Äpfel", "\ufeffx", "🍎", "a\u0000b"][random.below(5)]!;
    case 4:
      return [true, false, null][random.below(3)]!;
    case 5:
      return Array.from({ length: random.below(5) }, () => randomCbor(random, depth - 1));
    case 6:
      return new CborMap(
        Array.from({ length: random.below(5) }, (_, at): [Cbor, Cbor] => [
          BigInt(at * 50),
          randomCbor(random, depth - 1),
        ]),
      );
    default:
      return new Tagged(BigInt.asUintN(random.below(65), random.bits64()), randomCbor(random, depth - 1));
  }
}

test("what is encoded is decoded to the same, and encoded again to the same bytes", () => {
  const random = new Random("cbor");
  for (let round = 0; round < 2000; round++) {
    const bytes = encode(randomCbor(random, 4));
    assert.deepEqual(encode(decode(bytes)), bytes);
  }
});

/** The same value as cborg writes and reads it; it knows no tags that nobody told it of. */
function forCborg(value: Cbor): unknown {
  if (value instanceof Tagged) return forCborg(value.value);
  if (value instanceof CborMap) return new Map(value.entries.map(([key, item]) => [forCborg(key), forCborg(item)]));
  return Array.isArray(value) ? value.map(forCborg) : value;
}

function withoutTags(value: Cbor): Cbor {
  if (value instanceof Tagged) return withoutTags(value.value);
  if (value instanceof CborMap) return new CborMap(value.entries.map(([key, item]) => [key, withoutTags(item)]));
  return Array.isArray(value) ? value.map(withoutTags) : value;
}

test("cborg writes the same bytes", () => {
  const random = new Random("cborg");
  for (let round = 0; round < 2000; round++) {
    const value = withoutTags(randomCbor(random, 4));
    assert.equal(toHex(encode(value)), toHex(cborg.encode(forCborg(value), cborg.rfc8949EncodeOptions)));
  }
});

test("every second way of writing a value is refused", () => {
  const others = [
    "1801",
    "190001",
    "1a00000001",
    "1b0000000000000001",
    "9f01ff",
    "a202020101",
    "a201010102",
    "f90000",
    "fa00000000",
    "5f4101ff",
    "8101ff",
    "f7",
    "f820",
    "e0",
    "61ff",
    "62c328",
    "64f8888080",
    "",
    "81",
    "1c",
    "fb7ff8000000000000",
  ];
  for (const hex of others) assert.ok(attempt(() => decode(fromHex(hex))) instanceof Malformed, `${hex} was taken`);
});

test("nesting that would exhaust the stack, and lengths that would fill the memory, are refused", () => {
  const claims = [
    "9b7fffffffffffffff",
    "bb7fffffffffffffff",
    "5b7fffffffffffffff",
    "7b7fffffffffffffff",
    "9a3b9aca00",
    "81".repeat(16_000),
    "c1".repeat(16_000),
  ];
  for (const hex of claims) assert.ok(attempt(() => decode(fromHex(hex))) instanceof Malformed);
});

test("bytes that are one bit off decode to another value, or to none", () => {
  const random = new Random("flips");
  for (let round = 0; round < 300; round++) {
    const bytes = encode(randomCbor(random, 3));
    const at = random.below(bytes.length * 8);
    const changed = bytes.slice();
    changed[at >> 3]! ^= 1 << (at & 7);
    const value = attempt(() => decode(changed));
    if (!(value instanceof Malformed)) assert.deepEqual(encode(value), changed);
  }
});

type Item = string | Item[];

function randomRlp(random: Random, depth: number): Item {
  if (depth > 0 && random.below(2) === 0)
    return Array.from({ length: random.below(6) }, () => randomRlp(random, depth - 1));
  return `0x${toHex(random.bytes(random.below(4) === 0 ? random.below(300) : random.below(4)))}`;
}

test("RLP is read as ethers writes it", () => {
  const random = new Random("rlp");
  const read = (bytes: Uint8Array): Item => {
    if (bytes[0]! < 0xc0) return `0x${toHex(rlpBytes(bytes, "a string"))}`;
    return rlpList(bytes, "a list").map(read);
  };
  for (let round = 0; round < 1000; round++) {
    const item = randomRlp(random, 4);
    assert.deepEqual(read(fromHex(encodeRlp(item as never).slice(2))), item);
  }
  for (let length = 0; length < 56; length++) {
    const bytes = random.bytes(length);
    assert.equal(`0x${toHex(rlpOf(bytes))}`, encodeRlp(bytes));
  }
});

test("RLP in another form is refused", () => {
  const refused = (hex: string, read: (bytes: Uint8Array, what: string) => unknown) =>
    assert.ok(attempt(() => read(fromHex(hex), "the item")) instanceof Malformed, `${hex} was taken`);
  for (const hex of [
    "00",
    "817f",
    "8200ff",
    "880020000000000000",
    "89010000000000000000",
    "0101",
    "c0",
    "",
    "b800",
    "b90001ff",
  ])
    refused(hex, rlpInteger);
  for (const hex of ["c10101", "c201", "c181", "ff".repeat(9), "f800", "80", "", "f90001c0"]) refused(hex, rlpList);
});

test("ids have one form in base32, bytes one form in base64", () => {
  const random = new Random("base");
  for (let round = 0; round < 200; round++) {
    const bytes = random.bytes(32);
    assert.deepEqual(parseId(idText(toHex(bytes))), bytes);
    assert.deepEqual(parseBase64(toBase64(bytes)), bytes);
  }
  const id = idText("00".repeat(32));
  for (const wrong of ["", id.toUpperCase(), `${id}a`, id.slice(1), `${id.slice(0, 51)}b`, `${id.slice(0, 51)}1`])
    assert.equal(parseId(wrong), undefined);
  for (const wrong of ["A", "AA", "AB==", "AA=", "A A=", "AA==\n", "====", "AA==AA=="])
    assert.equal(parseBase64(wrong), undefined);
  assert.equal(toBase64(utf8("foobar")), "Zm9vYmFy");
  assert.ok(compare(utf8("a"), utf8("ab")) < 0);
});
