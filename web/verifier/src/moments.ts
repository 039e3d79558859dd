/** Between which blocks each event was made. */
import type { Anchor, Bundle } from "./bundle.js";
import { type Hex, toHex } from "./bytes.js";
import { allAnchors, commitmentOf } from "./checks/anchors.js";
import type { EvidenceBlock } from "./checks/chain.js";
import type { SignedEvent } from "./event/event.js";
import type { BlockTime } from "./verdict.js";

/** The block after which an event was made, and the one before which; either may be unknown. */
export interface Moment {
  after: BlockTime | undefined;
  before: BlockTime | undefined;
}

/** Blocks of anchors, ready to be asked once the checks `anchors` and `chain` let them stand. */
export class Moments {
  /** Anchors on the lines of the checkpoint's node with their proving blocks, the earliest block first. */
  private readonly own: { size: number; block: BlockTime }[];
  /** What anchors themselves say of their block. */
  private readonly byCommitment: ReadonlyMap<string, BlockTime>;

  constructor(
    private readonly bundle: Bundle,
    node: Hex,
    evidence: EvidenceBlock[],
  ) {
    const shown = new Map(evidence.map((block) => [block.anchor, block]));
    const ownLines = bundle.lines.filter((line) => line.node === node);
    this.own = ownLines.flatMap(({ anchors }) => proven(anchors, shown)).sort((a, b) => byTime(a.block, b.block));
    this.byCommitment = new Map(
      allAnchors(bundle.lines).map(({ line, anchor }) => [
        `${line.chain} ${toHex(commitmentOf(anchor))}`,
        { chain_id: line.chain, number: anchor.number, timestamp_s: anchor.timestamp },
      ]),
    );
  }

  /** The moment of the event that is entry number `at` of the bundle. */
  of(event: SignedEvent, at: number): Moment {
    const { index } = this.bundle.entries[at]!;
    const after = event.after && this.byCommitment.get(`${event.after.chain} ${event.after.commitment}`);
    return { after, before: this.own.find(({ size }) => size > index)?.block };
  }

  /** The earliest block in which the checkpoint's node anchored a log of exactly this size. */
  anchoredAt(logSize: number): BlockTime | undefined {
    return this.own.find(({ size }) => size === logSize)?.block;
  }
}

/**
 * The anchors of a line with their proving blocks. Only a header is taken for a time: who names a contract of its own
 * could have it hash any number and timestamp, but not put it into an earlier block.
 */
function proven(anchors: Anchor[], shown: ReadonlyMap<Anchor, EvidenceBlock>): { size: number; block: BlockTime }[] {
  const found: { size: number; block: BlockTime }[] = [];
  let block: BlockTime | undefined;
  for (const anchor of anchors.toReversed()) {
    const own = shown.get(anchor);
    if (own !== undefined) block = { chain_id: own.chain, number: own.number, timestamp_s: own.timestamp };
    if (block !== undefined) found.push({ size: anchor.size, block });
  }
  return found;
}

/** The lowest timestamp first, then the lowest chain id, then the lowest number. */
function byTime(a: BlockTime, b: BlockTime): number {
  return a.timestamp_s - b.timestamp_s || a.chain_id - b.chain_id || a.number - b.number;
}
