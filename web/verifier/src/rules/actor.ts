/** Rules of actor.enrolled and actor.updated. */
import { fromHex } from "../bytes.js";
import { encode } from "../cbor.js";
import { verifySignature } from "../ed25519.js";
import type { ActorEnrolled, ActorUpdated } from "../event/body.js";
import { byText, isAscending } from "../shape.js";
import { type Case, type Outcome, mustCreateOne } from "./case.js";
import { rule } from "./rule.js";

/** The role of those who keep a log and anchor it. */
const NODE = 3;

/** Longest list of company prefixes. */
const MAX_PREFIXES = 16;

export function judgeEnrolled(one: Case, body: ActorEnrolled): Outcome {
  mustCreateOne(one);
  const mayBeGiven = (roles: number[]) =>
    isAscending(roles, (a, b) => a - b) && roles.every((role) => one.authority.mayGive.includes(role));
  rule("roles_given", body.roles.length > 0 && mayBeGiven(body.roles) && mayBeGiven(body.mayGive));
  rule("node_details", body.roles.includes(NODE) === (body.node !== undefined));
  mustListPrefixes(body.prefixes);
  rule("own_key", body.keyHex !== one.event.key);
  const { network } = one.history;
  const signed = encode([
    "furrow/countersign/1",
    fromHex(network.id),
    fromHex(one.authority.signer),
    10n,
    body.countersigned,
  ]);
  rule("countersignature", verifySignature(body.key, signed, body.countersignature));
  return [undefined];
}

export function judgeUpdated(one: Case, body: ActorUpdated): Outcome {
  const [touch, ...others] = one.event.touches;
  rule("touches", touch !== undefined && others.length === 0);
  rule("own_lane", !touch.creates && touch.subject === one.authority.signer && touch.lane === "main");
  rule("empty", !body.isEmpty);
  rule("node_details", body.node === undefined || one.authority.roles.includes(NODE));
  mustListPrefixes(body.prefixes);
  return [undefined];
}

function mustListPrefixes(prefixes: string[]): void {
  rule("list_order", prefixes.length <= MAX_PREFIXES && isAscending(prefixes, byText));
}
