/** Verifies a conflict proof (docs/conflict.md). Pure: no clock, no network, no state. */
import { NewerVersion } from "../bundle.js";
import { type Hex, idText } from "../bytes.js";
import { CheckFailed, fail } from "../checks/checklist.js";
import { checkNetwork } from "../checks/network.js";
import { replay } from "../checks/rules.js";
import { checkSignatures } from "../checks/signatures.js";
import { type SignedEvent, ancestorsOf } from "../event/event.js";
import { KIND_NAMES } from "../event/kinds.js";
import { Malformed, attempt } from "../malformed.js";
import type { History, Judged, Network } from "../rules/history.js";
import { checkExclusion } from "./exclusion.js";
import { type ConflictProof, type JournalFork, type LaneConflict, readConflictProof } from "./proof.js";
import type { Accused, ConflictVerdict } from "./verdict.js";

type Shown = Omit<ConflictVerdict, "verdict" | "network" | "failed">;

/** The verdict on the bytes; `expected` is the network id that is meant, any if not given. It throws nothing. */
export function verifyConflict(
  bytes: Uint8Array,
  { network: expected }: { network?: string | undefined } = {},
): ConflictVerdict {
  try {
    const proof = checkFormat(bytes);
    const network = checkNetwork(proof.network, { network: expected });
    const shown =
      proof.claim.conflict === "journal_fork"
        ? ofFork(proof, proof.claim, network)
        : ofLane(proof, proof.claim, network);
    return { verdict: "valid", network: { id: idText(network.id), name: network.name }, ...shown, failed: null };
  } catch (error) {
    // Only what a check found wrong with the bytes; an error of this program is not disguised as a verdict.
    if (error instanceof CheckFailed) return invalid(error);
    throw error;
  }
}

function invalid({ reason, about, message }: CheckFailed): ConflictVerdict {
  const event = about.event === undefined ? null : idText(about.event);
  return {
    verdict: "invalid",
    conflict: null,
    network: null,
    subject: null,
    lane: null,
    link: null,
    actor: null,
    events: [],
    failed: { reason, event, detail: message },
  };
}

function checkFormat(bytes: Uint8Array): ConflictProof {
  const proof = attempt(() => readConflictProof(bytes));
  if (proof instanceof NewerVersion) fail("newer_version", {}, proof.message);
  if (proof instanceof Malformed) fail("not_a_conflict_proof", {}, proof.message);
  return proof;
}

function ofFork({ events }: ConflictProof, { keyEvent, rivals }: JournalFork, network: Network): Shown {
  const ancestors = checkSignatures(events.map(asEntry), network);
  const [first, second] = checkSignatures(rivals.map(asEntry), network) as [SignedEvent, SignedEvent];
  const history = inOrder(ancestors, network);
  if (second.key !== first.key) fail("other_key", { event: second.id }, "two keys signed, so no journal forked");
  if (second.journal !== first.journal) fail("other_link", { event: second.id }, "the two stand on different links");
  const actor = keyEvent === network.id ? network.founders.get(first.key) : givenTo(history, keyEvent, first.key);
  if (actor === undefined) fail("key_of_nobody", { event: keyEvent }, "it does not give the key to anybody");
  checkNothingBesides(ancestors, [keyEvent]);
  return {
    conflict: "journal_fork",
    subject: null,
    lane: null,
    link: idText(first.journal),
    actor: idText(actor),
    events: [first, second].map((event) => accused(event, actor)),
  };
}

/** The actor to whom an event gives a key; nothing where it does not. */
function givenTo(history: History, keyEvent: Hex, key: Hex): Hex | undefined {
  const event = history.get(keyEvent)?.event;
  if (event === undefined) fail("unknown_event", { event: keyEvent }, "the key event is not in the file");
  switch (event.body.kind) {
    case "actor.enrolled":
    case "actor.key_added":
    case "actor.key_rotated":
    case "actor.key_replaced":
      return event.body.keyHex === key ? event.touches[0]!.subject : undefined;
    default:
      return undefined;
  }
}

function ofLane({ events }: ConflictProof, claim: LaneConflict, network: Network): Shown {
  const { subject, lane, tips } = claim;
  const all = checkSignatures([...events, ...claim.journals].map(asEntry), network);
  const [ancestors, journals] = [all.slice(0, events.length), all.slice(events.length)];
  const history = inOrder(ancestors, network);
  const passed = checkExclusion(history, claim, new Map(journals.map((event) => [event.id, event])));
  checkNothingBesides(ancestors, tips);
  const extra = journals.find(({ id }) => !passed.has(id));
  if (extra !== undefined) fail("extra_event", { event: extra.id }, "it shows of no journal where it parts");
  const inConflict = tips.map((id) => history.get(id)!);
  return {
    conflict: "lane_conflict",
    subject: idText(subject),
    lane,
    link: null,
    actor: oneActor(inConflict),
    events: inConflict.map(({ event, signer }) => accused(event, signer)),
  };
}

function oneActor([first, ...others]: Judged[]): string | null {
  return others.every(({ acting }) => acting === first!.acting) ? idText(first!.acting) : null;
}

/** Replays the events, which must stand in the order of depth and id. */
function inOrder(events: SignedEvent[], network: Network): History {
  const history = replay(events, network);
  const depths = new Map<Hex, number>();
  let last: { depth: number; id: Hex } | undefined;
  for (const event of events) {
    const depth = ancestorsOf(event).reduce((most, id) => Math.max(most, (depths.get(id) ?? -1) + 1), 0);
    depths.set(event.id, depth);
    const comesAfter = last === undefined || depth > last.depth || (depth === last.depth && event.id > last.id);
    if (!comesAfter) fail("event_order", { event: event.id }, "it is not in its place by depth and id");
    last = { depth, id: event.id };
  }
  return history;
}

/** Demands that each event is wanted, or another rests on it. */
function checkNothingBesides(events: SignedEvent[], wanted: Hex[]): void {
  const belonging = new Set([...wanted, ...events.flatMap(ancestorsOf)]);
  const extra = events.find(({ id }) => !belonging.has(id));
  if (extra !== undefined) fail("extra_event", { event: extra.id }, "it does not belong to the conflict");
}

function accused({ id, kind, key, time }: SignedEvent, signer: Hex): Accused {
  return {
    id: idText(id),
    kind: KIND_NAMES.get(kind) ?? "unknown",
    signer: idText(signer),
    key: idText(key),
    time_ms: time,
  };
}

function asEntry(event: Uint8Array): { event: Uint8Array } {
  return { event };
}
