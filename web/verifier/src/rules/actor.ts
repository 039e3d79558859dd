/** Rules of actor.enrolled and actor.updated, and of all kinds that give or end keys. */
import { fromHex, type Hex } from "../bytes.js";
import { encode } from "../cbor.js";
import { verifySignature } from "../ed25519.js";
import type {
  ActorEnrolled,
  ActorRevoked,
  ActorUpdated,
  KeyAdded,
  KeyReplaced,
  KeyRotated,
  NewKey,
} from "../event/body/actors.js";
import type { Cut } from "../event/body/parts.js";
import { byText, isAscending } from "../shape.js";
import { type Case, type Outcome, enrolmentIn, firstSubject, keyGivenBy, mustCreateOne, mustTouchOne } from "./case.js";
import { type Judged } from "./history.js";
import { rule } from "./rule.js";

/** The role of those who keep a log and anchor it. */
const NODE = 3;

/** Longest list of company prefixes. */
const MAX_PREFIXES = 16;

/** Most cuts of one event, and most later events of one cut. */
const [MAX_CUTS, MAX_LATER] = [16, 64];

export function judgeEnrolled(one: Case, body: ActorEnrolled): Outcome {
  mustCreateOne(one);
  const mayBeGiven = (roles: number[]) =>
    isAscending(roles, (a, b) => a - b) && roles.every((role) => one.authority.mayGive.includes(role));
  rule("roles_given", body.roles.length > 0 && mayBeGiven(body.roles) && mayBeGiven(body.mayGive));
  rule("node_details", body.roles.includes(NODE) === (body.node !== undefined));
  mustListPrefixes(body.prefixes);
  mustAgree(one, body, one.authority.signer);
  return [undefined];
}

export function judgeUpdated(one: Case, body: ActorUpdated): Outcome {
  rule("touches", one.event.touches.length === 1);
  mustTouchSelf(one);
  rule("empty", !body.isEmpty);
  rule("node_details", body.node === undefined || one.authority.roles.includes(NODE));
  mustListPrefixes(body.prefixes);
  return [undefined];
}

export function judgeOwnKey(one: Case, body: KeyAdded | KeyRotated): Outcome {
  mustTouchSelf(one);
  rule("founder_key", one.authority.enrolment !== undefined);
  mustAgree(one, body, one.authority.signer);
  return [undefined];
}

export function judgeReplaced(one: Case, body: KeyReplaced): Outcome {
  const enrolment = mustStandAbove(one);
  mustAgree(one, body, firstSubject(enrolment));
  mustCutKeys(one, body.cuts, firstSubject(enrolment));
  return [undefined];
}

export function judgeRevoked(one: Case, body: ActorRevoked): Outcome {
  const enrolment = mustStandAbove(one);
  mustCutKeys(one, body.cuts, firstSubject(enrolment));
  return [undefined];
}

function mustTouchSelf(one: Case): void {
  rule("own_lane", mustTouchOne(one, "main", "own_lane") === one.authority.signer);
}

function mustListPrefixes(prefixes: string[]): void {
  rule("list_order", prefixes.length <= MAX_PREFIXES && isAscending(prefixes, byText));
}

/**
 * The new key is another than the one that signed, and signed itself what it is given for: an enrolment with the
 * enroller, other events with the actor that gets the key.
 */
function mustAgree({ event, view }: Case, body: NewKey, actor: Hex): void {
  rule("own_key", body.keyHex !== event.key);
  const parts = [fromHex(view.network.id), fromHex(actor), BigInt(event.kind), body.countersigned];
  const signed = encode(["furrow/countersign/1", ...parts]);
  rule("countersignature", verifySignature(body.key, signed, body.countersignature));
}

/** The enrolment of the actor that is touched, above which the signer stands. */
function mustStandAbove(one: Case): Judged {
  const enrolment = enrolmentIn(one.view, one.authority.basis, mustTouchOne(one, "main"));
  rule("unknown_actor", enrolment !== undefined);
  rule("not_above", one.history.isAtOrAbove(one.authority.signer, enrolment));
  return enrolment;
}

function mustCutKeys(one: Case, cuts: Cut[], actor: Hex): void {
  rule("cut", cuts.length >= 1 && cuts.length <= MAX_CUTS);
  rule(
    "cut",
    isAscending(cuts, (a, b) => byText(a.keyEvent, b.keyEvent)),
  );
  for (const cut of cuts) {
    const keyEvent = one.history.get(cut.keyEvent);
    rule("cut", keyEvent !== undefined && keyGivenBy(keyEvent) !== undefined && firstSubject(keyEvent) === actor);
    mustCutWell(cut);
  }
}

/** What a cut says fits together; whether it fits the journal, a bundle does not show. */
export function mustCutWell({ keyEvent, last, count, later }: Cut): void {
  rule("cut", later.length <= MAX_LATER && isAscending(later, byText));
  rule("cut", (count === 0n) === (last === keyEvent));
}
