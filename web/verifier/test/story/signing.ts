/** Keys and signed events for tests, made from seeds, so that every run makes the same bytes. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { encodeBase58 } from "ethers/utils";
import { bigEndian, idText, sha256, toHex, utf8 } from "../../src/bytes.js";
import { type Cbor, CborMap, Tagged, encode } from "../../src/cbor.js";

/** A key pair. */
export interface Key {
  secret: Uint8Array;
  public: Uint8Array;
}

/** The key pair of a name. */
export function keyOf(name: string): Key {
  const secret = sha256(utf8(name));
  return { secret, public: ed25519.getPublicKey(secret) };
}

/** An Ed25519 signature. */
export function sign(key: Key, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, key.secret);
}

/** A map with integer keys; absent values are left out. */
export function map(fields: Record<number, Cbor | undefined>): CborMap {
  const entries = Object.entries(fields).filter((entry): entry is [string, Cbor] => entry[1] !== undefined);
  return new CborMap(entries.map(([key, value]) => [BigInt(key), value]));
}

/** What is said in one event. */
export interface Said {
  kind: number;
  touches: [Uint8Array | null, Cbor, Uint8Array[]][];
  basis: Uint8Array[];
  body: Cbor;
  time?: number;
  journal: Uint8Array;
  onBehalfOf?: Uint8Array | undefined;
  after?: Cbor | undefined;
}

/** An event and what follows from its bytes. */
export interface Made {
  bytes: Uint8Array;
  id: Uint8Array;
  /** The subject of touch `index`. */
  subject(index?: number): Uint8Array;
}

/** Byte strings in ascending order. */
export function ascending(ids: Uint8Array[]): Uint8Array[] {
  return [...ids].sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1));
}

/** Signs an event. */
export function signEvent(network: Uint8Array, key: Key, said: Said): Made {
  const first = said.touches[0]![0];
  const payload = encode(
    map({
      1: 1n,
      2: BigInt(said.kind),
      3: network,
      4: BigInt(said.time ?? 1_790_000_000_000),
      6: said.journal,
      7: said.touches.map(([subject, lane, prev]) => [subject, lane, ascending(prev)]),
      8: ascending(said.basis),
      9: said.body,
      10: said.onBehalfOf,
      13: said.after,
    }),
  );
  const did = `did:key:z${encodeBase58(Uint8Array.of(0xed, 1, ...key.public))}`;
  const header = encode(
    map({
      1: -8n,
      3: "application/vnd.furrow.event+cbor",
      4: key.public,
      15: map({ 1: did, 2: `urn:furrow:${first === null ? "new" : idText(toHex(first))}` }),
    }),
  );
  const signature = sign(key, encode(["Signature1", header, new Uint8Array(0), payload]));
  const bytes = encode(new Tagged(18n, [header, new CborMap([]), payload, signature]));
  const id = sha256(bytes);
  const subject = (index = 0) => said.touches[index]![0] ?? sha256(id, bigEndian(index, 4));
  return { bytes, id, subject };
}
