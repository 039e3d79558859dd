// Looks at the consumer's page with a real browser, as a phone and as a desk shows it.
//
//   node page.mjs '{"url": …, "name": …, "screenshots": FOLDER, "texts": […], "patterns": […]}'
//
// Demands that all texts and patterns can be seen, that nothing is wider than the screen or covers
// something else, and that the browser has nothing to complain of. Takes a picture of each screen.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const SCREENS = [
  { width: 390, height: 844, isMobile: true, hasTouch: true },
  { width: 1280, height: 900, isMobile: false, hasTouch: false },
];

// The browser talks to the node under test and to nobody else.
const QUIET = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

const expected = JSON.parse(process.argv[2]);
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env.CHROMIUM ?? places.find(existsSync);
assert(executablePath, `no Chromium at ${places.join(', ')}: install the package 'chromium', or name one in CHROMIUM`);

const browser = await chromium.launch({ executablePath, args: QUIET });
try {
  // All pictures are taken before the first demand fails: whoever has to mend the page wants to see it.
  const looks = [];
  for (const screen of SCREENS) {
    looks.push(await look(screen));
  }
  for (const demands of looks) {
    await demands();
  }
} finally {
  await browser.close();
}

/** Opens the page and takes its picture; the function that is returned makes the demands. */
async function look({ width, height, isMobile, hasTouch }) {
  const context = await browser.newContext({ viewport: { width, height }, isMobile, hasTouch, locale: 'en-GB' });
  const page = await context.newPage();
  const complaints = [];
  const asked = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type())
    && complaints.push(`${message.location().url}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('request', (request) => asked.push(request.url()));
  const response = await page.goto(expected.url, { waitUntil: 'load' });
  assert.equal(response.status(), 200);
  await page.screenshot({ path: join(expected.screenshots, `${expected.name}-${width}.png`), fullPage: true });

  return async () => {
    const at = `at ${width} pixels`;
    const seen = await page.evaluate(() => document.body.innerText);
    for (const text of expected.texts) {
      assert(seen.includes(text), `${at}, '${text}' cannot be seen in:\n${seen}`);
    }
    for (const pattern of expected.patterns) {
      assert.match(seen, new RegExp(pattern), at);
    }
    const scrolled = await page.evaluate(() => document.documentElement.scrollWidth);
    assert(scrolled <= width, `${at}, the page is ${scrolled} wide`);
    assert.deepEqual(await page.evaluate(sticksOut, width), [], `${at}, these stick out`);
    assert.deepEqual(await page.evaluate(spilt), [], `${at}, these pictures cover what is beside them`);
    assert.equal(await page.locator('h1').count(), 1, 'one heading says what it is');
    assert.equal(await page.locator('img:not([alt])').count(), 0, 'pictures can be read aloud');
    const host = new URL(expected.url).host;
    assert.deepEqual(asked.filter((url) => new URL(url).host !== host), [], 'nobody else learns who looks');
    assert.deepEqual(complaints, [], 'the browser complains');
  };
}

/** Runs in the page: what reaches beyond the right edge of the screen. */
function sticksOut(width) {
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > width + 1)
    .map((element) => element.outerHTML.slice(0, 120));
}

/** Runs in the page: pictures that are larger than the place that they were given. */
function spilt() {
  const isLarger = (picture) => {
    const [inner, outer] = [picture, picture.parentElement].map((element) => element.getBoundingClientRect());
    return inner.width > outer.width + 1 || inner.height > outer.height + 8;
  };
  return [...document.querySelectorAll('svg')].filter(isLarger).map((picture) => picture.parentElement.outerHTML.slice(0, 80));
}
