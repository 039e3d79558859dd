/** Checks 6 and 7: the log signed the checkpoint, and enough other nodes cosigned it. */
import { type Hex, idText } from "../bytes.js";
import { Malformed } from "../malformed.js";
import { type Checkpoint, cosignatureLines, cosignedAt, isSignedByLog } from "../note.js";
import { byText } from "../shape.js";
import type { Policy } from "../policy.js";
import type { Network } from "../rules/history.js";
import { fail } from "./checklist.js";
import type { Scope } from "./scope.js";

export function checkCheckpoint(checkpoint: Checkpoint | Malformed, network: Network): Checkpoint {
  if (checkpoint instanceof Malformed) fail("malformed_checkpoint", {}, checkpoint.message);
  if (checkpoint.network !== network.id) fail("other_log", {}, `the checkpoint is of ${checkpoint.origin}`);
  if (!isSignedByLog(checkpoint)) fail("bad_signature");
  return checkpoint;
}

/** A node that cosigned, and when, in seconds since 1970. */
export interface Cosigner {
  node: Hex;
  time: number;
}

/** All nodes that cosigned, ascending, whether the policy names them or not. */
export function checkCosignatures(checkpoint: Checkpoint, network: Network, scope: Scope, policy: Policy): Cosigner[] {
  const earliest = new Map<Hex, number>();
  for (const { logKey, line } of cosignatureLines(checkpoint, network.id, scope.nodes.keys())) {
    const [node, time] = [scope.nodes.get(logKey)!, cosignedAt(checkpoint, logKey, line)];
    if (time === undefined) fail("bad_cosignature", { subject: node });
    if (node !== scope.node) earliest.set(node, Math.min(time, earliest.get(node) ?? time));
  }
  const cosigners = [...earliest].sort(([a], [b]) => byText(a, b)).map(([node, time]) => ({ node, time }));
  const named = policy.cosignerIds;
  const counted = cosigners.filter(({ node }) => named === undefined || named.includes(idText(node)));
  const wanted = policy.cosigners ?? 0;
  if (counted.length < wanted)
    fail("too_few_cosigners", {}, `${counted.length} cosigned of ${wanted} that the policy wants`);
  return cosigners;
}
