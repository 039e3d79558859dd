/** The codes of the rules, and how a rule says that it is broken. The rules themselves stand in docs/rules.md. */
import { Malformed } from "../malformed.js";

/** A stable code of docs/rules.md. */
export type RuleCode =
  | "amendment"
  | "balance"
  | "conflict"
  | "correction"
  | "countersignature"
  | "country"
  | "cut"
  | "decision"
  | "divided"
  | "empty"
  | "founder"
  | "founder_key"
  | "lines"
  | "list_order"
  | "lot_closed"
  | "measures"
  | "no_open_offer"
  | "node_details"
  | "not_above"
  | "not_addressee"
  | "not_an_offer"
  | "not_holder"
  | "not_inside"
  | "not_offerer"
  | "not_party"
  | "not_resolver"
  | "offer_open"
  | "on_behalf_of"
  | "open_point"
  | "outside"
  | "own_key"
  | "own_lane"
  | "packages"
  | "packed"
  | "period"
  | "prev"
  | "recall"
  | "role"
  | "roles_given"
  | "temperature"
  | "to_self"
  | "touches"
  | "unit"
  | "unknown_actor"
  | "unknown_place"
  | "unknown_signer"
  | "unknown_subject"
  | "zero_quantity";

/** An event that is well signed and against a rule. */
export class BrokenRule extends Malformed {
  constructor(readonly code: RuleCode | "missing_ancestor" | "unsupported") {
    super(`the event breaks the rule ${code}`);
  }
}

/** Demands that a rule is kept. */
export function rule(code: RuleCode, kept: boolean): asserts kept {
  if (!kept) throw new BrokenRule(code);
}
