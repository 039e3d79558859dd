/** What an event says, by kind (docs/event.cddl). Fields that no rule reads are checked for form and let go. */
import type { Hex } from "../bytes.js";
import type { Cbor } from "../cbor.js";
import * as actors from "./body/actors.js";
import * as attested from "./body/attested.js";
import * as network from "./body/network.js";
import * as places from "./body/places.js";
import * as produce from "./body/produce.js";
import * as statements from "./body/statements.js";
import * as transfers from "./body/transfers.js";
import * as units from "./body/units.js";
import * as v from "./values.js";

/** A kind for which there are no rules. */
export interface OtherBody {
  kind: "other";
}

/** Number of a kind → how its bodies are read. */
const READERS = {
  1: network.readAmended,
  2: network.readApproved,
  10: actors.readEnrolled,
  11: actors.readUpdated,
  12: actors.readKeyAdded,
  13: actors.readKeyRotated,
  14: actors.readKeyReplaced,
  15: actors.readRevoked,
  20: places.readPlace,
  21: places.readPlaceUpdated,
  30: produce.readRegistered,
  31: produce.readCollected,
  32: produce.readMoved,
  33: produce.readHandled,
  34: produce.readQuality,
  35: produce.readPrice,
  36: produce.readCodes,
  37: produce.readTransformed,
  38: produce.readRetired,
  39: produce.readInspected,
  50: transfers.readOffered,
  51: transfers.readAccepted,
  52: transfers.readDeclined,
  53: transfers.readCancelled,
  60: units.readPacked,
  61: units.readUnpacked,
  70: attested.readMeasured,
  71: attested.readAttached,
  72: attested.readDetached,
  80: attested.readCertificate,
  81: attested.readCertificateStatus,
  90: attested.readRecall,
  91: attested.readRecallUpdated,
  92: attested.readRecallEnded,
  100: statements.readCorrected,
  101: statements.readConfirmed,
  102: statements.readDisputed,
  110: statements.readResolved,
} as const;

/** A body that was understood. */
export type Body = ReturnType<(typeof READERS)[keyof typeof READERS]> | OtherBody;

/** Reads the body of an event of this kind. */
export function readBody(kind: number, value: Cbor): Body {
  if (kind in READERS) return READERS[kind as keyof typeof READERS](value);
  v.free(value, "the body");
  return { kind: "other" };
}

/** The events that a body names and its rules look at. The ends of journals are none of them: nothing rests on those. */
export function namedIn(body: Body): Hex[] {
  switch (body.kind) {
    case "network.amended": {
      const { decision, leaves } = body.change;
      const decided = [...(decision?.branches ?? []), ...(decision?.standing ?? [])];
      return [...body.follows, ...decided, ...(leaves === undefined ? [] : [leaves.cut.keyEvent])];
    }
    case "network.approved":
      return [body.amendment];
    case "actor.key_replaced":
    case "actor.revoked":
      return body.cuts.map(({ keyEvent }) => keyEvent);
    case "transfer.offered":
      return body.returns === undefined ? [] : [body.returns];
    case "transfer.accepted":
    case "transfer.declined":
    case "transfer.cancelled":
      return [body.offer];
    case "recall.updated":
    case "recall.ended":
      return [body.recall];
    case "event.corrected":
    case "event.confirmed":
    case "event.disputed":
      return [body.target];
    case "dispute.resolved":
      return [...body.branches, ...body.standing, ...(body.replaces === undefined ? [] : [body.replaces])];
    default:
      return [];
  }
}
