// Checks a COSE_Sign1 with @auth0/cose: a signed event, or a receipt with the log root as detached payload.
//
// Usage: node cose_auth0.mjs statement FILE
//        node cose_auth0.mjs receipt FILE ROOT_HEX

import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Sign1 } from '@auth0/cose';

const [what, file, root] = process.argv.slice(2);
if (!['statement', 'receipt'].includes(what) || !file || (what === 'receipt' && !root)) {
  console.error('usage: cose_auth0.mjs statement FILE | receipt FILE ROOT_HEX');
  process.exit(2);
}
try {
  const message = Sign1.decode(readFileSync(file));
  const x = Buffer.from(message.protectedHeaders.get(4)).toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  await message.verify(key, what === 'receipt' ? { detachedPayload: Buffer.from(root, 'hex') } : undefined);
} catch (refusal) {
  console.log(`refused: ${refusal.message}`);
  process.exit(1);
}
