/** Rules of what others attest: measurements, devices, certificates, recalls. */
import type {
  CertificateIssued,
  ConditionMeasured,
  DeviceMoved,
  RecallFollowed,
  RecallIssued,
} from "../event/body/attested.js";
import { byBytes } from "../event/event.js";
import type { Commodity, Measure } from "../event/values.js";
import { byText, isAscending } from "../shape.js";
import {
  type Case,
  type Outcome,
  enrolmentIn,
  heldIt,
  line,
  mayKnowPlace,
  mustAttest,
  mustCreateOne,
  mustHaveRole,
  mustKnowActor,
  mustKnowPlace,
  mustKnowSubject,
  mustTouchOne,
} from "./case.js";
import { stepIn } from "./history.js";
import { rule } from "./rule.js";

/** Who certifies, who recalls, and what measures. */
const [CERTIFIER, AUTHORITY, DEVICE] = [10, 11, 12];

/** Longest list of operators, places or commodities; most lots of one recall. */
const [MAX_LIST, MAX_RECALLED] = [16, 32];

export function judgeMeasured(one: Case, body: ConditionMeasured): Outcome {
  mustHaveRole(one, DEVICE);
  mustAttest(one);
  rule("period", body.from <= body.until);
  const { lowest, highest, mean = lowest } = body;
  const isBetween = isAtMost(lowest, mean) && isAtMost(mean, highest);
  rule("measures", isBetween && body.readings > 0n);
  mayKnowPlace(one, body.place);
  return [undefined];
}

/** Whether both have one unit and the first is not above the second. */
function isAtMost(a: Measure, b: Measure): boolean {
  return a.unit === b.unit && a.value * 10n ** BigInt(b.scale) <= b.value * 10n ** BigInt(a.scale);
}

export function judgeDevice(one: Case, { subject, from, until }: DeviceMoved): Outcome {
  const { view, history, authority } = one;
  const device = mustTouchOne(one, "main");
  const enrolment = enrolmentIn(view, authority.basis, device);
  rule("unknown_actor", enrolment !== undefined);
  rule("role", enrolment.event.body.roles.includes(DEVICE));
  rule("not_above", authority.signer === device || history.isAtOrAbove(authority.signer, enrolment));
  // Whether the subject counts does not matter: who follows a device need not know all to which it was attached.
  mustKnowSubject({ ...one, view: history }, subject);
  rule("period", until === undefined || from <= until);
  return [undefined];
}

export function judgeCertificate(one: Case, body: CertificateIssued): Outcome {
  const { operators, places, commodities, cap } = body;
  mustCreateOne(one);
  mustHaveRole(one, CERTIFIER);
  rule("list_order", operators.length >= 1 && operators.length <= MAX_LIST && isAscending(operators, byText));
  rule("list_order", places.length <= MAX_LIST && isAscending(places, byText));
  rule("list_order", commodities.length <= MAX_LIST && isAscending(commodities, byCommodity));
  rule("zero_quantity", cap === undefined || cap.value > 0n);
  operators.forEach((operator) => mustKnowActor(one, operator));
  places.forEach((place) => mustKnowPlace(one, place));
  return [undefined];
}

function byCommodity(a: Commodity, b: Commodity): number {
  return byBytes(a[0], b[0]) || byBytes(a[1], b[1]);
}

export function judgeCertificateStatus(one: Case): Outcome {
  const certificate = mustKnowSubject(one, mustTouchOne(one, "main"));
  rule("unknown_subject", certificate.event.body.kind === "certificate.issued");
  rule("not_above", one.history.isAtOrAbove(one.authority.signer, certificate));
  return [undefined];
}

export function judgeRecall(one: Case, _body: RecallIssued): Outcome {
  const { event, authority } = one;
  const { touches } = event;
  const isAttested = touches.every(({ creates, lane }) => !creates && lane === authority.signer);
  rule("touches", touches.length <= MAX_RECALLED && isAttested);
  const isAuthority = authority.roles.includes(AUTHORITY);
  const known = touches.map(({ subject }, index) => line(one, [index], () => void mustKnowSubject(one, subject)));
  return touches.map(({ subject }, index) => {
    if (known[index] === "fallen") return "fallen";
    return line(one, [], () => rule("not_party", isAuthority || heldIt(one, subject, authority.signer)) as undefined);
  });
}

export function judgeRecallFollowed(one: Case, body: RecallFollowed): Outcome {
  const { event, view, history, authority } = one;
  const recall = history.get(body.recall);
  rule("recall", recall?.event.body.kind === "recall.issued");
  const { touches } = event;
  const isSame = recall.event.touches.every(({ subject }, index) => touches[index]?.subject === subject);
  rule("touches", isSame && touches.length === recall.event.touches.length);
  rule(
    "touches",
    touches.every(({ creates, lane }) => !creates && lane === authority.signer),
  );
  rule("not_above", history.isAtOrAbove(authority.signer, recall));
  rule("empty", !body.isEmpty);
  return touches.map(({ subject }, index) =>
    line(one, [index], () => rule("recall", stepIn(view, recall, subject, recall.signer) !== undefined) as undefined),
  );
}
