// Runs the verifier's browser file in a real browser, with the network unplugged, on golden bundles.
//
//   node verifier.mjs FOLDER    the folder has *.bundle with their *.verdict.json

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const folder = process.argv[2];
const code = readFileSync(new URL('../../web/verifier/dist/furrow-verifier.js', import.meta.url), 'utf8');
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env.CHROMIUM ?? places.find(existsSync);
assert(executablePath, `no Chromium at ${places.join(', ')}: install the package 'chromium', or name one in CHROMIUM`);

/** Sentences are for people and may differ between verifiers. */
const withoutSentences = (verdict) => ({
  ...verdict,
  checks: verdict.checks.map(({ proves, rests_on, detail, ...check }) => check),
});

const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] });
try {
  const context = await browser.newContext({ offline: true });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  const bundles = readdirSync(folder).filter((name) => name.endsWith('.bundle'));
  assert(bundles.length > 0, `no bundles in ${folder}`);
  for (const name of bundles) {
    const expected = JSON.parse(readFileSync(join(folder, name.replace('.bundle', '.verdict.json')), 'utf8'));
    const bytes = readFileSync(join(folder, name));
    const judge = (encoded) =>
      page.evaluate(
        async ({ code, encoded, blockHashes }) => {
          const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
          const { verify, parsePolicy } = await import(url);
          const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
          return verify(bytes, parsePolicy({ blockHashes }));
        },
        { code, encoded, blockHashes: expected.blocks.map(({ hash }) => hash) },
      );
    const verdict = await judge(bytes.toString('base64'));
    assert.deepEqual(withoutSentences(verdict), withoutSentences(expected), name);
    bytes[bytes.length >> 1] ^= 1;
    assert.equal((await judge(bytes.toString('base64'))).verdict, 'invalid', `${name} with a changed bit`);
  }
  assert.deepEqual(complaints, []);
  console.log(`${bundles.length} bundles`);
} finally {
  await browser.close();
}
