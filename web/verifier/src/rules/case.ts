/** The event that is being judged, and by which right it was signed. */
import type { Hex } from "../bytes.js";
import type { ActorEnrolled, NewKey } from "../event/body/actors.js";
import type { Lane, SignedEvent } from "../event/event.js";
import { attempt } from "../malformed.js";
import { type History, type Judged, type LotStep, type View, stepIn } from "./history.js";
import type { Lot } from "./lot.js";
import { BrokenRule, rule } from "./rule.js";

/** What the rules of a kind make of each touch: a step, nothing for one that is not of a lot, or that it falls. */
export type Outcome = (LotStep | undefined | "fallen")[];

/** All that the rules of one kind may look at. */
export interface Case {
  /** Earlier events as they were judged: what a body names is looked at so. */
  history: History;
  /** Earlier events as they are looked at now. */
  view: View;
  event: SignedEvent;
  authority: Authority;
  /** The actor that acts: the signer, or the one on whose behalf it records. */
  acting: Hex;
  /** For each touch, the lot before the event; nothing where it is new or no lot; or why the touch cannot stand. */
  before: (Lot | undefined | BrokenRule)[];
  /** The event as it was judged at first, where it is looked at again to see what of it counts. */
  first: Judged | undefined;
}

const ALL_ROLES = Array.from({ length: 12 }, (_, index) => index + 1);

/** What the basis of an event says of its signer and of others. */
export interface Authority {
  signer: Hex;
  keyEvent: Judged | undefined;
  enrolment: Judged | undefined;
  roles: readonly number[];
  mayGive: readonly number[];
  /** Judged events of the basis; the network id is none. */
  basis: Judged[];
  namesNetwork: boolean;
}

/** The signer and its rights. */
export function authorityOf(view: View, event: SignedEvent): Authority {
  const { network } = view;
  const basis = event.basis.map((id) => view.get(id)).filter((judged) => judged !== undefined);
  const known = { basis, namesNetwork: event.basis.includes(network.id) };
  const founder = network.founders.get(event.key);
  let authority: Authority;
  if (known.namesNetwork && founder !== undefined) {
    const all = { roles: ALL_ROLES, mayGive: ALL_ROLES };
    authority = { signer: founder, keyEvent: undefined, enrolment: undefined, ...all, ...known };
  } else {
    const given = basis.filter((judged) => keyGivenBy(judged)?.keyHex === event.key && stands(view, judged));
    rule("unknown_signer", given.length === 1);
    const keyEvent = given[0]!;
    const signer = firstSubject(keyEvent);
    const enrolment = enrolmentIn(view, basis, signer);
    rule("unknown_signer", enrolment !== undefined);
    const { roles, mayGive } = enrolment.event.body;
    authority = { signer, keyEvent, enrolment, roles, mayGive, ...known };
  }
  rule("amendment", basis.filter(({ event }) => event.body.kind === "network.amended").length <= 1);
  return authority;
}

/** What gives a key to the actor that the first touch names. */
export function keyGivenBy({ event: { body } }: Judged): NewKey | undefined {
  switch (body.kind) {
    case "actor.enrolled":
    case "actor.key_added":
    case "actor.key_rotated":
    case "actor.key_replaced":
      return body;
    default:
      return undefined;
  }
}

/** The subject that the first touch of an event names or creates. */
export function firstSubject({ event }: Judged): Hex {
  return event.touches[0]!.subject;
}

/** Whether the first touch of an event counts. */
function stands(view: View, judged: Judged): boolean {
  return view.step(judged, 0) !== undefined;
}

type Enrolment = Judged & { event: { body: ActorEnrolled } };

/** The enrolment of an actor, if the basis holds it. */
export function enrolmentIn(view: View, basis: Judged[], actor: Hex): Enrolment | undefined {
  const isIt = (judged: Judged): judged is Enrolment =>
    judged.event.body.kind === "actor.enrolled" && firstSubject(judged) === actor;
  const found = basis.find(isIt);
  return found && stands(view, found) ? found : undefined;
}

/** Kinds that can be recorded for a member. */
const RECORDABLE: readonly string[] = [
  "place.registered",
  "produce.registered",
  "produce.moved",
  "produce.handled",
  "produce.quality_updated",
  "produce.price_updated",
  "produce.codes_assigned",
];

/** The actor for whom the event is told. */
export function actingFor(view: View, authority: Authority, event: SignedEvent): Hex {
  const member = event.onBehalfOf;
  if (member === undefined) return authority.signer;
  const isEnroller = enrolmentIn(view, authority.basis, member)?.signer === authority.signer;
  rule("on_behalf_of", RECORDABLE.includes(event.body.kind) && isEnroller);
  return member;
}

/** The roles of the signer, or of the member for whom it records. */
export function rolesOf({ view, authority, acting }: Case): readonly number[] {
  if (acting === authority.signer) return authority.roles;
  return enrolmentIn(view, authority.basis, acting)?.event.body.roles ?? [];
}

/** Demands that the basis holds the enrolment of `actor`, or names the network for a founder. */
export function mustKnowActor({ view, authority }: Pick<Case, "view" | "authority">, actor: Hex): void {
  const founders = authority.namesNetwork ? [...view.network.founders.values()] : [];
  const isEnrolled = enrolmentIn(view, authority.basis, actor) !== undefined;
  rule("unknown_actor", actor === authority.signer || founders.includes(actor) || isEnrolled);
}

