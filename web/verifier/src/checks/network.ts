/** Check 2: the network is well-formed, and the expected one. */
import type { NetworkParts } from "../bundle.js";
import { idText, sha256, toHex } from "../bytes.js";
import { encode } from "../cbor.js";
import { isWellFormedKey } from "../ed25519.js";
import { text } from "../event/values.js";
import { Malformed, attempt } from "../malformed.js";
import type { Policy } from "../policy.js";
import { type Network, networkOf } from "../rules/history.js";
import { fail } from "./checklist.js";

/** Most bytes of a network's name. */
const MAX_NAME = 64;

export function checkNetwork({ name, nonce, founders }: NetworkParts, policy: Policy): Network {
  const named = attempt(() => text(MAX_NAME)(name, "the network's name"));
  if (named instanceof Malformed) fail("malformed_network", {}, named.message);
  if (new Set(founders.map(toHex)).size !== founders.length)
    fail("malformed_network", {}, "a founder's key is named twice");
  if (!founders.every(isWellFormedKey)) fail("malformed_network", {}, "a founder's key is no well-formed Ed25519 key");
  const id = toHex(sha256(encode(["furrow/network/1", [name, nonce, founders]])));
  if (policy.network !== undefined && policy.network !== idText(id)) {
    fail("other_network", {}, `the bundle is of network ${idText(id)}`);
  }
  return networkOf(id, name, founders);
}
