/** Exact decimals in a unit, optionally with packages, and the arithmetic that custody needs. */
import { type Read, number, tuple, uint64 } from "../shape.js";
import { unit } from "./values.js";

/** `value` × 10^−`scale` of `unit`. */
export interface Quantity {
  value: bigint;
  scale: number;
  unit: string;
  packages: number | undefined;
}

const MAX_VALUE = 2n ** 64n - 1n;
const MAX_PACKAGES = 2 ** 32 - 1;

/** Reads `[value, scale, unit, ? packages]`. */
export const quantity: Read<Quantity> = (value, what) => {
  const [digits, scale, code, packages] = tuple(value, what, 3, 4);
  return {
    value: uint64(digits!, what),
    scale: number(0, 9)(scale!, `the scale of ${what}`),
    unit: unit(code!, `the unit of ${what}`),
    packages: packages === undefined ? undefined : number(0, MAX_PACKAGES)(packages, `the packages of ${what}`),
  };
};

/** Nothing, in the same unit and scale; counted packages become none. */
export function zero(q: Quantity): Quantity {
  return { ...q, value: 0n, packages: q.packages === undefined ? undefined : 0 };
}

/** Negative, zero or positive by net quantity alone; nothing where the units differ. */
export function compareQuantities(a: Quantity, b: Quantity): number | undefined {
  if (a.unit !== b.unit) return undefined;
  const scale = Math.max(a.scale, b.scale);
  const [left, right] = [lifted(a, scale), lifted(b, scale)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum; nothing where units differ or the numbers go out of range. Packages are known only where both are. */
export function plus(a: Quantity, b: Quantity): Quantity | undefined {
  return combined(a, b, 1);
}

/** The difference; nothing where units differ, or `b` is more in net quantity or in known packages. */
export function minus(a: Quantity, b: Quantity): Quantity | undefined {
  return combined(a, b, -1);
}

function combined(a: Quantity, b: Quantity, sign: 1 | -1): Quantity | undefined {
  if (a.unit !== b.unit) return undefined;
  let packages: number | undefined;
  if (a.packages !== undefined && b.packages !== undefined) {
    packages = a.packages + sign * b.packages;
    if (packages < 0 || packages > MAX_PACKAGES) return undefined;
  }
  let scale = Math.max(a.scale, b.scale);
  let value = lifted(a, scale) + BigInt(sign) * lifted(b, scale);
  // Trailing zeros go only as far as is needed for the value to fit.
  while (value > MAX_VALUE && scale > 0 && value % 10n === 0n) {
    value /= 10n;
    scale -= 1;
  }
  return value < 0n || value > MAX_VALUE ? undefined : { value, scale, unit: a.unit, packages };
}

function lifted(q: Quantity, scale: number): bigint {
  return q.value * 10n ** BigInt(scale - q.scale);
}
