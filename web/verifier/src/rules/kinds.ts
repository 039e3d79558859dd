/** The rules of each kind. */
import { judgeEnrolled, judgeOwnKey, judgeReplaced, judgeRevoked, judgeUpdated } from "./actor.js";
import {
  judgeCertificate,
  judgeCertificateStatus,
  judgeDevice,
  judgeMeasured,
  judgeRecall,
  judgeRecallFollowed,
} from "./attested.js";
import type { Case, Outcome } from "./case.js";
import { judgeCorrected } from "./correction.js";
import { judgeResolved, judgeStatement } from "./decision.js";
import { judgeAmended, judgeApproved } from "./network.js";
import { judgePlace, judgePlaceUpdated } from "./place.js";
import {
  judgeCodes,
  judgeCollected,
  judgeHandled,
  judgeInspected,
  judgeMoved,
  judgeRegistered,
  judgeRetired,
  judgeTold,
  judgeTransformed,
} from "./produce.js";
import { BrokenRule } from "./rule.js";
import { judgeAccepted, judgeCancelled, judgeDeclined, judgeOffered } from "./transfer.js";
import { judgePacked, judgeUnpacked } from "./unit.js";

/** What an event does, touch by touch; throws `BrokenRule` where it may not. */
export function outcomeOf(one: Case): Outcome {
  const { body } = one.event;
  switch (body.kind) {
    case "network.amended":
      return judgeAmended(one, body);
    case "network.approved":
      return judgeApproved(one, body);
    case "actor.enrolled":
      return judgeEnrolled(one, body);
    case "actor.updated":
      return judgeUpdated(one, body);
    case "actor.key_added":
    case "actor.key_rotated":
      return judgeOwnKey(one, body);
    case "actor.key_replaced":
      return judgeReplaced(one, body);
    case "actor.revoked":
      return judgeRevoked(one, body);
    case "place.registered":
      return judgePlace(one, body);
    case "place.updated":
      return judgePlaceUpdated(one, body);
    case "produce.registered":
      return judgeRegistered(one, body);
    case "produce.collected":
      return judgeCollected(one, body);
    case "produce.moved":
      return judgeMoved(one, body);
    case "produce.handled":
      return judgeHandled(one, body);
    case "produce.quality_updated":
    case "produce.price_updated":
      return judgeTold(one, body);
    case "produce.codes_assigned":
      return judgeCodes(one, body);
    case "produce.transformed":
      return judgeTransformed(one, body);
    case "produce.retired":
      return judgeRetired(one, body);
    case "produce.inspected":
      return judgeInspected(one, body);
    case "transfer.offered":
      return judgeOffered(one, body);
    case "transfer.accepted":
      return judgeAccepted(one, body);
    case "transfer.declined":
      return judgeDeclined(one, body.offer);
    case "transfer.cancelled":
      return judgeCancelled(one, body.offer);
    case "unit.packed":
      return judgePacked(one, body);
    case "unit.unpacked":
      return judgeUnpacked(one, body);
    case "condition.measured":
      return judgeMeasured(one, body);
    case "device.attached":
    case "device.detached":
      return judgeDevice(one, body);
    case "certificate.issued":
      return judgeCertificate(one, body);
    case "certificate.status":
      return judgeCertificateStatus(one);
    case "recall.issued":
      return judgeRecall(one, body);
    case "recall.updated":
    case "recall.ended":
      return judgeRecallFollowed(one, body);
    case "event.corrected":
      return judgeCorrected(one, body);
    case "event.confirmed":
    case "event.disputed":
      return judgeStatement(one, body);
    case "dispute.resolved":
      return judgeResolved(one, body);
    case "other":
      throw new BrokenRule("unsupported");
  }
}
