/** Check 3: every event is well-formed and well signed, of this network, and there once. */
import { type Hex, sha256, toHex } from "../bytes.js";
import { type SignedEvent, readEvent } from "../event/event.js";
import { Malformed, attempt } from "../malformed.js";
import type { Network } from "../rules/history.js";
import { fail } from "./checklist.js";

export function checkSignatures(entries: readonly { event: Uint8Array }[], network: Network): SignedEvent[] {
  const seen = new Set<Hex>();
  return entries.map((entry) => {
    const event = attempt(() => readEvent(entry.event));
    if (event instanceof Malformed) fail("bad_event", { event: toHex(sha256(entry.event)) }, event.message);
    if (event.network !== network.id) fail("event_of_other_network", { event: event.id });
    if (seen.has(event.id)) fail("repeated_event", { event: event.id });
    seen.add(event.id);
    return event;
  });
}
