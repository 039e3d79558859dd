/** How long a bundle of about 50 events takes, with keys seen for the first time and again. */
import { verify } from "../src/index.js";
import { bundleOf, tellStory } from "./story/story.js";

const { fields, blocks } = tellStory(41);
const bytes = bundleOf(fields);
const events = (fields[4] as unknown[]).length;
const times: number[] = [];
for (let round = 0; round < 12; round++) {
  const start = performance.now();
  const { verdict } = verify(bytes, { blockHashes: blocks, cosigners: 1 });
  times.push(performance.now() - start);
  if (verdict !== "valid") throw new Error(`the bundle is ${verdict}`);
}
const [first, ...later] = times.map((time) => Math.round(time));
later.sort((a, b) => a - b);
console.log(
  `${events} events, ${bytes.length} bytes: first ${first} ms, then ${later[0]} to ${later.at(-1)} ms, median ${later[5]} ms`,
);
