/** The codes of the rules, and how a rule says that it is broken. The rules themselves stand in docs/rules.md. */
import { Malformed } from "../malformed.js";

/** A stable code of docs/rules.md. */
export type RuleCode =
  | "unknown_signer"
  | "role"
  | "on_behalf_of"
  | "unknown_actor"
  | "unknown_place"
  | "prev"
  | "touches"
  | "not_holder"
  | "offer_open"
  | "no_open_offer"
  | "lot_closed"
  | "balance"
  | "zero_quantity"
  | "unit"
  | "conflict"
  | "roles_given"
  | "countersignature"
  | "node_details"
  | "not_addressee"
  | "not_offerer"
  | "lines"
  | "to_self"
  | "open_point"
  | "correction"
  | "not_above"
  | "list_order"
  | "own_lane"
  | "empty"
  | "not_an_offer"
  | "packages"
  | "own_key"
  | "country"
  | "temperature";

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
