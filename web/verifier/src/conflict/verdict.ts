/** The verdict on a conflict proof, field by field as docs/conflict.md writes it in JSON. */

/** What a conflict proof shows. */
export interface ConflictVerdict {
  verdict: "valid" | "invalid";
  conflict: "journal_fork" | "lane_conflict" | null;
  network: { id: string; name: string } | null;
  subject: string | null;
  lane: "main" | "title" | null;
  link: string | null;
  actor: string | null;
  events: Accused[];
  failed: { reason: string; event: string | null; detail: string } | null;
}

/** An event that cannot stand beside the others. */
export interface Accused {
  id: string;
  kind: string;
  signer: string;
  key: string;
  time_ms: number;
}
