/** Proofs in Ethereum's Merkle Patricia tries (Yellow Paper, appendix D; EIP-1186). */
import { type Hex, equal, toHex } from "./bytes.js";
import { keccak } from "./keccak.js";
import { demand } from "./malformed.js";
import { type Rlp, readRlp, rlpBytes, rlpList } from "./rlp.js";

/**
 * The value under `key` in the trie with this root, as the nodes from the root downwards prove it. Throws `Malformed`
 * where the nodes are no such proof, prove that there is no value, or are more than the way needs.
 */
export function provenValue(root: Uint8Array, key: Uint8Array, nodes: Uint8Array[]): Uint8Array {
  const path = toHex(key);
  const rest = [...nodes];
  let node = hashedNode(root, rest);
  for (let depth = 0; ; ) {
    let next: Rlp | undefined;
    if (node.length === 17) {
      if (depth === path.length) return value(node[16], rest);
      next = node[Number.parseInt(path[depth]!, 16)];
      depth += 1;
    } else {
      demand(node.length === 2, "a node of a trie has neither 2 nor 17 items");
      const { nibbles, isLeaf } = hexPrefix(rlpBytes(node[0], "the path of a node"));
      demand(path.startsWith(nibbles, depth), "the trie has another key in this place");
      depth += nibbles.length;
      if (isLeaf) {
        demand(depth === path.length, "a leaf's path ends before the key");
        return value(node[1], rest);
      }
      demand(nibbles.length > 0, "an extension without a path");
      next = node[1];
    }
    // A node of less than 32 bytes stands in its parent, every other one is named by its hash.
    node = Array.isArray(next) ? next : hashedNode(rlpBytes(next, "the hash of a node", 32), rest);
  }
}

function hashedNode(hash: Uint8Array, rest: Uint8Array[]): Rlp[] {
  const node = rest.shift();
  demand(node !== undefined, "the proof ends before its value");
  demand(equal(keccak(node), hash), "a node does not have the hash that its parent names");
  return rlpList(readRlp(node), "a node of a trie");
}

function value(item: Rlp | undefined, rest: Uint8Array[]): Uint8Array {
  const found = rlpBytes(item, "a value");
  demand(found.length > 0, "there is no value under the key");
  demand(rest.length === 0, "the proof has more nodes than it needs");
  return found;
}

/** Nibbles and kind of a node's path in hex-prefix encoding (Yellow Paper, appendix C). */
function hexPrefix(bytes: Uint8Array): { nibbles: Hex; isLeaf: boolean } {
  const nibbles = toHex(bytes);
  const flag = Number.parseInt(nibbles[0] ?? "f", 16);
  const isOdd = (flag & 1) === 1;
  demand(flag < 4 && (isOdd || nibbles[1] === "0"), "a path is not in hex-prefix encoding");
  return { nibbles: nibbles.slice(isOdd ? 1 : 2), isLeaf: flag >= 2 };
}
