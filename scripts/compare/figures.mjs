// Figures as every rival reports them: JSON objects {name, value, unit, what, version}.
import { loadavg } from "node:os";
import { readFileSync } from "node:fs";

/** A list of figures of one program in one version. */
export class Figures {
  list = [];
  #prefix;
  #version;

  constructor(prefix, version) {
    this.#prefix = prefix;
    this.#version = version;
  }

  /** What else the machine did: times taken beside a busy neighbour are not the program's fault. Gas does not care. */
  addLoad() {
    this.add("load_before", loadavg()[0], "tasks", "load average of the last minute before the first run");
  }

  /** Adds one figure; three digits that count are more than a shared machine can repeat. */
  add(name, value, unit, what) {
    const rounded = Number.isInteger(value) ? value : Number(value.toPrecision(3));
    this.list.push({ name: `${this.#prefix}_${name}`, value: rounded, unit, what, version: this.#version });
  }

  print() {
    process.stdout.write(`${JSON.stringify(this.list, null, 2)}\n`);
  }
}

/** The value below which a share of `values` lies (nearest rank). */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

export function median(values) {
  return quantile(values, 0.5);
}

/** CPU time of a process and all its threads since it began, in seconds; NaN where there is no /proc. */
export function cpuSeconds(pid) {
  try {
    // The name of the program stands in parentheses and may hold blanks; fields are counted after it (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
    // Kernels count it in hundredths of a second on every architecture in use.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}

/** The version that package-lock.json installed. */
export function installedVersion(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
}

/** Ends a child also where this process is interrupted: nothing that was measured goes on running. */
export function endWithThisProcess(child) {
  const end = () => child.kill();
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  return child;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
