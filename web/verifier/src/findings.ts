/** Facts that a reader should know, and that do not make a bundle invalid (docs/verification.md, "Findings"). */
import type { Bundle } from "./bundle.js";
import { type Hex, idText } from "./bytes.js";
import type { Counting } from "./counting/counting.js";
import type { Scope } from "./checks/scope.js";
import type { History, Judged } from "./rules/history.js";
import type { Moment } from "./moments.js";
import type { Finding } from "./verdict.js";

/** How much later than the block that anchors it an event may seem, for clocks that differ, in milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000;

interface Fact {
  finding: string;
  subject: Hex;
  events: Hex[];
}

/** All findings, ascending by name, subject and events, each once. */
export function findings(
  bundle: Bundle,
  counting: Counting,
  { whole, lots }: Scope,
  moments: Moment[],
  malformedOpenings: Hex[],
): Finding[] {
  const { history } = counting;
  const facts: Fact[] = [
    ...[...history.all()].flatMap((judged, at) => [...ofEvent(history, judged), ...ofMoment(judged, moments[at]!)]),
    ...journalForks(history),
    ...lots.flatMap((lot) => conflictOf(counting, lot)),
    ...whole.flatMap((subject) => uncountedOf(counting, subject)),
    ...recalled(counting, new Set(whole)),
    ...(bundle.leftOut ?? []).map((lot) => fact("left_out", [], lot)),
    ...malformedOpenings.map((event) => fact("malformed_opening", [event])),
  ];
  const keyed = new Map(facts.map((one) => [[one.finding, one.subject, ...one.events].join(" "), one]));
  const ordered = [...keyed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  return ordered.map(({ finding, subject, events }) => ({
    finding,
    subject: subject === "" ? null : idText(subject),
    events: events.map(idText),
  }));
}

function fact(finding: string, events: Hex[], subject: Hex = ""): Fact {
  return { finding, subject, events: [...events].sort() };
}

function ofEvent(history: History, { event }: Judged): Fact[] {
  const facts: Fact[] = [];
  const { body, id, time } = event;
  if (body.kind === "event.corrected") facts.push(fact("corrected", [id, body.target]));
  if (body.kind === "transfer.accepted") {
    const offer = history.get(body.offer)!.event;
    const expires = offer.body.kind === "transfer.offered" ? offer.body.expires : undefined;
    if (expires !== undefined && time > expires) facts.push(fact("accepted_after_expiry", [offer.id, id]));
  }
  for (const prev of event.touches.flatMap((touch) => touch.prev)) {
    const earlier = history.get(prev)?.event;
    if (earlier !== undefined && time < earlier.time) facts.push(fact("time_backwards", [id, prev]));
  }
  return facts;
}

function ofMoment({ event }: Judged, { after, before }: Moment): Fact[] {
  const facts: Fact[] = [];
  if (after !== undefined && event.time < after.timestamp_s * 1000) facts.push(fact("time_before_after", [event.id]));
  if (before !== undefined && event.time > before.timestamp_s * 1000 + CLOCK_TOLERANCE_MS) {
    facts.push(fact("time_past_anchor", [event.id]));
  }
  return facts;
}

function journalForks(history: History): Fact[] {
  const byLink = new Map<string, Judged[]>();
  for (const judged of history.all()) {
    const link = `${judged.event.key} ${judged.event.journal}`;
    const events = byLink.get(link) ?? [];
    byLink.set(link, events);
    events.push(judged);
  }
  const forks = [...byLink.values()].filter((events) => events.length > 1);
  return forks.map((events) =>
    fact(
      "journal_fork",
      events.map(({ event }) => event.id),
      events[0]!.signer,
    ),
  );
}

/** The recalls that nobody has ended, for each of these subjects that they warn of. */
function recalled(counting: Counting, whole: Set<Hex>): Fact[] {
  const standing: Fact[] = [];
  const ended = new Set<string>();
  for (const judged of counting.history.all()) {
    const { body, id } = judged.event;
    if (body.kind !== "recall.issued" && body.kind !== "recall.ended") continue;
    judged.steps.forEach(({ touch }, at) => {
      if (!whole.has(touch.subject) || counting.step(judged, at) === undefined) return;
      if (body.kind === "recall.ended") ended.add(`${body.recall} ${touch.subject}`);
      else standing.push(fact("recalled", [id], touch.subject));
    });
  }
  return standing.filter(({ events: [id], subject }) => !ended.has(`${id} ${subject}`));
}

function uncountedOf(counting: Counting, subject: Hex): Fact[] {
  const events = counting.uncounted(subject);
  return events.length === 0 ? [] : [fact("uncounted", events, subject)];
}

function conflictOf(counting: Counting, lot: Hex): Fact[] {
  const rivals = counting.lot(lot)?.inConflict ?? [];
  return rivals.length === 0
    ? []
    : [
        fact(
          "conflict",
          rivals.map(({ event }) => event.id),
          lot,
        ),
      ];
}
