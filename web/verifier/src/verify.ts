/** Verifies a bundle: twelve checks, then what they show. Pure: no clock, no network, no state. */
import type { Bundle } from "./bundle.js";
import { type Hex, idText, toHex } from "./bytes.js";
import { checkAnchors } from "./checks/anchors.js";
import { type EvidenceBlock, checkChain } from "./checks/chain.js";
import { CheckFailed, Checklist } from "./checks/checklist.js";
import { type Cosigner, checkCheckpoint, checkCosignatures } from "./checks/checkpoint.js";
import { checkFormat } from "./checks/format.js";
import { checkLog, checkWhole } from "./checks/log.js";
import { checkNetwork } from "./checks/network.js";
import { checkOpenings } from "./checks/openings.js";
import { checkRules } from "./checks/rules.js";
import { type Scope, checkScope } from "./checks/scope.js";
import { checkSignatures } from "./checks/signatures.js";
import type { Counting } from "./counting/counting.js";
import { holderOf } from "./counting/lots.js";
import type { SignedEvent } from "./event/event.js";
import { KIND_NAMES } from "./event/kinds.js";
import { findings } from "./findings.js";
import { attempt } from "./malformed.js";
import { Moments } from "./moments.js";
import { type Checkpoint, readCheckpoint } from "./note.js";
import type { Policy } from "./policy.js";
import type { Verdict } from "./verdict.js";

/** Everything that the checks found, once all of them have passed or are open. */
interface Facts {
  bundle: Bundle;
  events: SignedEvent[];
  counting: Counting;
  scope: Scope;
  checkpoint: Checkpoint;
  cosigners: Cosigner[];
  blocks: EvidenceBlock[];
  malformedOpenings: Hex[];
}

/** The verdict on a bundle's bytes under a policy. Whatever the bytes are, it gives one and throws nothing. */
export function verify(bytes: Uint8Array, policy: Policy = {}): Verdict {
  const list = new Checklist();
  try {
    return verdictOf(runChecks(bytes, policy, list), list);
  } catch (error) {
    // Only what a check found wrong with the bytes; an error of this program is not disguised as a verdict.
    if (error instanceof CheckFailed) return invalid(list);
    throw error;
  }
}

function runChecks(bytes: Uint8Array, policy: Policy, list: Checklist): Facts {
  const bundle = list.run("format", () => checkFormat(bytes));
  const network = list.run("network", () => checkNetwork(bundle.network, policy));
  const events = list.run("signatures", () => checkSignatures(bundle.entries, network));
  const counting = list.run("rules", () => checkRules(bundle, events, network));
  const { history } = counting;
  const note = attempt(() => readCheckpoint(bundle.checkpoint));
  const scope = list.run("scope", () => checkScope(bundle, counting, note));
  const checkpoint = list.run("checkpoint", () => checkCheckpoint(note, network));
  const cosigners = list.run("cosignatures", () => checkCosignatures(checkpoint, network, scope, policy));
  list.run("log", () => checkLog(bundle, events, checkpoint));
  list.run("whole", () => checkWhole(bundle, counting, checkpoint));
  list.run("anchors", (leaveOpen) => checkAnchors(bundle, history, checkpoint, scope.node, leaveOpen));
  const blocks = list.run("chain", (leaveOpen) => checkChain(bundle, policy, leaveOpen));
  const malformedOpenings = list.run("openings", () => checkOpenings(bundle.openings, history));
  return { bundle, events, counting, scope, checkpoint, cosigners, blocks, malformedOpenings };
}

function invalid(list: Checklist): Verdict {
  return {
    verdict: "invalid",
    subject: null,
    network: null,
    as_of: null,
    checks: list.results(),
    findings: [],
    events: [],
    lot: null,
    blocks: [],
  };
}

function verdictOf(facts: Facts, list: Checklist): Verdict {
  const { bundle, events, counting, scope, blocks } = facts;
  const { history } = counting;
  const checks = list.results();
  const moments = new Moments(bundle, scope.node, blocks);
  const perEvent = events.map((event, at) => moments.of(event, at));
  return {
    verdict: checks.some(({ result }) => result === "open") ? "incomplete" : "valid",
    subject: idText(bundle.lot),
    network: { id: idText(history.network.id), name: history.network.name },
    as_of: asOf(facts, moments),
    checks,
    findings: findings(bundle, counting, scope, perEvent, facts.malformedOpenings),
    events: events.map((event, at) => ({
      id: idText(event.id),
      index: bundle.entries[at]!.index,
      kind: KIND_NAMES.get(event.kind)!,
      signer: idText(history.get(event.id)!.signer),
      time_ms: event.time,
      after: perEvent[at]!.after ?? null,
      before: perEvent[at]!.before ?? null,
    })),
    lot: lotOf(facts),
    blocks: blocks.map(({ chain, number, hash }) => ({ chain_id: chain, number, hash })),
  };
}

function asOf({ checkpoint, scope, cosigners }: Facts, moments: Moments): Verdict["as_of"] {
  return {
    log: checkpoint.origin,
    node: idText(scope.node),
    size: checkpoint.size,
    log_root: toHex(checkpoint.logRoot),
    state_root: toHex(checkpoint.stateRoot),
    cosigned_by: cosigners.map(({ node, time }) => ({ node: idText(node), time_s: time })),
    anchored_in: moments.anchoredAt(checkpoint.size) ?? null,
  };
}

function lotOf({ bundle, counting }: Facts): Verdict["lot"] {
  const counted = counting.lot(bundle.lot);
  if (counted === undefined) return null;
  const { balance, closed } = counted.state;
  const { value, scale, unit, packages } = balance;
  return {
    holder: idText(holderOf(counting, counted.state)),
    balance: { value: value.toString(), scale, unit, packages: packages ?? null },
    disputed: counted.disputed,
    closed: closed ?? null,
  };
}
