/**
 * Ed25519 by ZIP 215, which decides every signature in one way, with keys that are canonical, free of torsion and
 * not the identity.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { type Hex, toHex } from "./bytes.js";

/** Answers for keys seen before; the test for torsion costs as much as a signature. */
const wellFormed = new Map<Hex, boolean>();

/** A bundle has at most 65,536 events, so no more keys than that are of use at once. */
const REMEMBERED_KEYS = 65_536;

/** Whether 32 bytes are the canonical encoding of a point of prime order. */
export function isWellFormedKey(key: Uint8Array): boolean {
  const name = toHex(key);
  let answer = wellFormed.get(name);
  if (answer === undefined) {
    answer = decideKey(key);
    if (wellFormed.size >= REMEMBERED_KEYS) wellFormed.clear();
    wellFormed.set(name, answer);
  }
  return answer;
}

function decideKey(key: Uint8Array): boolean {
  if (!ed25519.utils.isValidPublicKey(key, false)) return false;
  const point = ed25519.Point.fromBytes(key, false);
  return !point.is0() && point.isTorsionFree();
}

/** Whether a well-formed key made this signature over this message. */
export function verifySignature(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return isWellFormedKey(key) && signature.length === 64 && ed25519.verify(signature, message, key, { zip215: true });
}
