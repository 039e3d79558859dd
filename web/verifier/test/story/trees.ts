/** The three trees that a bundle leads through, built whole and naively: the log, the state map, a trie of Ethereum. */
import { encodeRlp } from "ethers/utils";
import { fromHex, sha256, toHex } from "../../src/bytes.js";
import { keccak } from "../../src/keccak.js";
import { leafHash, nodeHash } from "../../src/merkle.js";

/** The root of a log of these entries (RFC 9162 §2.1.1). */
export function logRoot(entries: Uint8Array[]): Uint8Array {
  if (entries.length === 0) return sha256(new Uint8Array(0));
  if (entries.length === 1) return leafHash(entries[0]!);
  const k = split(entries.length);
  return nodeHash(logRoot(entries.slice(0, k)), logRoot(entries.slice(k)));
}

/** The path of an entry (§2.1.3.1). */
export function inclusionPath(index: number, entries: Uint8Array[]): Uint8Array[] {
  if (entries.length === 1) return [];
  const k = split(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return index < k
    ? [...inclusionPath(index, left), logRoot(right)]
    : [...inclusionPath(index - k, right), logRoot(left)];
}

/** The proof that the first `old` entries are the log's beginning (§2.1.4.1). */
export function consistencyProof(old: number, entries: Uint8Array[], isComplete = true): Uint8Array[] {
  if (old === entries.length) return isComplete ? [] : [logRoot(entries)];
  const k = split(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  if (old <= k) return [...consistencyProof(old, left, isComplete), logRoot(right)];
  return [...consistencyProof(old - k, right, false), logRoot(left)];
}

function split(size: number): number {
  let k = 1;
  while (2 * k < size) k *= 2;
  return k;
}

/** Key → value, both in hexadecimal. */
export type StateEntries = Map<string, Uint8Array>;

/** The root of a state map. */
export function stateRoot(entries: StateEntries, depth = 0): Uint8Array {
  if (entries.size === 0) return new Uint8Array(32);
  const [only] = entries;
  if (entries.size === 1 && only) return sha256(Uint8Array.of(0), fromHex(only[0]), only[1]);
  return sha256(
    Uint8Array.of(1),
    stateRoot(half(entries, depth, 0), depth + 1),
    stateRoot(half(entries, depth, 1), depth + 1),
  );
}

/** Siblings, the lowest first, and what stands at the place of a key that is absent. */
export function stateProof(
  entries: StateEntries,
  key: string,
): { siblings: Uint8Array[]; other: [string, Uint8Array] | null } {
  const siblings: Uint8Array[] = [];
  let here = entries;
  for (let depth = 0; here.size > 1; depth++) {
    const side = bitOf(key, depth);
    siblings.unshift(stateRoot(half(here, depth, 1 - side), depth + 1));
    here = half(here, depth, side);
  }
  const [only] = here;
  return { siblings, other: only && only[0] !== key ? only : null };
}

function half(entries: StateEntries, depth: number, side: number): StateEntries {
  return new Map([...entries].filter(([key]) => bitOf(key, depth) === side));
}

function bitOf(key: string, depth: number): number {
  return (Number.parseInt(key[depth >> 2]!, 16) >> (3 - (depth & 3))) & 1;
}

/** A trie's root, and the nodes on the way to one key. */
export function trieProof(entries: Map<string, Uint8Array>, key: string): { root: Uint8Array; nodes: Uint8Array[] } {
  const nodes: Uint8Array[] = [];
  const root = build(entries, 0, key, nodes, true);
  return { root: fromHex((root as string).slice(2)), nodes };
}

type Item = string | Item[];

/** The reference to the node over these entries; nodes on the way to `key` are written down, the highest first. */
function build(
  entries: Map<string, Uint8Array>,
  depth: number,
  key: string | undefined,
  nodes: Uint8Array[],
  isRoot = false,
): Item {
  const at = nodes.length;
  const onWay = key !== undefined;
  const keys = [...entries.keys()];
  const first = keys[0]!;
  let node: Item[];
  if (keys.length === 1) {
    node = [hexPrefix(first.slice(depth), true), `0x${toHex(entries.get(first)!)}`];
  } else {
    let shared = 0;
    while (keys.every((other) => other[depth + shared] === first[depth + shared])) shared++;
    const from = depth + shared;
    if (shared > 0) node = [hexPrefix(first.slice(depth, from), false), build(entries, from, key, nodes)];
    else {
      node = Array.from("0123456789abcdef", (nibble): Item => {
        const below = new Map([...entries].filter(([other]) => other[depth] === nibble));
        return below.size === 0 ? "0x" : build(below, depth + 1, key?.[depth] === nibble ? key : undefined, nodes);
      });
      node.push("0x");
    }
  }
  const encoded = fromHex(encodeRlp(node as never).slice(2));
  if (encoded.length < 32 && !isRoot) return node;
  if (onWay) nodes.splice(at, 0, encoded);
  return `0x${toHex(keccak(encoded))}`;
}

function hexPrefix(nibbles: string, isLeaf: boolean): string {
  const isOdd = nibbles.length % 2 === 1;
  const flag = (isLeaf ? 2 : 0) + (isOdd ? 1 : 0);
  return `0x${flag}${isOdd ? "" : "0"}${nibbles}`;
}
