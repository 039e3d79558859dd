// Checks the account and storage proof of an anchor with @ethereumjs/mpt.
//
// Usage: node storage_mpt.mjs FILE
// FILE is JSON: { header, contract, sender, commitment, account: [node…], slot: [node…] }, all in hex with 0x.

import { readFileSync } from 'node:fs';
import { verifyMerkleProof } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { keccak_256 } from '@noble/hashes/sha3.js';

const bytes = (hex) => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
const hex = (value) => Buffer.from(value).toString('hex');
const must = (holds, message) => {
  if (!holds) throw new Error(message);
};

// The library takes the first node's hash for the root, whatever root is meant: so that is compared here.
const proven = async (root, key, proof) => {
  must(proof.length > 0 && hex(keccak_256(proof[0])) === hex(root), 'the proof does not begin at the root');
  return verifyMerkleProof(keccak_256(key), proof);
};

if (process.argv.length !== 3) {
  console.error('usage: storage_mpt.mjs FILE');
  process.exit(2);
}
try {
  const given = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const stateRoot = RLP.decode(bytes(given.header))[3];
  const account = await proven(stateRoot, bytes(given.contract), given.account.map(bytes));
  must(account, 'the contract is not in the state');
  const slot = new Uint8Array(64);
  slot.set(bytes(given.sender), 12);
  const value = await proven(RLP.decode(account)[2], keccak_256(slot), given.slot.map(bytes));
  must(value, 'the slot is empty');
  const stored = hex(RLP.decode(value)).padStart(64, '0');
  must(stored === given.commitment.slice(2), `the slot holds ${stored}`);
} catch (refusal) {
  console.log(`refused: ${refusal.message}`);
  process.exit(1);
}
