/** Custody of a lot, or title to it: who has how much, and what each event does to that (docs/rules.md, "Lots"). */
import type { Hex } from "../bytes.js";
import { type Quantity, compareQuantities, minus, zero } from "../event/quantity.js";

/** Why nothing follows on a lot's main lane. */
export type Closed = "retired" | "handed_out" | "lost_in_transfer" | "transformed";

/** A lot as it stands after an event of its main lane. */
export interface Lot {
  holder: Hex;
  balance: Quantity;
  /** The offer of the whole lot that waits for an answer, and who may give it. */
  open: { offer: Hex; to: Hex } | undefined;
  closed: Closed | undefined;
  /** The last offer that was answered. */
  answered: { offer: Hex; accepted: boolean } | undefined;
  /** Whether title has a lane of its own. */
  divided: boolean;
  /** The unit in which it lies. */
  inside: Hex | undefined;
  /** How many contents it has; only of logistic units. */
  contents: number | undefined;
}

/** What one event does to one lot. */
export type Effect =
  | { does: "create" }
  | { does: "tell" }
  | { does: "draw"; quantity: Quantity }
  | { does: "offer"; offer: Hex; to: Hex; quantity: Quantity }
  | { does: "receive"; offer: Hex; quantity: Quantity }
  | { does: "give_back"; offer: Hex }
  | { does: "reject"; offer: Hex; quantity: Quantity }
  | { does: "lose_all"; offer: Hex }
  | { does: "close"; closed: Closed; quantity: Quantity }
  | { does: "divide"; quantity: Quantity; open: { offer: Hex; to: Hex } | undefined }
  | { does: "pack"; unit: Hex }
  | { does: "unpack"; unit: Hex }
  | { does: "load"; contents: number }
  | { does: "unload"; contents: number };

/** A lot that has just come into being. */
export function newLot(holder: Hex, balance: Quantity): Lot {
  return {
    holder,
    balance,
    open: undefined,
    closed: undefined,
    answered: undefined,
    divided: false,
    inside: undefined,
    contents: undefined,
  };
}

/** A logistic unit that has just come into being. */
export function newUnit(holder: Hex, contents: number): Lot {
  return { ...newLot(holder, { value: 1n, scale: 0, unit: "EA", packages: undefined }), contents };
}

/** The lot after an act of `by`; nothing where the effect cannot stand beside what was before. */
export function apply(lot: Lot, effect: Effect, by: Hex): Lot | undefined {
  switch (effect.does) {
    case "create":
      return undefined;
    case "tell":
      return lot;
    case "draw": {
      const balance = minus(lot.balance, effect.quantity);
      return isFree(lot, by) && balance !== undefined ? { ...lot, balance } : undefined;
    }
    case "offer": {
      const open = { offer: effect.offer, to: effect.to };
      return isFree(lot, by) && isWhole(lot, effect.quantity) ? { ...lot, open } : undefined;
    }
    case "close": {
      const closed = { ...lot, balance: zero(lot.balance), closed: effect.closed };
      return isFree(lot, by) && isWhole(lot, effect.quantity) ? closed : undefined;
    }
    case "receive":
      return awaits(lot, effect.offer)
        ? { ...answered(lot, effect.offer, true), holder: by, balance: effect.quantity }
        : undefined;
    case "reject":
      return awaits(lot, effect.offer) ? { ...answered(lot, effect.offer, true), balance: effect.quantity } : undefined;
    case "lose_all": {
      const lost = {
        ...answered(lot, effect.offer, true),
        balance: zero(lot.balance),
        closed: "lost_in_transfer" as const,
      };
      return awaits(lot, effect.offer) ? lost : undefined;
    }
    case "give_back":
      // One that crosses the answer changes nothing any more.
      if (lot.answered?.offer === effect.offer) return lot;
      return awaits(lot, effect.offer) ? answered(lot, effect.offer, false) : undefined;
    case "divide": {
      const isDivisible = isFree(lot, by) && !lot.divided && isWhole(lot, effect.quantity);
      return isDivisible ? { ...lot, divided: true, open: effect.open } : undefined;
    }
    case "pack":
      return isFree(lot, by) ? { ...lot, inside: effect.unit } : undefined;
    case "unpack":
      return lot.inside === effect.unit ? { ...lot, inside: undefined, holder: by } : undefined;
    case "load":
      return withContents(lot, effect.contents, by);
    case "unload":
      return withContents(lot, -effect.contents, by);
  }
}

function withContents(lot: Lot, more: number, by: Hex): Lot | undefined {
  const contents = lot.contents === undefined ? -1 : lot.contents + more;
  return isFree(lot, by) && contents >= 0 ? { ...lot, contents } : undefined;
}

function answered(lot: Lot, offer: Hex, accepted: boolean): Lot {
  return { ...lot, open: undefined, answered: { offer, accepted } };
}

function isFree(lot: Lot, by: Hex): boolean {
  return lot.holder === by && lot.open === undefined && lot.closed === undefined && lot.inside === undefined;
}

function isWhole(lot: Lot, quantity: Quantity): boolean {
  return compareQuantities(lot.balance, quantity) === 0;
}

/** The offer is open, or was just given back and nothing else was begun since: then an answer that crosses stands. */
function awaits(lot: Lot, offer: Hex): boolean {
  if (lot.open?.offer === offer) return true;
  const givenBack = lot.answered?.offer === offer && !lot.answered.accepted;
  return givenBack && lot.open === undefined && lot.closed === undefined;
}
