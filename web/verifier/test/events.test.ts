/** Events that the other implementation signed, and values at the edges of their forms. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fromHex, idText, parseId, toHex } from "../src/bytes.js";
import { type Cbor, CborMap, Tagged } from "../src/cbor.js";
import { createdSubject, readEvent } from "../src/event/event.js";
import { type Quantity, compareQuantities, minus, plus, quantity, zero } from "../src/event/quantity.js";
import * as v from "../src/event/values.js";
import { Malformed, attempt } from "../src/malformed.js";
import type { Read } from "../src/shape.js";

const GOLDEN = new URL("../../../../provenance/tests/provenance/golden/", import.meta.url);
const golden = (name: string) => readFileSync(new URL(name, GOLDEN), "utf8").trim();

for (const name of readdirSync(GOLDEN).filter(
  (file) => file.endsWith(".hex") && !/^(commitment|.*bundle.*)\.hex$/.test(file),
)) {
  test(`golden event ${name} is read, and no flipped bit of it`, () => {
    const bytes = fromHex(golden(name));
    readEvent(bytes);
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = bytes.slice();
      changed[at]! ^= 1 << (at % 8);
      assert.ok(attempt(() => readEvent(changed)) instanceof Malformed, `byte ${at} was changed unseen`);
    }
  });
}

test("a created subject has the id that the other implementation gives it", () => {
  const event = toHex(parseId(golden("place_event_id.txt"))!);
  assert.equal(idText(createdSubject(event, 0)), golden("place_subject_id.txt"));
  const network = toHex(parseId(golden("network_id.txt"))!);
  assert.equal(idText(createdSubject(network, 1)), golden("founder_1_actor_id.txt"));
});

function refuses(read: Read<unknown>, ...values: Cbor[]): void {
  for (const value of values) assert.ok(attempt(() => read(value, "it")) instanceof Malformed, String(value));
}

function takes(read: Read<unknown>, ...values: Cbor[]): void {
  for (const value of values) assert.ok(!(attempt(() => read(value, "it")) instanceof Malformed), String(value));
}

test("texts", () => {
  takes(v.text(4), "abcd", "é b", "🍎", "a b");
  refuses(
    v.text(4),
    "",
    "abcde",
    " a",
    "a\u00a0",
    "a\n",
    "a\u0085",
    "a\u202eb",
    "\ufeff",
    "a\u2067",
    1n,
    fromHex("61"),
  );
  const languages = (tag: string) => new CborMap([[tag, "x"]]);
  takes(v.langText, ...["en", "pt-BR", "zh-Hant-TW", "gsw"].map(languages));
  refuses(
    v.langText,
    ...["", "e", "english", "en_US", "en-", "12", `en-${"a".repeat(9)}`].map(languages),
    new CborMap([]),
  );
});

test("codes", () => {
  takes(v.gtin, "06291041500213", "00000096385074");
  refuses(v.gtin, "6291041500213", "06291041500214", "0629104150021é", "");
  takes(v.gln, "6291041500213");
  refuses(v.gln, "6291041500214", "629104150021");
  takes(v.gs1Prefix, "1234", "123456789012");
  refuses(v.gs1Prefix, "123", "1234567890123", "12a4");
  takes(v.grade, ["furrow", "Premium"], ["UNECE FFV-36", "Extra Class"]);
  refuses(v.grade, ["furrow", "D"], ["furrow"], ["furrow", "A", "B"]);
});

test("prices", () => {
  takes(v.price, [0n, "EUR"], [2n ** 64n - 1n, "EUR", "KGM"], [new Tagged(2n, fromHex("056bc75e2d63100000")), "ETH"]);
  refuses(v.price, [-1n, "EUR"], [1n, "eur"], [1n, "EURO"], [1n], [1n, "EUR", "K"], [1n, "EUR", null]);
  const bignum = (hex: string, tag = 2n): Cbor => [new Tagged(tag, fromHex(hex)), "ETH"];
  refuses(
    v.price,
    bignum("00056bc75e2d63100000"),
    bignum("ffffffffffffffff"),
    bignum("01".repeat(16)),
    bignum("01".repeat(9), 3n),
  );
});

test("times and places", () => {
  takes(v.timestamp, 0n, 253_402_300_799_999n);
  refuses(v.timestamp, -1n, 253_402_300_800_000n);
  takes(v.occurred, [5n, null, 840n], [5n, 5n, -840n]);
  refuses(v.occurred, [5n, 4n, 0n], [5n, null, 841n], [5n, null], [null, 5n, 0n]);
  takes(v.dateRange, [-25_567n, 2_932_896n]);
  refuses(v.dateRange, [2n, 1n], [-25_568n, 0n], [0n, 2_932_897n]);
  takes(v.coordinates, [900_000_000n, -1_800_000_000n]);
  refuses(v.coordinates, [900_000_001n, 0n], [0n, -1_800_000_001n]);
});

test("free values", () => {
  const nested = (levels: number): Cbor => (levels === 0 ? 1n : [nested(levels - 1)]);
  takes(
    v.free,
    nested(11),
    Array.from({ length: 1023 }, () => 1n),
    new Tagged(1n, 1n),
    null,
  );
  refuses(
    v.free,
    nested(12),
    Array.from({ length: 1024 }, () => 1n),
    [new Tagged(2n, fromHex("01"))],
    new Tagged(3n, fromHex("01")),
  );
});

test("quantities are exact decimals", () => {
  const kg = (value: bigint, scale: number, packages?: bigint): Quantity =>
    quantity(packages === undefined ? [value, BigInt(scale), "KGM"] : [value, BigInt(scale), "KGM", packages], "it");
  assert.equal(compareQuantities(kg(10n, 1), kg(1n, 0)), 0);
  assert.deepEqual(minus(kg(1000n, 0), kg(1n, 3)), kg(999_999n, 3));
  assert.equal(minus(kg(1n, 0), kg(1_000_000_001n, 9)), undefined);
  assert.equal(plus(kg(1n, 0), { ...kg(1n, 0), unit: "LTR" }), undefined);
  assert.deepEqual(plus(kg(1n, 0, 3n), kg(1n, 0, 4n)), kg(2n, 0, 7n));
  assert.deepEqual(plus(kg(1n, 0, 3n), kg(1n, 0)), kg(2n, 0));
  assert.equal(minus(kg(2n, 0, 3n), kg(1n, 0, 4n)), undefined);
  // Trailing zeros go only where the value would not fit.
  assert.deepEqual(plus(kg(2n ** 63n, 0), kg(0n, 9)), kg(9_223_372_036_854_775_808n, 0));
  assert.equal(minus(kg(2n ** 63n, 0), kg(1n, 9)), undefined);
  assert.deepEqual(zero(kg(5n, 2, 3n)), kg(0n, 2, 0n));
  refuses(
    quantity,
    [1n, 10n, "KGM"],
    [1n, 0n, "kgm"],
    [-1n, 0n, "KGM"],
    [1n, 0n, "KGM", 2n ** 32n],
    [2n ** 64n, 0n, "KGM"],
  );
});
