/** The verdict in plain text, for auditors at a terminal. */
import type { ConflictVerdict } from "./conflict/verdict.js";
import type { BlockTime, CheckResult, Verdict } from "./verdict.js";

const MARKS: Readonly<Record<CheckResult["result"], string>> = {
  passed: "\u2713",
  failed: "\u2717",
  open: "?",
  skipped: "\u00b7",
};

const TITLES: Readonly<Record<Verdict["verdict"], string>> = {
  valid: "VALID: every check passed",
  incomplete: "INCOMPLETE: nothing is wrong, but something that only you can bring is needed",
  invalid: "INVALID: do not rely on this bundle",
};

/** Verdict, checks, findings and events, each on its line. */
export function reportOf(verdict: Verdict): string {
  const parts = [
    [TITLES[verdict.verdict]],
    summary(verdict),
    ["Checks", ...verdict.checks.map(checkLine)],
    listed(
      "Findings",
      verdict.findings.map(({ finding, subject, events }) =>
        [finding, subject ?? "", ...events].filter(Boolean).join("  "),
      ),
    ),
    listed(
      "Events, each made after and before the block times beside it",
      verdict.events.map((event) => {
        const moment = `[${momentOf(event.after)}, ${momentOf(event.before)}]`;
        return `${String(event.index).padStart(6)}  ${event.kind.padEnd(24)}  ${moment}  ${event.id}`;
      }),
    ),
    listed("Blocks to compare with a source that you trust", blocksOf(verdict)),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** What a conflict proof shows, each event on its lines. */
export function conflictReportOf({
  conflict,
  network,
  subject,
  lane,
  link,
  actor,
  events,
  failed,
}: ConflictVerdict): string {
  if (failed !== null) {
    const about = [failed.reason, failed.event && `event ${failed.event}`, failed.detail].filter(Boolean).join(": ");
    return `INVALID: the file does not prove that anything contradicts anything else\n\n${about}\n`;
  }
  const told =
    conflict === "journal_fork"
      ? "one key signed two different events on one link of its journal"
      : actor !== null
        ? "one actor gave away what it had given away before"
        : "these events of several actors cannot all stand";
  const facts = [
    network && `network   ${network.name} (${network.id})`,
    subject && `lot       ${subject}, ${lane} lane`,
    link && `link      ${link}`,
    actor && `by        ${actor}`,
  ];
  const accused = events.flatMap(({ id, kind, signer, key, time_ms }) => [
    `${kind.padEnd(24)}  ${id}`,
    `  signed at ${isoSeconds(Math.floor(time_ms / 1000))} for ${signer} with key ${key}`,
  ]);
  const parts = [[`VALID: ${told}`], facts.filter(Boolean), listed("Events that cannot all stand", accused)];
  return `${parts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function summary({ subject, network, as_of, lot }: Verdict): string[] {
  if (subject === null || network === null || as_of === null) return [];
  const lines = [
    `lot       ${subject}`,
    `network   ${network.name} (${network.id})`,
    `as of     entry ${as_of.size} of the log of node ${as_of.node}`,
    `cosigned  ${as_of.cosigned_by.map(({ node, time_s }) => `${node} at ${isoSeconds(time_s)}`).join(", ") || "by nobody"}`,
  ];
  if (as_of.anchored_in)
    lines.push(
      `anchored  ${momentOf(as_of.anchored_in)}, block ${as_of.anchored_in.number} of chain ${as_of.anchored_in.chain_id}`,
    );
  if (lot) {
    const { value, scale, unit, packages } = lot.balance;
    const counted = packages === null ? "" : ` in ${packages} packages`;
    lines.push(`balance   ${decimal(value, scale)} ${unit}${counted}, held by ${lot.holder}`);
    if (lot.disputed) lines.push("disputed  its last events exclude each other");
    if (lot.closed !== null) lines.push(`closed    ${lot.closed}`);
  }
  return lines;
}

function checkLine({ check, result, reason, event, subject, detail, proves }: CheckResult): string {
  const about = [reason, event && `event ${event}`, subject && `subject ${subject}`, detail].filter(Boolean).join(": ");
  const said = result === "passed" ? proves : result === "skipped" ? "not looked at" : about;
  return `  ${MARKS[result]} ${check.padEnd(13)} ${said}`;
}

function blocksOf({ verdict, blocks }: Verdict): string[] {
  if (verdict !== "incomplete") return [];
  return blocks.map(({ chain_id, number, hash }) => `chain ${chain_id}, block ${number}: ${hash}`);
}

function listed(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function momentOf(block: BlockTime | null): string {
  return block === null ? "unknown" : isoSeconds(block.timestamp_s);
}

/** RFC 3339, to the second; beyond what a date can be, the number itself. */
function isoSeconds(seconds: number): string {
  return seconds <= 253_402_300_799
    ? new Date(seconds * 1000).toISOString().replace(".000Z", "Z")
    : `second ${seconds}`;
}

function decimal(value: string, scale: number): string {
  if (scale === 0) return value;
  const digits = value.padStart(scale + 1, "0");
  return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
