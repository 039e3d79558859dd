/** Proofs of the log's Merkle tree (RFC 9162 §2.1). */
import { equal, sha256 } from "./bytes.js";

/** The hash of an entry. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(0), entry);
}

/** The hash of two neighbours. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(Uint8Array.of(1), left, right);
}

/** Whether `path` leads from the leaf at `index` to the root of a tree of `size` leaves (§2.1.3.2). */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number | bigint,
  size: number | bigint,
  path: Uint8Array[],
  root: Uint8Array,
): boolean {
  if (index >= size) return false;
  // Sizes of journals use all of 64 bits.
  let [at, last, hash] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) return false;
    if ((at & 1n) === 1n || at === last) {
      hash = nodeHash(sibling, hash);
      while ((at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  return last === 0n && equal(hash, root);
}

/** Whether a log of `size` entries with `root` continues the one of `oldSize` entries with `oldRoot` (§2.1.4.2). */
export function verifyConsistency(
  oldSize: number,
  size: number,
  oldRoot: Uint8Array,
  root: Uint8Array,
  proof: Uint8Array[],
): boolean {
  if (oldSize < 1 || oldSize > size) return false;
  if (oldSize === size) return proof.length === 0 && equal(oldRoot, root);
  let [at, last] = [oldSize - 1, size - 1];
  while (isOdd(at)) [at, last] = [half(at), half(last)];
  // A power of two is one complete subtree, whose root the verifier has already.
  const path = at === 0 ? [oldRoot, ...proof] : proof;
  const [first, ...siblings] = path;
  if (first === undefined) return false;
  let [oldHash, hash] = [first, first];
  for (const sibling of siblings) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      [oldHash, hash] = [nodeHash(sibling, oldHash), nodeHash(sibling, hash)];
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(oldHash, oldRoot) && equal(hash, root);
}

// Indexes go up to 2^53, beyond the 32 bits of JavaScript's bit operators.
function half(index: number): number {
  return Math.floor(index / 2);
}

function isOdd(index: number): boolean {
  return index % 2 === 1;
}
