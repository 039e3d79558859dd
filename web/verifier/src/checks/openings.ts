/** Check 12: each opening opens a sealed field of an event in the bundle. */
import type { Opening } from "../bundle.js";
import { type Hex, equal, fromHex, sha256 } from "../bytes.js";
import { type Cbor, CborMap, decode, encode } from "../cbor.js";
import type { SignedEvent } from "../event/event.js";
import { coordinates, price, text } from "../event/values.js";
import { Malformed, attempt } from "../malformed.js";
import type { History } from "../rules/history.js";
import type { Read } from "../shape.js";
import { fail } from "./checklist.js";

const name: Read<unknown> = text(128);

/** Kind → path of a field that may be sealed → form of its value. */
const SEALABLE: Readonly<Record<number, Readonly<Record<string, Read<unknown>>>>> = {
  10: { "6": name },
  20: { "5": coordinates },
  21: { "5": coordinates },
  30: { "10": name, "11": price },
  35: { "1": price },
  50: { "2/1": name, "8": price },
};

const [OFFERED, CORRECTED] = [50, 100];

/** Form of a recipient: a party outside the network, by its name. */
const OUTSIDE_NAME = 2n;

/** The events with an opened value that does not have the form of its field. */
export function checkOpenings(openings: Opening[], history: History): Hex[] {
  const malformed = new Set<Hex>();
  for (const opening of openings) {
    const about = { event: opening.event };
    const event = history.get(opening.event)?.event;
    const form = event && formOf(event, opening.path, history);
    const sealed = event && valueAt(event.rawBody, opening.path);
    if (event === undefined || form === undefined || !(sealed instanceof Uint8Array)) fail("unknown_field", about);
    if (!equal(commitmentBy(opening, event), sealed)) fail("bad_opening", about);
    if (attempt(() => form(decode(opening.value), "the opened value")) instanceof Malformed)
      malformed.add(opening.event);
  }
  return [...malformed];
}

/** The form of the field at a path, if it is one that may be sealed; corrections have the fields of their target. */
function formOf({ kind, body, rawBody }: SignedEvent, path: number[], history: History): Read<unknown> | undefined {
  if (kind !== CORRECTED || body.kind !== "event.corrected") {
    // The second item of an offer's recipient is a name only where the first says so.
    const isNoName = kind === OFFERED && path[0] === 2 && valueAt(rawBody, [2, 0]) !== OUTSIDE_NAME;
    return isNoName ? undefined : SEALABLE[kind]?.[path.join("/")];
  }
  const target = history.get(body.target);
  return path[0] === 3 && target ? SEALABLE[target.event.kind]?.[path.slice(1).join("/")] : undefined;
}

/** What stands at a path: field numbers in maps, positions in arrays. */
function valueAt(body: Cbor, path: number[]): Cbor | undefined {
  let at: Cbor | undefined = body;
  for (const step of path) {
    if (at instanceof CborMap) at = at.entries.find(([key]) => key === BigInt(step))?.[1];
    else at = Array.isArray(at) ? at[step] : undefined;
  }
  return at;
}

/** SHA-256 of what a signer committed to. */
function commitmentBy({ path, salt, value }: Opening, { key, journal }: SignedEvent): Uint8Array {
  return sha256(encode(["furrow/seal/1", fromHex(key), fromHex(journal), path.map(BigInt), salt, value]));
}
