/** Rules of unit.packed and unit.unpacked. */
import type { UnitPacked, UnitUnpacked } from "../event/body/units.js";
import {
  type Case,
  type Outcome,
  firstStep,
  heldLot,
  line as judgeLine,
  lotOf,
  mayKnowPlace,
  mustStand,
} from "./case.js";
import type { LotStep } from "./history.js";
import { type Effect, apply, newUnit } from "./lot.js";
import { draws, partOf, step } from "./produce.js";
import { rule } from "./rule.js";

/** Most contents: the unit and each content with its part, or each alone, fit the touches. */
const [MAX_PACKED, MAX_UNPACKED] = [31, 63];

export function judgePacked(one: Case, body: UnitPacked): Outcome {
  const { event, acting } = one;
  const { contents } = body;
  rule("lines", contents.length >= 1 && contents.length <= MAX_PACKED);
  mayKnowPlace(one, body.place);
  const [unit, ...touches] = event.touches;
  rule("touches", unit !== undefined && (unit.creates || (unit.lane === "main" && !body.hasSscc)));
  const fits = touches.every((touch, index) => {
    const content = contents[index];
    if (content === undefined) return touch.creates;
    return !touch.creates && touch.lane === "main" && touch.subject === content.lot;
  });
  rule("touches", fits && touches.length >= contents.length);
  mustStand(one, 0);
  const existing = unit.creates ? undefined : heldLot(one, 0);
  rule("touches", unit.creates || existing?.contents !== undefined);

  const outcome: Outcome = [];
  const parts: Outcome = [];
  contents.forEach(({ lot, quantity }, index) => {
    const wasPart = firstStep(one, index + 1)?.effect.does === "draw";
    const found = judgeLine(one, [index + 1], () => {
      const held = heldLot(one, index + 1);
      const isPart = draws(held, quantity) === "part";
      rule("touches", one.first === undefined || isPart === wasPart);
      const effect: Effect = isPart ? { does: "draw", quantity } : { does: "pack", unit: unit.subject };
      return { packed: step(one, held, effect), isPart };
    });
    outcome.push(found === "fallen" ? found : found.packed);
    if (found !== "fallen" && found.isPart) parts.push(partOf(acting, quantity, lot, { inside: unit.subject }));
    else if (wasPart) parts.push("fallen");
  });
  rule("touches", outcome.length + parts.length === touches.length);

  // The unit stands whatever becomes of the lines: who follows it need not know all that lay in it.
  const number = contents.length;
  const created: LotStep = { effect: { does: "create" }, after: newUnit(acting, number) };
  const packed = existing === undefined ? created : step(one, existing, { does: "load", contents: number });
  return [packed, ...outcome, ...parts];
}

export function judgeUnpacked(one: Case, { contents, place }: UnitUnpacked): Outcome {
  const { event } = one;
  rule("lines", contents.length >= 1 && contents.length <= MAX_UNPACKED);
  mayKnowPlace(one, place);
  const subjects = event.touches.slice(1).map(({ subject }) => subject);
  const areMain = event.touches.every(({ creates, lane }) => !creates && lane === "main");
  rule("touches", areMain && subjects.length === contents.length);
  rule(
    "touches",
    contents.every((content, index) => content === subjects[index]),
  );
  mustStand(one, 0);
  const unit = event.touches[0]!.subject;
  const held = heldLot(one, 0);
  rule("touches", held.contents !== undefined && held.contents >= contents.length);
  const outcome: Outcome = contents.map((_, index) =>
    judgeLine(one, [index + 1], () => {
      const lot = lotOf(one, index + 1, "main");
      const effect: Effect = { does: "unpack", unit };
      const after = apply(lot, effect, one.acting);
      rule("not_inside", after !== undefined);
      return { effect, after };
    }),
  );
  return [step(one, held, { does: "unload", contents: contents.length }), ...outcome];
}
