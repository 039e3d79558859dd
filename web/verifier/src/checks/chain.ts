/** Check 11: the commitments stand on the chain, in blocks whose hashes the auditor brought. */
import type { Anchor, AnchorLine, Bundle, Evidence } from "../bundle.js";
import { bigEndian, concat, equal, toHex, utf8 } from "../bytes.js";
import { keccak } from "../keccak.js";
import { attempt, demand, Malformed } from "../malformed.js";
import type { Policy } from "../policy.js";
import { rlpBytes, rlpInteger, rlpList, rlpOf } from "../rlp.js";
import { provenValue } from "../trie.js";
import { allAnchors, anchorWords, commitmentOf } from "./anchors.js";
import { type LeaveOpen, fail } from "./checklist.js";

/** The event of contracts/src/interfaces/IFurrowAnchor.sol, as topics name it. */
const ANCHORED = keccak(utf8("Anchored(address,bytes32,uint256,uint256,uint64,bytes32,bytes32)"));

/** A block whose header is evidence of an anchor. */
export interface EvidenceBlock {
  anchor: Anchor;
  chain: number;
  /** From the header, as is the timestamp in seconds: not the anchor's own words. */
  number: number;
  timestamp: number;
  hash: string;
}

interface Header {
  stateRoot: Uint8Array;
  receiptsRoot: Uint8Array;
  number: number;
  timestamp: number;
}

/** The blocks of all evidence, in the order of the bundle. */
export function checkChain(bundle: Bundle, policy: Policy, leaveOpen: LeaveOpen): EvidenceBlock[] {
  const trusted = (policy.blockHashes ?? []).map((hash) => hash.toLowerCase());
  const blocks: EvidenceBlock[] = [];
  for (const { line, anchor } of allAnchors(bundle.lines)) {
    const { evidence } = anchor;
    if (evidence === undefined) continue;
    const about = { subject: line.node };
    const header = proof("bad_header", line, () => readHeader(evidence, anchor));
    if (evidence.kind === "storage") checkStorage(evidence, line, anchor, header);
    else proof("bad_receipt_proof", line, () => checkReceipt(evidence, line, anchor, header));
    const hash = `0x${toHex(keccak(evidence.header))}`;
    const { number, timestamp } = header;
    blocks.push({ anchor, chain: line.chain, number, timestamp, hash });
    if (trusted.length > 0 && !trusted.includes(hash)) fail("unknown_block", about, `block ${number}, ${hash}`);
  }
  if (blocks.length === 0) leaveOpen("not_anchored", "The bundle has no evidence from a chain.");
  else if (trusted.length === 0)
    leaveOpen("block_hash_needed", "Bring the hashes of the blocks that the verdict lists.");
  return blocks;
}

/** What `read` gives; where it finds the bytes malformed, the check fails with this reason. */
function proof<T>(reason: string, line: AnchorLine, read: () => T): T {
  const found = attempt(read);
  if (found instanceof Malformed) fail(reason, { subject: line.node }, found.message);
  return found;
}

function readHeader({ kind, header }: Evidence, anchor: Anchor): Header {
  const items = rlpList(header, "the header");
  demand(items.length >= 15, "the header has fewer than 15 items");
  const number = rlpInteger(items[8], "the block's number");
  const timestamp = rlpInteger(items[11], "the block's timestamp");
  const isSame = number === anchor.number && timestamp === anchor.timestamp;
  demand(kind === "storage" ? number >= anchor.number : isSame, "the block is not that of the anchor, nor a later one");
  const stateRoot = rlpBytes(items[3], "the state root", 32);
  return { stateRoot, receiptsRoot: rlpBytes(items[5], "the receipts root", 32), number, timestamp };
}

function checkStorage(
  evidence: Evidence & { kind: "storage" },
  line: AnchorLine,
  anchor: Anchor,
  header: Header,
): void {
  const storageRoot = proof("bad_account_proof", line, () => {
    const account = rlpList(provenValue(header.stateRoot, keccak(line.contract), evidence.account), "the account");
    demand(account.length >= 4, "the account has fewer than four fields");
    return rlpBytes(account[2], "the account's storage root", 32);
  });
  proof("bad_storage_proof", line, () => {
    const slot = keccak(concat(padded(line.sender), new Uint8Array(32)));
    const stored = provenValue(storageRoot, keccak(slot), evidence.slot);
    const commitment = commitmentOf(anchor);
    const significant = commitment.subarray(commitment.findIndex((byte) => byte !== 0));
    demand(equal(stored, rlpOf(significant)), "the slot holds another commitment");
  });
}

function checkReceipt(
  evidence: Evidence & { kind: "receipt" },
  line: AnchorLine,
  anchor: Anchor,
  header: Header,
): void {
  const index = evidence.transaction;
  const key = rlpOf(index === 0 ? new Uint8Array(0) : shortest(index));
  const value = provenValue(header.receiptsRoot, key, evidence.receipt);
  // The type of a transaction (EIP-2718) stands before the list; the head of a list is 0xc0 or above.
  const receipt = rlpList(value[0]! < 0x80 ? value.subarray(1) : value, "the receipt");
  demand(receipt.length >= 4 && rlpInteger(receipt[0], "the status") === 1, "the transaction did not succeed");
  const log = rlpList(receipt[3]!, "the logs")[evidence.log];
  demand(log !== undefined, "the receipt has no log of this index");
  const [address, topicList, data, ...more] = rlpList(log, "the log");
  demand(topicList !== undefined && more.length === 0, "the log has not three items");
  demand(equal(rlpBytes(address, "the log's address"), line.contract), "the log comes from another contract");
  const topics = rlpList(topicList, "the topics").map((topic) => rlpBytes(topic, "a topic"));
  const isAnchored = topics.length === 2 && equal(topics[0]!, ANCHORED) && equal(topics[1]!, padded(line.sender));
  demand(isAnchored, "the log is not Anchored by this sender");
  demand(equal(rlpBytes(data, "the log's data"), anchorWords(anchor)), "the log tells of another anchor");
}

/** An address in a word of 32 bytes. */
function padded(address: Uint8Array): Uint8Array {
  return concat(new Uint8Array(12), address);
}

/** A number above zero, without leading zeros. */
function shortest(value: number): Uint8Array {
  const bytes = bigEndian(value, 8);
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
}
