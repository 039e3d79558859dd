// Reads deterministic CBOR (RFC 8949, section 4.2.1) and refuses everything else.
// Written for verify.mjs alone, so that it shares no code with the node.

const text = new TextDecoder('utf-8', { fatal: true });

export class Tagged {
  constructor(tag, value) {
    this.tag = tag;
    this.value = value;
  }
}

/** The one item in `bytes`. Maps become Map, byte strings Uint8Array, integers number or bigint. */
export function decode(bytes) {
  const reader = new Reader(bytes);
  const value = reader.item(0);
  if (reader.at !== bytes.length) throw new Error('bytes follow the CBOR item');
  return value;
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  item(depth) {
    if (depth > 32) throw new Error('CBOR is nested too deeply');
    const first = this.take(1)[0];
    const [major, info] = [first >> 5, first & 31];
    if (major === 7) {
      if (info === 20) return false;
      if (info === 21) return true;
      if (info === 22) return null;
      throw new Error('floats and other simple values have no place in signed bytes');
    }
    const argument = this.argument(info);
    switch (major) {
      case 0: return small(argument);
      case 1: return small(-1n - argument);
      case 2: return this.take(length(argument)).slice();
      case 3: return text.decode(this.take(length(argument)));
      case 4: return Array.from({ length: length(argument) }, () => this.item(depth + 1));
      case 5: return this.map(length(argument), depth);
      default: return new Tagged(small(argument), this.item(depth + 1));
    }
  }

  map(entries, depth) {
    const map = new Map();
    let before;
    for (let n = 0; n < entries; n += 1) {
      const start = this.at;
      const key = this.item(depth + 1);
      const encoded = this.bytes.subarray(start, this.at);
      if (before && compare(before, encoded) >= 0) throw new Error('map keys are not in ascending order');
      before = encoded;
      map.set(key, this.item(depth + 1));
    }
    return map;
  }

  argument(info) {
    if (info < 24) return BigInt(info);
    const [size, least] = { 24: [1, 24n], 25: [2, 1n << 8n], 26: [4, 1n << 16n], 27: [8, 1n << 32n] }[info] ?? [];
    if (!size) throw new Error('indefinite lengths are not deterministic');
    let value = 0n;
    for (const byte of this.take(size)) value = (value << 8n) | BigInt(byte);
    if (value < least) throw new Error('a number is not written in its shortest form');
    return value;
  }

  take(count) {
    if (this.at + count > this.bytes.length) throw new Error('CBOR ends too early');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}

const small = (value) =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : value;

function length(argument) {
  if (argument > 0xffffffn) throw new Error('a length is impossible');
  return Number(argument);
}

/** Bytewise order of encodings. */
function compare(a, b) {
  for (let n = 0; n < Math.min(a.length, b.length); n += 1) if (a[n] !== b[n]) return a[n] - b[n];
  return a.length - b.length;
}

/** Encodes what a network's definition needs: arrays, byte strings and texts. */
export function encode(value) {
  if (Array.isArray(value)) return concat([head(4, value.length), ...value.map(encode)]);
  if (value instanceof Uint8Array) return concat([head(2, value.length), value]);
  const bytes = new TextEncoder().encode(value);
  return concat([head(3, bytes.length), bytes]);
}

function head(major, size) {
  if (size < 24) return Uint8Array.of((major << 5) | size);
  if (size < 256) return Uint8Array.of((major << 5) | 24, size);
  return Uint8Array.of((major << 5) | 25, size >> 8, size & 255);
}

export function concat(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
