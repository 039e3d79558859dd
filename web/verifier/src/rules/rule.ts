/** The codes of the rules, what each says is wrong, and how a rule says that it is broken (docs/rules.md, section 10). */
import { Malformed } from "../malformed.js";

/** Stable code → what is wrong. */
export const CODES = {
  amendment: "no amendment is named, or several in the basis, or what it follows is out of order",
  balance: "more is drawn than there is",
  conflict: "the tips that it extends exclude each other",
  correction: "the target cannot be corrected so",
  countersignature: "the new key did not sign its enrolment",
  country: "no two capital letters",
  cut: "the end of a journal is not described as it is",
  decision: "no branches of this lot, or out of order",
  divided: "title and possession are apart, or would be for a part",
  empty: "nothing is changed",
  founder: "no founder",
  founder_key: "a founder's key changes by amendment only",
  lines: "the number of lines, or what was received, rejected and lost does not add up",
  list_order: "a list is too long or not ascending",
  lot_closed: "the lot has left the chain",
  measures: "measures that contradict each other",
  no_open_offer: "the offer is not open on this lot",
  node_details: "node details without the role, or the role without them",
  not_above: "the signer neither signed what it concerns nor stands above its signer",
  not_addressee: "the offer goes to somebody else",
  not_an_offer: "no offer is named",
  not_holder: "somebody else holds the lot",
  not_inside: "it is not inside this unit",
  not_offerer: "somebody else made the offer",
  not_party: "the signer has no part in it",
  not_resolver: "somebody else is the resolver",
  offer_open: "the lot is offered",
  on_behalf_of: "not the enroller, or not a kind that can be recorded for others",
  open_point: "an exact point stands open",
  outside: "possession or title alone goes outside the network",
  own_key: "a key enrols itself",
  own_lane: "an update of somebody else",
  packages: "packages are drawn from a lot whose packages are not counted",
  packed: "the lot lies inside a unit, or the unit has contents",
  period: "a period that ends before it starts",
  prev: "a tip is of another lane",
  recall: "no recall is named",
  role: "the roles do not allow it",
  roles_given: "roles that the enroller may not give, or out of order",
  temperature: "limits upside down",
  to_self: "an offer to oneself",
  touches: "other touches than the kind asks for",
  unit: "another unit than the lot's",
  unknown_actor: "an actor or place that the basis does not hold",
  unknown_place: "an actor or place that the basis does not hold",
  unknown_signer: "no key event, or several, in the basis gave the key, or the enrolment is not there",
  unknown_subject: "a subject that no event of the basis created",
  zero_quantity: "a quantity of zero",
  missing_ancestor: "an event on which it rests does not stand before it",
  unsupported: "this program has no rules for its kind, or not in their version",
} as const;

/** A stable code of docs/rules.md. */
export type RuleCode = keyof typeof CODES;

/** An event that is well signed and against a rule. */
export class BrokenRule extends Malformed {
  constructor(readonly code: RuleCode) {
    super(CODES[code]);
  }
}

/** Demands that a rule is kept. */
export function rule(code: RuleCode, kept: boolean): asserts kept {
  if (!kept) throw new BrokenRule(code);
}
