/** The event that is being judged, and by which right it was signed. */
import type { Hex } from "../bytes.js";
import type { ActorEnrolled } from "../event/body.js";
import type { SignedEvent } from "../event/event.js";
import type { History, Judged } from "./history.js";
import type { Effect, Lot } from "./lot.js";
import { rule } from "./rule.js";

/** What the rules of a kind make of each touch: nothing but for main lanes of lots. */
export type Outcome = ({ effect: Effect; after: Lot } | undefined)[];

/** All that the rules of one kind may look at. */
export interface Case {
  history: History;
  event: SignedEvent;
  authority: Authority;
  /** The actor that acts: the signer, or the one on whose behalf it records. */
  acting: Hex;
  /** For each touch, the lot before the event; nothing where it is new or no lot. */
  before: (Lot | undefined)[];
}

const ALL_ROLES = Array.from({ length: 12 }, (_, index) => index + 1);

/** What the basis of an event says of its signer and of others. */
export interface Authority {
  signer: Hex;
  keyEvent: Judged | undefined;
  roles: readonly number[];
  mayGive: readonly number[];
  /** Judged events of the basis; the network id is none. */
  basis: Judged[];
  namesNetwork: boolean;
}

/** The signer and its rights. */
export function authorityOf(history: History, event: SignedEvent): Authority {
  const basis = event.basis.map((id) => history.get(id)).filter((judged) => judged !== undefined);
  const namesNetwork = event.basis.includes(history.network.id);
  const founder = history.network.founders.get(event.key);
  if (namesNetwork && founder !== undefined) {
    return { signer: founder, keyEvent: undefined, roles: ALL_ROLES, mayGive: ALL_ROLES, basis, namesNetwork };
  }
  const given = basis.filter((judged) => enrolmentIn(judged)?.keyHex === event.key);
  rule("unknown_signer", given.length === 1);
  const keyEvent = given[0]!;
  const { roles, mayGive } = enrolmentIn(keyEvent)!.body;
  return { signer: keyEvent.event.touches[0]!.subject, keyEvent, roles, mayGive, basis, namesNetwork };
}

/** The enrolment that a judged event is, if it is one. */
function enrolmentIn(judged: Judged): { body: ActorEnrolled; actor: Hex; keyHex: Hex } | undefined {
  const { body, touches } = judged.event;
  if (body.kind !== "actor.enrolled") return undefined;
  return { body, actor: touches[0]!.subject, keyHex: body.keyHex };
}

/** The actor for whom the event is told. */
export function actingFor(authority: Authority, event: SignedEvent): Hex {
  const member = event.onBehalfOf;
  if (member === undefined) return authority.signer;
  const recordable = [
    "place.registered",
    "produce.registered",
    "produce.moved",
    "produce.quality_updated",
    "produce.price_updated",
  ].includes(event.body.kind);
  const enrolledBySigner = authority.basis.some(
    (judged) => enrolmentIn(judged)?.actor === member && judged.signer === authority.signer,
  );
  rule("on_behalf_of", recordable && enrolledBySigner);
  return member;
}

/** The roles of the signer, or of the member for whom it records. */
export function rolesOf(authority: Authority, acting: Hex): readonly number[] {
  if (acting === authority.signer) return authority.roles;
  const enrolments = authority.basis.map(enrolmentIn);
  return enrolments.find((enrolment) => enrolment?.actor === acting)?.body.roles ?? [];
}

/** Demands that the basis holds the enrolment of `actor`, or names the network for a founder. */
export function mustKnowActor({ history, authority }: Pick<Case, "history" | "authority">, actor: Hex): void {
  const founders = authority.namesNetwork ? [...history.network.founders.values()] : [];
  const enrolled = authority.basis.some((judged) => enrolmentIn(judged)?.actor === actor);
  rule("unknown_actor", actor === authority.signer || founders.includes(actor) || enrolled);
}

/** Demands that the basis holds the registration of `place`. */
export function mustKnowPlace({ authority }: Pick<Case, "authority">, place: Hex): void {
  const isRegistration = ({ event }: Judged) =>
    event.body.kind === "place.registered" && event.touches[0]!.subject === place;
  rule("unknown_place", authority.basis.some(isRegistration));
}

/** Demands that the event creates one subject and touches nothing else. */
export function mustCreateOne({ event }: Case): void {
  rule("touches", event.touches.length === 1 && event.touches[0]!.creates);
}

/** The lot of touch `index`, on its main lane. */
export function lotOf({ event, before }: Case, index: number): Lot {
  const lot = before[index];
  rule("touches", event.touches[index]?.lane === "main" && lot !== undefined);
  return lot;
}

/** The lot of touch `index`, which the acting actor holds and nobody else waits for. */
export function heldLot(one: Case, index: number): Lot {
  const lot = lotOf(one, index);
  rule("lot_closed", lot.closed === undefined);
  rule("not_holder", lot.holder === one.acting);
  rule("offer_open", lot.open === undefined);
  return lot;
}
