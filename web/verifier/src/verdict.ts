/** The verdict, field by field as docs/verification.md writes it in JSON. */

/** All checks, in the order in which they run. */
export const CHECKS = [
  "format",
  "network",
  "signatures",
  "rules",
  "scope",
  "checkpoint",
  "cosignatures",
  "log",
  "whole",
  "anchors",
  "chain",
  "openings",
] as const;

/** The name of a check. */
export type CheckName = (typeof CHECKS)[number];

/** What became of one check. */
export interface CheckResult {
  check: CheckName;
  result: "passed" | "failed" | "open" | "skipped";
  /** What it shows, where it is passed. */
  proves: string;
  /** Whose word or which mathematics that rests on. */
  rests_on: string;
  reason: string | null;
  event: string | null;
  subject: string | null;
  detail: string | null;
}

/** A block of a chain, and its time in seconds since 1970. */
export interface BlockTime {
  chain_id: number;
  number: number;
  timestamp_s: number;
}

/** A fact that a reader should know. */
export interface Finding {
  finding: string;
  subject: string | null;
  events: string[];
}

/** What is shown of an event. */
export interface EventLine {
  id: string;
  index: number;
  kind: string;
  signer: string;
  time_ms: number;
  after: BlockTime | null;
  before: BlockTime | null;
}

/** What a bundle shows. */
export interface Verdict {
  verdict: "valid" | "incomplete" | "invalid";
  subject: string | null;
  network: { id: string; name: string } | null;
  as_of: {
    log: string;
    node: string;
    size: number;
    log_root: string;
    state_root: string;
    cosigned_by: { node: string; time_s: number }[];
    anchored_in: BlockTime | null;
  } | null;
  checks: CheckResult[];
  findings: Finding[];
  events: EventLine[];
  lot: {
    holder: string;
    balance: { value: string; scale: number; unit: string; packages: number | null };
    disputed: boolean;
    closed: string | null;
  } | null;
  blocks: { chain_id: number; number: number; hash: string }[];
}
