/** Keccak-256 of Ethereum, over bytes. */
import { keccak256 } from "ethers/crypto";
import { fromHex } from "./bytes.js";

/** The 32 bytes of the hash. */
export function keccak(bytes: Uint8Array): Uint8Array {
  return fromHex(keccak256(bytes).slice(2));
}
