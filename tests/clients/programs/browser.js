// Browser clients in headless Chromium: a page of one origin that posts to another, as in production.
//
// Argument: which client. It talks to the test as program.js says, and in the end it says `sent` and is told `close` when
// everything has arrived.

import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { chromium } from 'playwright-core';
import { answerAt, answerProperties, answers, complain, host, key, lines, options, pause, plan, report, round, versionOf } from './program.js';

const modules = new URL('../node_modules/', import.meta.url).pathname;

// The product's own page: a client's bundle as its package ships it, and nothing else.
const types = { '.js': 'text/javascript', '.mjs': 'text/javascript' };
const site = createServer((request, answer) => {
  const { pathname } = new URL(request.url, 'http://site');
  const file = pathname.startsWith('/modules/') ? modules + pathname.slice('/modules/'.length) : undefined;
  if (file && existsSync(file)) {
    answer.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    return createReadStream(file).pipe(answer);
  }
  answer.setHeader('content-type', 'text/html');
  answer.end('<!doctype html><meta charset="utf-8"><title>Reports</title><p>A product.');
});
await new Promise((done) => site.listen(0, '127.0.0.1', done));

// This machine's clock is not the home's: what is planned in the home's time is said in the machine's, as a browser
// with a wrong clock does. The difference is taken out again by the home, from `sentAt`.
const clock = Number(process.env.CLOCK);
const said = (instant) => new Date(new Date(instant).getTime() + clock).toISOString();

// How each client is started, in the page; and its calls under common names.
const drivers = {
  '@segment/analytics-next': {
    bundle: '@segment/analytics-next/dist/umd/index.js',
    // Only the key and `cdnURL`: where to post follows from the settings that are fetched there.
    start: async ({ key, host, options }) => {
      const analytics = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: host, ...options });
      window.client = {
        identify: (id, traits) => analytics.identify(id, traits),
        group: (id, traits) => analytics.group(id, traits),
        page: (name, timestamp) => analytics.page('', name, {}, { timestamp }),
        screen: (name, timestamp) => analytics.screen('', name, {}, { timestamp }),
        track: (name, properties, timestamp) => analytics.track(name, properties, { timestamp }),
      };
      await analytics.ready();
    },
  },
  '@rudderstack/analytics-js': {
    bundle: '@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js',
    start: async ({ key, host, options }) => {
      const analytics = new window.rudderanalytics.RudderAnalytics();
      analytics.load(key, host, { configUrl: host, ...options });
      window.client = {
        identify: (id, traits) => analytics.identify(id, traits),
        group: (id, traits) => analytics.group(id, traits),
        page: (name, originalTimestamp) => analytics.page('', name, {}, { originalTimestamp }),
        // It has no screens.
        screen: (name, originalTimestamp) => analytics.page('', name, {}, { originalTimestamp }),
        track: (name, properties, originalTimestamp) => analytics.track(name, properties, { originalTimestamp }),
      };
      await new Promise((done) => analytics.ready(done));
    },
  },
  'posthog-js': {
    bundle: 'posthog-js/dist/array.js',
    start: async ({ key, host, options }) => {
      const { posthog } = window;
      await new Promise((loaded) => {
        // Nothing but what is called, because each event is counted; and it would send nothing at all from a browser
        // that says it is automated.
        const counted = { capture_pageview: false, autocapture: false, opt_out_useragent_filter: true };
        posthog.init(key, { api_host: host, loaded, ...counted, ...options });
      });
      const capture = (name, properties, at) => void posthog.capture(name, properties, { timestamp: new Date(at) });
      window.client = {
        identify: (id, traits) => posthog.identify(id, traits),
        group: (id, traits) => posthog.group('company', id, traits),
        page: (name, at) => capture('$pageview', { title: name }, at),
        screen: (name, at) => capture('$screen', { $screen_name: name }, at),
        track: capture,
      };
    },
  },
};

const name = process.argv[2];
const driver = drivers[name];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage();
page.on('pageerror', complain);
page.on('console', (message) => {
  // What was answered with an error is the proxy's to see.
  if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complain(message.text());
});
let taken = 0;
page.on('response', (response) => {
  const { pathname } = new URL(response.url());
  if (response.request().method() === 'POST' && response.ok() && !pathname.startsWith('/flags')) taken += 1;
});
/** Waits until that many requests were answered: none of these clients has a flush that says so. */
async function untilTaken(count) {
  while (taken < count) await pause(20);
}
await page.goto(`http://127.0.0.1:${site.address().port}/`);
await page.addScriptTag({ url: `/modules/${driver.bundle}` });
await page.evaluate(driver.start, { key, host, options });

if (round === 'well') {
  const at = Object.fromEntries(
    ['pricing', 'dashboard', 'screen', 'edited', 'exported'].map((of) => [of, said(typeof plan[of] === 'string' ? plan[of] : plan[of].at)]),
  );
  await page.evaluate(
    async ({ plan, at }) => {
      const { client } = window;
      // A visitor first, whom identify() names.
      await client.page('Pricing', at.pricing);
      await client.identify('ada', plan.users.ada);
      await client.group(plan.company.id, plan.company.traits);
      await Promise.all([
        client.page('Dashboard', at.dashboard),
        client.track('Report Edited', plan.edited.properties, at.edited),
        client.screen('Reports', at.screen),
        client.track('Report Exported', plan.exported.properties, at.exported),
      ]);
    },
    { plan, at },
  );
} else {
  await page.evaluate(async ({ id, traits }) => {
    await window.client.identify('ada', {});
    await window.client.group(id, traits);
  }, plan.company);
  await untilTaken(2);
  const send = (index) =>
    // Not awaited: a page goes on while its client sends.
    page.evaluate(({ properties, timestamp }) => void window.client.track('NPS Submitted', properties, timestamp), {
      properties: answerProperties(index),
      timestamp: said(answerAt(index)),
    });
  await answers(send, () => untilTaken(3));
}
console.log('sent');
await lines.next();
await browser.close();
site.close();
report({ version: versionOf(name) });
