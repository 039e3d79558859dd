/** Checkpoints as C2SP signed notes (signed-note, tlog-checkpoint, tlog-cosignature). */
import {
  type Hex,
  concat,
  equal,
  fromHex,
  idText,
  parseBase64,
  parseId,
  sha256,
  toBigInt,
  toHex,
  utf8,
} from "./bytes.js";
import { verifySignature } from "./ed25519.js";
import { demand } from "./malformed.js";

/** A log's size and roots, with the lines that sign them. */
export interface Checkpoint {
  /** The first line: `furrow/<network id>/<log key>`. */
  origin: string;
  network: Hex;
  logKey: Hex;
  size: number;
  logRoot: Uint8Array;
  stateRoot: Uint8Array;
  /** The signed text, newline included. */
  text: string;
  signatures: SignatureLine[];
}

/** A line below the text. */
export interface SignatureLine {
  name: string;
  keyId: Uint8Array;
  signature: Uint8Array;
}

/** Types of signatures in signed-note's registry. */
const [ED25519, COSIGNATURE] = [1, 4];

const STATE_LABEL = "furrow/state/1 ";

/** Most signature lines, so that a note costs a verifier little. */
const MAX_SIGNATURES = 256;

/** Every control character but the line feed. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/** Reads a note; throws `Malformed`. */
export function readCheckpoint(note: string): Checkpoint {
  demand(!CONTROL.test(note), "a control character stands in the note");
  const end = note.indexOf("\n\n");
  demand(end >= 0, "no empty line stands before the signatures");
  const text = note.slice(0, end + 1);
  const [origin, size, logRoot, state, ...more] = text.slice(0, -1).split("\n");
  demand(origin !== undefined && size !== undefined && logRoot !== undefined && state !== undefined, "too few lines");
  demand(more.length === 0 && state.startsWith(STATE_LABEL), "the text has not its four lines");
  demand(/^(0|[1-9][0-9]{0,15})$/.test(size) && Number.isSafeInteger(Number(size)), "the size is no number below 2^53");
  return {
    origin,
    ...readName(origin),
    size: Number(size),
    logRoot: root(logRoot),
    stateRoot: root(state.slice(STATE_LABEL.length)),
    text,
    signatures: readSignatures(note.slice(end + 2)),
  };
}

/** The network and log key in a name such as `furrow/<network id>/<log key>`. */
function readName(name: string): { network: Hex; logKey: Hex } {
  const [first, network, key, ...more] = name.split("/");
  const [networkId, logKey] = [parseId(network ?? ""), parseId(key ?? "")];
  demand(first === "furrow" && more.length === 0, "the origin is not furrow/<network id>/<log key>");
  demand(networkId !== undefined && logKey !== undefined, "the origin names no network id and log key");
  return { network: toHex(networkId), logKey: toHex(logKey) };
}

function root(text: string): Uint8Array {
  const bytes = parseBase64(text);
  demand(bytes?.length === 32, "a root is not 32 bytes in base64");
  return bytes;
}

function readSignatures(text: string): SignatureLine[] {
  demand(text.endsWith("\n"), "the signatures do not end with a newline");
  const lines = text.slice(0, -1).split("\n");
  demand(lines.length <= MAX_SIGNATURES, `more than ${MAX_SIGNATURES} signatures stand on the note`);
  return lines.map((line) => {
    const [, name, encoded] = /^\u2014 ([^\p{White_Space}+]+) ([^ ]+)$/u.exec(line) ?? [];
    const bytes = encoded === undefined ? undefined : parseBase64(encoded);
    demand(name !== undefined && bytes !== undefined && bytes.length >= 5, "a line below the text is no signature");
    return { name, keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) };
  });
}

/** First four bytes of SHA-256(name ‖ newline ‖ type ‖ key), as signed-note defines them. */
export function keyId(name: string, type: number, key: Uint8Array): Uint8Array {
  return sha256(utf8(`${name}\n`), Uint8Array.of(type), key).subarray(0, 4);
}

/** Whether the log itself signed: there is a line of its key, and every such line holds. */
export function isSignedByLog({ origin, logKey, text, signatures }: Checkpoint): boolean {
  const key = fromHex(logKey);
  const lines = signatures.filter((line) => line.name === origin && equal(line.keyId, keyId(origin, ED25519, key)));
  return lines.length > 0 && lines.every(({ signature }) => verifySignature(key, utf8(text), signature));
}

/** The lines that claim to be cosignatures under these log keys, judged by name and key id, in their order. */
export function cosignatureLines(
  { signatures }: Checkpoint,
  network: Hex,
  logKeys: Iterable<Hex>,
): { logKey: Hex; line: SignatureLine }[] {
  const names = new Map([...logKeys].map((logKey) => [`furrow/${idText(network)}/${idText(logKey)}`, logKey]));
  return signatures.flatMap((line) => {
    const logKey = names.get(line.name);
    const fits = logKey !== undefined && equal(line.keyId, keyId(line.name, COSIGNATURE, fromHex(logKey)));
    return fits ? [{ logKey, line }] : [];
  });
}

/** The time of a cosignature, in seconds since 1970; nothing where it does not hold. */
export function cosignedAt({ text }: Checkpoint, logKey: Hex, { signature }: SignatureLine): number | undefined {
  if (signature.length !== 72) return undefined;
  const time = toBigInt(signature.subarray(0, 8));
  const message = concat(utf8(`cosignature/v1\ntime ${time}\n`), utf8(text));
  const holds = time < 2n ** 53n && verifySignature(fromHex(logKey), message, signature.subarray(8));
  return holds ? Number(time) : undefined;
}
