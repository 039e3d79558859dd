/** Random values from a seed, so that a failing test fails again. */
import { concat, bigEndian, sha256, toBigInt, utf8 } from "../../src/bytes.js";

export class Random {
  private counter = 0;

  constructor(private readonly seed: string) {}

  /** So many bytes. */
  bytes(length: number): Uint8Array {
    let out = new Uint8Array(0);
    while (out.length < length)
      out = Uint8Array.from(concat(out, sha256(utf8(this.seed), bigEndian(this.counter++, 8))));
    return out.slice(0, length);
  }

  /** 64 bits as an unsigned integer. */
  bits64(): bigint {
    return toBigInt(this.bytes(8));
  }

  /** A number from 0 up to, but not including, `limit`. */
  below(limit: number): number {
    return Number(this.bits64() % BigInt(limit));
  }
}
