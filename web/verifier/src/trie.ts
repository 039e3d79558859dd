/** Proofs in Ethereum's Merkle Patricia tries (Yellow Paper, appendix D; EIP-1186). */
import { type Hex, equal, toHex } from "./bytes.js";
import { keccak } from "./keccak.js";
import { demand } from "./malformed.js";
import { rlpBytes, rlpList } from "./rlp.js";

/**
 * The value under `key` in the trie with this root. `nodes` must be exactly those on the way from the root to the key's
 * leaf; throws `Malformed` where they are others, fewer or more, or show that there is no value.
 *
 * Keys that are the beginning of others are not looked for: neither the tries of accounts and storage nor that of
 * receipts has such.
 */
export function provenValue(root: Uint8Array, key: Uint8Array, nodes: Uint8Array[]): Uint8Array {
  const path = toHex(key);
  const rest = [...nodes];
  let depth = 0;
  let node = hashedNode(root, rest);
  for (;;) {
    const items = rlpList(node, "a node of the trie");
    demand(items.length === 2 || items.length === 17, "a node of the trie has neither 2 nor 17 items");
    let child: Uint8Array;
    if (items.length === 17) {
      demand(depth < path.length, "the key ends in a branch");
      child = items[Number.parseInt(path[depth++]!, 16)]!;
    } else {
      const { nibbles, isLeaf } = hexPrefix(rlpBytes(items[0], "the path of a node"));
      demand(path.startsWith(nibbles, depth), "the trie has another key in this place");
      depth += nibbles.length;
      if (isLeaf) return leafValue(items[1]!, depth === path.length, rest);
      demand(nibbles.length > 0, "an extension goes nowhere");
      child = items[1]!;
    }
    // A node of less than 32 bytes stands in its parent; every other one is named by its hash, a string of 32 bytes.
    node = child.length === 33 && child[0] === 0xa0 ? hashedNode(child.subarray(1), rest) : child;
  }
}

function leafValue(item: Uint8Array, isWholeKey: boolean, rest: Uint8Array[]): Uint8Array {
  const value = rlpBytes(item, "a value");
  demand(isWholeKey && value.length > 0, "the leaf is that of another key");
  demand(rest.length === 0, "the proof has more nodes than it needs");
  return value;
}

function hashedNode(hash: Uint8Array, rest: Uint8Array[]): Uint8Array {
  const node = rest.shift();
  demand(node !== undefined, "the proof ends before its value");
  demand(equal(keccak(node), hash), "a node does not have the hash that its parent names");
  return node;
}

/** Nibbles and kind of a node's path in hex-prefix encoding (Yellow Paper, appendix C). */
function hexPrefix(bytes: Uint8Array): { nibbles: Hex; isLeaf: boolean } {
  const nibbles = toHex(bytes);
  const flag = Number.parseInt(nibbles[0] ?? "f", 16);
  const isOdd = (flag & 1) === 1;
  demand(flag < 4 && (isOdd || nibbles[1] === "0"), "a path is not in hex-prefix encoding");
  return { nibbles: nibbles.slice(isOdd ? 1 : 2), isLeaf: flag >= 2 };
}
