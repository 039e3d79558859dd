/** Runs the checks in their order, and writes down what became of each. */
import { type Hex, idText } from "../bytes.js";
import { CHECKS, type CheckName, type CheckResult } from "../verdict.js";
import { CLAIMS } from "./claims.js";

/** A check failed; nothing after it is looked at. */
export class CheckFailed extends Error {
  override readonly name = "CheckFailed";

  constructor(
    readonly reason: string,
    readonly about: { event?: Hex; subject?: Hex } = {},
    readonly why: string | undefined = undefined,
  ) {
    super(why ?? reason);
  }
}

/** Fails the running check. */
export function fail(reason: string, about: { event?: Hex; subject?: Hex } = {}, why?: string): never {
  throw new CheckFailed(reason, about, why);
}

/** Says that a check needs something that the auditor did not bring. */
export type LeaveOpen = (reason: string, why: string) => void;

/** What became of the checks so far. */
export class Checklist {
  private readonly done = new Map<CheckName, CheckResult>();

  /** Runs a check; a `CheckFailed` is written down and goes on to the caller. */
  run<T>(check: CheckName, body: (leaveOpen: LeaveOpen) => T): T {
    const result: CheckResult = { ...blank(check), result: "passed" };
    this.done.set(check, result);
    try {
      return body((reason, why) => Object.assign(result, { result: "open", reason, detail: why }));
    } catch (error) {
      if (error instanceof CheckFailed) {
        const { reason, about, why } = error;
        const [event, subject] = [about.event, about.subject].map((id) => (id === undefined ? null : idText(id)));
        Object.assign(result, { result: "failed", reason, event, subject, detail: why ?? null });
      }
      throw error;
    }
  }

  /** All checks in their order; those that did not run are skipped. */
  results(): CheckResult[] {
    return CHECKS.map((check) => this.done.get(check) ?? blank(check));
  }
}

function blank(check: CheckName): CheckResult {
  return { check, result: "skipped", ...CLAIMS[check], reason: null, event: null, subject: null, detail: null };
}
