/** Checks 8 and 9: every event stands in the log, and nothing of the whole subjects is withheld. */
import type { Bundle } from "../bundle.js";
import { fromHex } from "../bytes.js";
import type { SignedEvent } from "../event/event.js";
import { leafHash, verifyInclusion } from "../merkle.js";
import type { Checkpoint } from "../note.js";
import type { Counting } from "../counting/counting.js";
import { stateOf, verifySubject } from "../state-map.js";
import { fail } from "./checklist.js";

export function checkLog(bundle: Bundle, events: SignedEvent[], { size, logRoot }: Checkpoint): void {
  bundle.entries.forEach(({ index, path }, at) => {
    const { id } = events[at]!;
    if (!verifyInclusion(leafHash(fromHex(id)), index, size, path, logRoot)) fail("bad_inclusion", { event: id });
  });
}

export function checkWhole(bundle: Bundle, counting: Counting, { stateRoot }: Checkpoint): void {
  for (const proof of bundle.subjects) {
    if (!verifySubject(proof, stateOf(counting, proof.subject), stateRoot))
      fail("not_whole", { subject: proof.subject });
  }
}
