/**
 * The one exception of this package: bytes from outside that are not what they should be. Whoever reads bytes
 * throws it, the check that asked for them catches it, and every other exception is an error in the program.
 */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** Refuses the input unless `condition` holds. */
export function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Malformed(message);
}

/** What `read` gives, or the `Malformed` that it threw. */
export function attempt<T>(read: () => T): T | Malformed {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return error;
    throw error;
  }
}
