/** Check 10: the anchors of each line follow each other, and those of the checkpoint's node are of its log. */
import type { Anchor, AnchorLine, Bundle } from "../bundle.js";
import { bigEndian, concat, equal, type Hex } from "../bytes.js";
import { keccak } from "../keccak.js";
import { verifyConsistency } from "../merkle.js";
import { anchorsThere } from "../nodes.js";
import type { Checkpoint } from "../note.js";
import type { History } from "../rules/history.js";
import { type LeaveOpen, fail } from "./checklist.js";

export function checkAnchors(
  bundle: Bundle,
  history: History,
  checkpoint: Checkpoint,
  node: Hex,
  leaveOpen: LeaveOpen,
): void {
  for (const line of bundle.lines) {
    const about = { subject: line.node };
    if (!anchorsThere(history, line)) fail("foreign_anchor", about);
    if (!line.anchors.every((anchor, at) => at === 0 || follows(anchor, line.anchors[at - 1]!)))
      fail("anchor_order", about);
    if (!line.anchors.every((anchor, at) => isBound(anchor, line.anchors[at + 1]))) fail("bad_link", about);
    const isOwn = line.node === node;
    if (!line.anchors.every((anchor) => isConsistent(anchor, checkpoint, isOwn))) fail("bad_consistency", about);
    if (isOwn && !line.anchors.every((anchor) => hasSameState(anchor, checkpoint))) fail("other_state_root", about);
  }
  if (!bundle.lines.some((line) => line.node === node))
    leaveOpen("not_anchored", "The bundle has no anchor of this log.");
}

/** The six words that an anchor commits to. */
export function anchorWords({ previous, number, timestamp, size, logRoot, stateRoot }: Anchor): Uint8Array {
  const words = [number, timestamp, size].map((value) => bigEndian(value, 32));
  return concat(previous, ...words, logRoot, stateRoot);
}

/** What the contract stores for an anchor. */
export function commitmentOf(anchor: Anchor): Uint8Array {
  return keccak(anchorWords(anchor));
}

function follows(anchor: Anchor, before: Anchor): boolean {
  return anchor.size >= before.size && anchor.number >= before.number && anchor.timestamp >= before.timestamp;
}

/** Tied to a block by its own evidence, or by the next anchor, which names its commitment. */
function isBound(anchor: Anchor, next: Anchor | undefined): boolean {
  return anchor.evidence !== undefined || (next !== undefined && equal(next.previous, commitmentOf(anchor)));
}

function isConsistent({ size, logRoot, consistency }: Anchor, checkpoint: Checkpoint, isOwn: boolean): boolean {
  if (!isOwn || consistency === undefined) return !isOwn && consistency === undefined;
  return verifyConsistency(size, checkpoint.size, logRoot, checkpoint.logRoot, consistency);
}

function hasSameState({ size, stateRoot }: Anchor, checkpoint: Checkpoint): boolean {
  return size !== checkpoint.size || equal(stateRoot, checkpoint.stateRoot);
}

/** The line of every anchor, with the anchor. */
export function allAnchors(lines: AnchorLine[]): { line: AnchorLine; anchor: Anchor }[] {
  return lines.flatMap((line) => line.anchors.map((anchor) => ({ line, anchor })));
}