/** The registration of `place`, which must be in the basis. */
export function mustKnowPlace({ view, authority }: Case, place: Hex): Judged {
  const registration = authority.basis.find(
    (judged) => judged.event.body.kind === "place.registered" && firstSubject(judged) === place,
  );
  rule("unknown_place", registration !== undefined && stands(view, registration));
  return registration;
}

/** The same for a place that need not be given. */
export function mayKnowPlace(one: Case, place: Hex | undefined): void {
  if (place !== undefined) mustKnowPlace(one, place);
}

/** Demands that an event of the basis created `subject`, and gives it. */
export function mustKnowSubject({ view, authority }: Case, subject: Hex): Judged {
  const creator = authority.basis.find((judged) =>
    judged.event.touches.some((touch, at) => touch.creates && touch.subject === subject && view.step(judged, at)),
  );
  rule("unknown_subject", creator !== undefined);
  return creator;
}

/** Demands that the event creates one subject and touches nothing else. */
export function mustCreateOne({ event }: Case): void {
  rule("touches", event.touches.length === 1 && event.touches[0]!.creates);
}

/** Demands that the event touches one subject that exists, on this lane, and nothing else; gives the subject. */
export function mustTouchOne({ event }: Case, lane: Lane, code: "touches" | "own_lane" = "touches"): Hex {
  const [touch, ...others] = event.touches;
  rule(code, touch !== undefined && others.length === 0 && !touch.creates && touch.lane === lane);
  return touch.subject;
}

/** Demands that the signer attests to one known subject, on its own lane. */
export function mustAttest(one: Case): Hex {
  const subject = mustTouchOne(one, one.authority.signer);
  mustKnowSubject(one, subject);
  return subject;
}

/** Demands that the signer has one of these roles. */
export function mustHaveRole({ authority }: Case, ...roles: number[]): void {
  rule(
    "role",
    roles.some((role) => authority.roles.includes(role)),
  );
}

/**
 * What the rules say of one line, which touches these lanes. At first a broken rule is one of the whole event; when
 * the event is looked at again, it costs the line alone.
 */
export function line<T>(one: Case, touches: (number | undefined)[], judge: () => T): T | "fallen" {
  const found = attempt(() => {
    for (const index of touches) if (index !== undefined) mustStand(one, index);
    return judge();
  });
  if (!(found instanceof Error)) return found;
  if (one.first === undefined || !(found instanceof BrokenRule)) throw found;
  return "fallen";
}

/** Demands that touch `index` has something to extend, and that nothing overrules it. */
export function mustStand({ before }: Case, index: number): void {
  const found = before[index];
  if (found instanceof BrokenRule) throw found;
}

/** The lot of touch `index`, on this lane. */
export function lotOf(one: Case, index: number | undefined, lane: Lane): Lot {
  const { event, before } = one;
  rule("touches", index !== undefined && event.touches[index]?.lane === lane);
  mustStand(one, index);
  const lot = before[index] as Lot | undefined;
  rule("touches", lot !== undefined);
  return lot;
}

/** The lot of touch `index`, which the acting actor holds and nobody else waits for. */
export function heldLot(one: Case, index: number | undefined): Lot {
  return free(one, lotOf(one, index, "main"));
}

/** The same on a title lane: who has it is the owner. */
export function ownedLot(one: Case, index: number | undefined): Lot {
  return free(one, lotOf(one, index, "title"));
}

function free(one: Case, lot: Lot): Lot {
  rule("lot_closed", lot.closed === undefined);
  rule("packed", lot.inside === undefined);
  rule("not_holder", lot.holder === one.acting);
  rule("offer_open", lot.open === undefined);
  return lot;
}

/** The touches of a lot that one line has: main lane, and title lane right after it. */
export interface LineTouches {
  main: number | undefined;
  title: number | undefined;
}

/** The lot of a line, which the acting actor holds; if title is apart, it also owns it. */
export function wholeLot(one: Case, { main, title }: LineTouches): Lot {
  const lot = heldLot(one, main);
  rule("divided", lot.divided === (title !== undefined));
  if (title !== undefined) ownedLot(one, title);
  return lot;
}

/**
 * The touches of lines: for each lot in turn its main lane, with or without its title lane; or, where that is allowed,
 * the title lane alone. All further touches create.
 */
export function touchesOfLines(
  { touches }: Pick<SignedEvent, "touches">,
  lots: Hex[],
  titleAlone = false,
): LineTouches[] {
  let at = 0;
  const take = (lot: Hex, lane: Lane): number | undefined => {
    const touch = touches[at];
    return touch && !touch.creates && touch.subject === lot && touch.lane === lane ? at++ : undefined;
  };
  const lines = lots.map((lot) => {
    const found = { main: take(lot, "main"), title: take(lot, "title") };
    rule("touches", found.main !== undefined || (titleAlone && found.title !== undefined));
    return found;
  });
  rule(
    "touches",
    touches.slice(at).every(({ creates }) => creates),
  );
  return lines;
}

/** What was first judged of touch `index`, where the event is looked at again. */
export function firstStep({ first }: Case, index: number | undefined): LotStep | undefined {
  return index === undefined ? undefined : first?.steps[index]?.lot;
}

/** Whether, after an event of the basis that touches its main lane, an actor holds this lot. */
export function heldIt({ view, authority }: Case, subject: Hex, actor: Hex): boolean {
  return authority.basis.some((judged) => stepIn(view, judged, subject, "main")?.lot?.after.holder === actor);
}
