/** Log, state map, trie, notes and signatures: published vectors, and proofs made naively over whole trees. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bigEndian, fromHex, sha256, toHex, utf8 } from "../src/bytes.js";
import { type Cbor, CborMap, encode } from "../src/cbor.js";
import { isWellFormedKey, verifySignature } from "../src/ed25519.js";
import { keccak } from "../src/keccak.js";
import { Malformed, attempt } from "../src/malformed.js";
import { leafHash, verifyConsistency, verifyInclusion } from "../src/merkle.js";
import { cosignedAt, cosignatureLines, isSignedByLog, readCheckpoint } from "../src/note.js";
import { verifySubject } from "../src/state-map.js";
import { provenValue } from "../src/trie.js";
import { keyOf } from "./story/signing.js";
import { Random } from "./story/random.js";
import { tellStory } from "./story/story.js";
import { consistencyProof, inclusionPath, logRoot, stateProof, stateRoot, trieProof } from "./story/trees.js";

test("the log of the reference implementation of RFC 6962 has its roots", () => {
  // The eight entries and roots of certificate-transparency's merkletree tests, which RFC 9162 keeps.
  const entries = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
  ].map(fromHex);
  assert.equal(toHex(logRoot([])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(toHex(logRoot(entries.slice(0, 1))), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  assert.equal(toHex(logRoot(entries)), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
});

test("every entry of every log has one path, and every beginning one proof", () => {
  const entries = Array.from({ length: 20 }, (_, at) => bigEndian(at, 4));
  for (let size = 1; size <= entries.length; size++) {
    const log = entries.slice(0, size);
    const root = logRoot(log);
    for (let at = 0; at < size; at++) {
      const path = inclusionPath(at, log);
      const leaf = leafHash(log[at]!);
      assert.ok(verifyInclusion(leaf, at, size, path, root));
      assert.ok(!verifyInclusion(leaf, at + 1, size, path, root));
      assert.ok(!verifyInclusion(leaf, at, size, [...path, root], root));
      assert.ok(path.length === 0 || !verifyInclusion(leaf, at, size, path.slice(1), root));
      const old = at + 1;
      const proof = consistencyProof(old, log);
      const oldRoot = logRoot(log.slice(0, old));
      assert.ok(verifyConsistency(old, size, oldRoot, root, proof), `${old} of ${size}`);
      assert.ok(!verifyConsistency(old, size, oldRoot, root, [...proof, root]));
      assert.ok(proof.length === 0 || !verifyConsistency(old, size, oldRoot, root, proof.slice(1)));
      assert.ok(!verifyConsistency(old, size, sha256(oldRoot), root, proof));
    }
    assert.ok(!verifyConsistency(0, size, logRoot([]), root, []));
  }
});

const word = (hex: string) => hex.repeat(32);

test("the vectors of docs/state-map.md", () => {
  const value = (lanes: [Cbor, Cbor[]][]) => toHex(sha256(encode(new CborMap(lanes))));
  const id = (hex: string) => fromHex(word(hex));
  assert.equal(value([[0n, [id("01")]]]), "ee70391febc8a909103e5ae511971ae6a5fb35f7ee1651040fa9cdc5b7b3376a");
  const three: [Cbor, Cbor[]][] = [
    [0n, [id("01")]],
    [1n, [id("04")]],
    [id("09"), [id("02"), id("03")]],
  ];
  assert.equal(value(three), "51cb5918938611453fc018bfa17613866188c9d64c3546023ba4dbc2f6b6eabd");

  const map = new Map(
    [
      ["00", "11"],
      ["0f", "22"],
      ["f0", "33"],
    ].map(([key, item]) => [word(key!), id(item!)]),
  );
  const root = "539b6b0298a5b072b1c774a4208a9f1956926e48d5dde8e4b787dd1b82105ee8";
  assert.equal(toHex(stateRoot(map)), root);
  const siblings: Record<string, string[]> = {
    "00": [
      "c44ae37003ec641c38df57516ba1cd8c641dd642f536c4d0acb63e578065ae3f",
      word("00"),
      word("00"),
      word("00"),
      "2138cb3d78abc20f7b59917d4c0e637f8b8ffc903794ed6f8fd99e5bd5201796",
    ],
    "70": [
      "324b65fade08aebf3576ab703affca7ca1800ca3acdaf642f5c4a28e4faaa98e",
      "2138cb3d78abc20f7b59917d4c0e637f8b8ffc903794ed6f8fd99e5bd5201796",
    ],
    ff: ["0f30e37f112b0e1f292a2e2c506b554baa8eabbed0ccb48276ecdf40d68ab206"],
  };
  const prove = (
    key: string,
    absence: undefined | null | { key: Uint8Array; value: Uint8Array },
    stands?: Uint8Array,
  ) => verifySubject({ subject: word(key), siblings: siblings[key]!.map(fromHex), absence }, stands, fromHex(root));
  assert.ok(prove("00", undefined, id("11")));
  assert.ok(prove("70", null));
  const other = { key: id("f0"), value: id("33") };
  assert.ok(prove("ff", other));
  assert.ok(!prove("00", undefined, id("12")), "another value");
  assert.ok(!prove("00", undefined), "presence without events");
  assert.ok(!prove("70", null, id("11")), "absence with events");
  assert.ok(!prove("00", other), "a leaf that does not stand in the way");
});

test("proofs in random state maps hold, and no others", () => {
  const random = new Random("state map");
  for (let size = 0; size < 40; size++) {
    const map = new Map(Array.from({ length: size }, () => [toHex(random.bytes(32)), random.bytes(32)]));
    const root = stateRoot(map);
    for (const subject of [...map.keys(), toHex(random.bytes(32))]) {
      const { siblings, other } = stateProof(map, subject);
      const value = map.get(subject);
      const absence = value ? undefined : other && { key: fromHex(other[0]), value: other[1] };
      assert.ok(verifySubject({ subject, siblings, absence }, value, root));
      if (siblings.length > 0)
        assert.ok(!verifySubject({ subject, siblings: siblings.slice(1), absence }, value, root));
      assert.ok(!verifySubject({ subject, siblings, absence: null }, value ?? root, root));
    }
  }
});

test("tries prove what they hold, by exactly the nodes on the way", () => {
  const random = new Random("trie");
  for (const size of [1, 2, 17, 100]) {
    const entries = new Map(
      Array.from({ length: size }, () => [toHex(random.bytes(32)), random.bytes(1 + random.below(60))]),
    );
    for (const [key, value] of entries) {
      const { root, nodes } = trieProof(entries, key);
      assert.deepEqual(provenValue(root, fromHex(key), nodes), value);
      const refused = (changed: Uint8Array[], other = key) =>
        assert.ok(attempt(() => provenValue(root, fromHex(other), changed)) instanceof Malformed);
      refused([]);
      refused(nodes.slice(1));
      refused(nodes.slice(0, -1));
      refused([...nodes, nodes[0]!]);
      refused(nodes, toHex(random.bytes(32)));
    }
  }
});

test("nodes that stand in their parents are entered", () => {
  const entries = new Map([
    ["123456", Uint8Array.of(1)],
    ["123457", Uint8Array.of(2)],
    ["129957", new Uint8Array(40).fill(3)],
  ]);
  for (const [key, value] of entries) {
    const { root, nodes } = trieProof(entries, key);
    assert.deepEqual(provenValue(root, fromHex(key), nodes), value);
  }
  // The root of ethers' empty trie holds nothing.
  assert.ok(
    attempt(() => provenValue(keccak(Uint8Array.of(0x80)), fromHex("12"), [Uint8Array.of(0x80)])) instanceof Malformed,
  );
});

test("a key is canonical, free of torsion and not the identity", () => {
  const good = keyOf("somebody").public;
  assert.ok(isWellFormedKey(good));
  const little = (hex: string) => fromHex(hex).reverse();
  const p = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
  const wrong: Record<string, Uint8Array> = {
    identity: little(`${"00".repeat(31)}01`),
    "identity with a sign": little(`80${"00".repeat(30)}01`),
    "order 2": little(`${p.slice(0, -2)}ec`),
    "order 4": new Uint8Array(32),
    "identity beyond p": little(`${p.slice(0, -2)}ee`),
    "order 8": fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    "no point": little(`${"00".repeat(31)}02`),
    "all ones": new Uint8Array(32).fill(255),
  };
  for (const [name, key] of Object.entries(wrong)) assert.ok(!isWellFormedKey(key), name);
});

test("signatures hold by RFC 8032's third example, and not one bit off", () => {
  const key = fromHex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  const signature = fromHex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  );
  assert.ok(verifySignature(key, fromHex("af82"), signature));
  assert.ok(!verifySignature(key, fromHex("af83"), signature));
  for (let at = 0; at < 512; at += 31) {
    const changed = signature.slice();
    changed[at >> 3]! ^= 1 << (at & 7);
    assert.ok(!verifySignature(key, fromHex("af82"), changed));
  }
});

test("checkpoints and cosignatures", () => {
  const { story } = tellStory();
  const [log, witness] = [keyOf("log of the node"), keyOf("log of the witness")];
  const note = story.note(log, [witness]);
  const checkpoint = readCheckpoint(note);
  assert.equal(checkpoint.size, story.log.length);
  assert.ok(isSignedByLog(checkpoint));
  const lines = cosignatureLines(checkpoint, toHex(story.network), [toHex(witness.public)]).map(({ line }) => line);
  assert.deepEqual(
    lines.map((line) => cosignedAt(checkpoint, toHex(witness.public), line)),
    [1_790_000_500],
  );
  assert.equal(cosignedAt(checkpoint, toHex(log.public), lines[0]!), undefined);

  const later = readCheckpoint(note.replace(/\n(\d+)\n/, "\n1$1\n"));
  assert.ok(!isSignedByLog(later));
  assert.equal(cosignedAt(later, toHex(witness.public), lines[0]!), undefined);

  const [size] = /\n\d+\n/.exec(note)!;
  const malformed = [
    note.replace(size, size.replace("\n", "\n0")),
    note.replace(size, "\n9007199254740992\n"),
    note.replace("\n\n", "\nmore\n\n"),
    note.replace("\n\n", "\n\n\n"),
    note.replace("furrow/", "furrow//"),
    note.replaceAll("\n", "\r\n"),
    note.slice(0, -1),
    `${note}\n`,
    `${note}a line\n`,
    note.slice(0, note.indexOf("\n\n") + 2),
    `${note}\u2014 na+me AAAAAAA=\n`,
    `${note}\u2014 name AAAA\n`,
    `${note}${"\u2014 name AAAAAAA=\n".repeat(255)}`,
  ];
  for (const text of malformed)
    assert.ok(attempt(() => readCheckpoint(text)) instanceof Malformed, JSON.stringify(text.slice(0, 200)));
  assert.equal(readCheckpoint(`${note}\u2014 name AAAAAAA=\n`).signatures.length, 3);
  assert.ok(utf8(note).length < 65_536);
});
