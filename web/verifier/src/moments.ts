/** Between which blocks each event was made. */
import type { Bundle } from "./bundle.js";
import { type Hex, toHex } from "./bytes.js";
import { allAnchors, commitmentOf } from "./checks/anchors.js";
import type { SignedEvent } from "./event/event.js";
import type { BlockTime } from "./verdict.js";

/** The block after which an event was made, and the one before which; either may be unknown. */
export interface Moment {
  after: BlockTime | undefined;
  before: BlockTime | undefined;
}

/** Blocks of anchors, ready to be asked. */
export class Moments {
  private readonly own: { size: number; block: BlockTime }[];
  private readonly byCommitment: ReadonlyMap<string, BlockTime>;

  constructor(
    private readonly bundle: Bundle,
    node: Hex,
  ) {
    const anchors = allAnchors(bundle.lines).map(({ line, anchor }) => ({
      node: line.node,
      size: anchor.size,
      commitment: `${line.chain} ${toHex(commitmentOf(anchor))}`,
      block: { chain_id: line.chain, number: anchor.number, timestamp_s: anchor.timestamp },
    }));
    this.own = anchors.filter((anchor) => anchor.node === node).sort((a, b) => byTime(a.block, b.block));
    this.byCommitment = new Map(anchors.map(({ commitment, block }) => [commitment, block]));
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

/** The earliest first; of two chains at the same second, the one with the lower id. */
function byTime(a: BlockTime, b: BlockTime): number {
  return a.timestamp_s - b.timestamp_s || a.chain_id - b.chain_id || a.number - b.number;
}
