/** Which actor a log key belongs to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../src/bytes.js";
import { readEvent } from "../src/event/event.js";
import { Counting } from "../src/counting/counting.js";
import { nodesByLogKey } from "../src/nodes.js";
import { History, networkOf } from "../src/rules/history.js";
import { judge } from "../src/rules/replay.js";
import { keyOf, map } from "./story/signing.js";
import { type Actor, Story } from "./story/story.js";

const [KEY, OTHER] = [keyOf("log"), keyOf("other log")];

/** The name of the actor to whom the key belongs once all of the story is told. */
function ownerOf(story: Story, actors: Record<string, Actor>): string | undefined {
  const history = new History(networkOf(toHex(story.network), "Valle Verde", [story.founder.key.public]));
  for (const { made } of story.events) history.add(judge(history, readEvent(made.bytes)));
  const owner = nodesByLogKey(new Counting(history, [], 1_000_000)).get(toHex(KEY.public));
  return Object.keys(actors).find((name) => toHex(actors[name]!.id) === owner);
}

/** Names a log key in new details of the actor's. */
function renames(story: Story, actor: Actor, key = KEY): void {
  const body = map({ 4: map({ 1: key.public, 2: "12D3KooWnode" }) });
  story.tell(actor, { kind: 11, touches: [[actor.id, 0n, [actor.journal]]], body });
}

test("nobody takes over a log key by naming it later", () => {
  const wasLower = new Set<boolean>();
  for (let round = 0; round < 8; round++) {
    const story = new Story();
    const first = story.enrol(`first ${round}`, [3], { key: KEY, anchors: false });
    const second = story.enrol(`second ${round}`, [3], { key: KEY, anchors: false });
    wasLower.add(toHex(first.id) < toHex(second.id));
    assert.equal(ownerOf(story, { first, second }), "first");
  }
  assert.equal(wasLower.size, 2, "both orders of ids were tried");
});

test("what counts is the first event that names the key, not the first of the actor", () => {
  const story = new Story();
  const first = story.enrol("first", [3], { key: OTHER, anchors: false });
  const second = story.enrol("second", [3], { key: KEY, anchors: false });
  renames(story, first);
  assert.equal(ownerOf(story, { first, second }), "second");
});

test("who names another key gives the key up, and has it again with its old place", () => {
  const story = new Story();
  const first = story.enrol("first", [3], { key: KEY, anchors: false });
  const second = story.enrol("second", [3], { key: KEY, anchors: false });
  renames(story, first, OTHER);
  assert.equal(ownerOf(story, { first, second }), "second");
  renames(story, first);
  assert.equal(ownerOf(story, { first, second }), "first");
});
