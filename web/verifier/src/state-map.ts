/** The state map (docs/state-map.md): what a subject's history ends with, and proofs that lead to the map's root. */
import { equal, fromHex, sha256 } from "./bytes.js";
import type { SubjectProof } from "./bundle.js";
import { type Cbor, CborMap, encode } from "./cbor.js";
import type { Lane } from "./event/event.js";
import type { Counting } from "./counting/counting.js";

const EMPTY = new Uint8Array(32);

/** The value of a subject: the tips of its lanes, hashed. Nothing where none of its events counts. */
export function stateOf(counting: Counting, subject: string): Uint8Array | undefined {
  const lanes = [...counting.history.lanes(subject)].flatMap(([lane]): [Cbor, Cbor][] => {
    const tips = counting.tips(subject, lane).map(({ event }) => fromHex(event.id));
    return tips.length === 0 ? [] : [[laneCbor(lane), tips]];
  });
  return lanes.length === 0 ? undefined : sha256(encode(new CborMap(lanes)));
}

function laneCbor(lane: Lane): Cbor {
  return lane === "main" ? 0n : lane === "title" ? 1n : fromHex(lane);
}

/** Whether the proof leads from what stands at the subject's place to the root. */
export function verifySubject(proof: SubjectProof, value: Uint8Array | undefined, root: Uint8Array): boolean {
  const key = fromHex(proof.subject);
  const start = placeHash(proof, key, value);
  return start !== undefined && equal(rootFrom(start, key, proof.siblings), root);
}

/** The hash at the place where the siblings end; nothing if what is claimed to stand there cannot. */
function placeHash(
  { absence, siblings }: SubjectProof,
  key: Uint8Array,
  value: Uint8Array | undefined,
): Uint8Array | undefined {
  if (absence === undefined) return value && leaf(key, value);
  if (value !== undefined) return undefined;
  if (absence === null) return EMPTY;
  const shared = siblings.every((_, depth) => bit(key, depth) === bit(absence.key, depth));
  return shared && !equal(key, absence.key) ? leaf(absence.key, absence.value) : undefined;
}

function rootFrom(start: Uint8Array, key: Uint8Array, siblings: Uint8Array[]): Uint8Array {
  return siblings.reduce((hash, sibling, index) => {
    const [left, right] = bit(key, siblings.length - 1 - index) === 0 ? [hash, sibling] : [sibling, hash];
    return sha256(Uint8Array.of(1), left, right);
  }, start);
}

function leaf(key: Uint8Array, value: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(0), key, value);
}

/** Bit `depth` of a key, the most significant bit of the first byte being 0. */
function bit(key: Uint8Array, depth: number): number {
  return (key[depth >> 3]! >> (7 - (depth & 7))) & 1;
}
