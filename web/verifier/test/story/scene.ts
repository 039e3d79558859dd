/** Stories whose events are judged as they are told; what was judged is kept, for other verifiers. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { toHex } from "../../src/bytes.js";
import { type Cbor, CborMap, encode } from "../../src/cbor.js";
import { Counting } from "../../src/counting/counting.js";
import { readEvent } from "../../src/event/event.js";
import { attempt } from "../../src/malformed.js";
import { History, networkOf } from "../../src/rules/history.js";
import { judge } from "../../src/rules/replay.js";
import { BrokenRule } from "../../src/rules/rule.js";
import { type Made, type Said, map, signEvent } from "./signing.js";
import { type Actor, Story, type Telling } from "./story.js";

/** Kilograms, in packages or not. */
export const KG = (value: number, packages?: number): Cbor[] => [
  BigInt(value),
  0n,
  "KGM",
  ...(packages === undefined ? [] : [BigInt(packages)]),
];

/** What was judged in all scenes: the same cases are there for other verifiers. */
const record: Record<string, string[]> = {};

/** A story whose events are judged as they are told. */
export class Scene extends Story {
  private readonly steps = (record[currentScene] = [] as (typeof record)[string]);
  readonly history = new History(networkOf(toHex(this.network), "Valle Verde", [this.founder.key.public]));
  readonly farmer: Actor;
  readonly buyer: Actor;
  readonly place: Made;

  constructor() {
    super();
    this.farmer = this.enrol("farmer", [2]);
    this.buyer = this.enrol("buyer", [6]);
    this.place = this.tell(this.farmer, { kind: 20, touches: [[null, 0n, []]], body: placeBody() });
  }

  override tell(by: Actor, said: Telling): Made {
    const made = super.tell(by, said);
    this.history.add(judge(this.history, readEvent(made.bytes)));
    this.steps.push(`stays admitted ${toHex(made.bytes)}`);
    return made;
  }

  /** The code of the rule that an event breaks, or "admitted". */
  codeOf(by: Actor, said: Telling & { basis?: Uint8Array[] }): string {
    const { extra = [], basis, ...rest } = said;
    const rights = basis ?? [...new Map([...by.basis, ...extra].map((id) => [toHex(id), id])).values()];
    const made = signEvent(this.network, by.key, { ...rest, basis: rights, journal: by.journal });
    const judged = attempt(() => judge(this.history, readEvent(made.bytes)));
    if (judged instanceof Error && !(judged instanceof BrokenRule)) throw judged;
    const code = judged instanceof BrokenRule ? judged.code : "admitted";
    this.steps.push(`tried ${code} ${toHex(made.bytes)}`);
    return code;
  }

  registers(body = produceBody(), by = this.farmer): Made {
    return this.tell(by, { kind: 30, touches: [[null, 0n, []]], body });
  }

  offers(lot: Made, tips: Made[], quantity: Cbor[], isPart: boolean, to: Actor = this.buyer): Made {
    const touches: Said["touches"] = [
      [lot.subject(), 0n, tips.map(({ id }) => id)],
      ...(isPart ? [[null, 0n, []] as [null, bigint, []]] : []),
    ];
    return this.tell(this.farmer, {
      kind: 50,
      touches,
      extra: [to.enrolment!],
      body: offerBody([[lot.subject(), quantity]], to.id),
    });
  }

  accepts(offer: Made, item: Uint8Array, received: Cbor[], tips: Made[] = [offer]): Made {
    return this.tell(this.buyer, {
      kind: 51,
      touches: [[item, 0n, tips.map(({ id }) => id)]],
      body: map({ 1: offer.id, 2: [map({ 1: received })] }),
    });
  }

  counted(lot: Made): { balance: bigint; holder: string; disputed: boolean; rivals: number } {
    const { state, disputed, inConflict } = new Counting(this.history, [], 1_000_000).lot(toHex(lot.subject()))!;
    const counted = { balance: state.balance.value, holder: state.holder, disputed, rivals: inConflict.length };
    this.steps.push(`count ${toHex(lot.subject())} ${counted.balance} ${counted.holder} ${disputed} ${counted.rivals}`);
    return counted;
  }
}

/** A place. */
export function placeBody(more: Record<number, Cbor> = {}): CborMap {
  return map({ 1: "farm", 2: new CborMap([["en", "Field"]]), ...more });
}

/** Apples. */
export function produceBody(more: Record<number, Cbor> = {}): CborMap {
  return map({ 1: ["HS", "0808.10"], 2: new CborMap([["en", "Apples"]]), 4: [], 6: KG(100, 10), ...more });
}

/** An offer of possession and title. */
export function offerBody(lines: Cbor[], to: Uint8Array, more: Record<number, Cbor> = {}): CborMap {
  return map({ 1: lines, 2: [0n, to], 3: 3n, ...more });
}

let currentScene = "";

/** A test whose scene is kept as a golden file. */
export function scene(name: string, body: () => void): void {
  test(name, () => {
    currentScene = name;
    body();
  });
}

/** A touch that creates a subject. */
export const CREATES: Said["touches"] = [[null, 0n, []]];

/** An id that nothing has. */
export const STRANGER = new Uint8Array(32).fill(5);

/** The last test of a file: what was judged in its scenes is in a golden file, for other verifiers. */
export function othersHave(file: string): void {
  test("other verifiers have the same cases", () => {
    const path = new URL(`../../../../../provenance/tests/provenance/golden/${file}`, import.meta.url);
    const scenes = Object.entries(record).flatMap(([name, steps]) => [`scene ${name}`, ...steps]);
    const lines = [`network ${toHex(encode(new Story().definition))}`, ...scenes];
    const text = `${lines.join("\n")}\n`;
    if (process.env["UPDATE"]) writeFileSync(path, text);
    assert.equal(readFileSync(path, "utf8"), text, "the cases changed; run again with UPDATE=1 if that is meant");
  });
}
