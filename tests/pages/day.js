// A CSM's day in Chromium against a running home: signs in by the mailed link, finds a company, says that it struggles, takes
// that back, says it again and sees the task and the mail, changes the weights, voids an answer, takes the list home as CSV, and
// signs out. No step asks the API for what the page should show.
//
// Environment: BAROMETER, the home's binary; CHROMIUM; WORK, a folder, where pictures of every page are left.

import { readFileSync, rmSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { Home } from './home.js';
import { Looks } from './look.js';

const work = process.env.WORK;
const looks = new Looks(`${work}/pictures-day`);
const check = (...of) => looks.check(...of);
const data = `${work}/data-day`;
rmSync(data, { recursive: true, force: true });
const home = new Home(process.env.BAROMETER ?? 'barometer', data, `${work}/home-day.log`);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

const CSM = 'anna@initech.example';

async function moveClock(minutes) {
  const { now } = await home.call('GET', '/local/clock');
  await home.call('POST', '/local/clock', { body: { now: new Date(Date.parse(now) + minutes * 60_000).toISOString() } });
}

/** Three companies whose users were active on so many days of each week, and what one of them answered. */
async function world() {
  const workspace = await home.call('POST', '/local/workspaces', { body: { name: 'Initech', time_zone: 'UTC' } });
  const token = workspace.api_token;
  for (let week = 0; week < 6; week++) {
    const batch = [];
    for (const [company, days] of [['acme', 5 - Math.min(week, 4)], ['bolt', 4], ['crane', 1 + Math.min(week, 3)]]) {
      for (let user = 0; user < 3; user++) {
        for (let day = 0; day < days; day++) {
          const timestamp = new Date(Date.parse('2026-07-27T10:00:00Z') + (week * 7 + day) * 86_400_000).toISOString();
          batch.push({ type: 'track', userId: `${company}-${user}`, event: 'Report Edited', timestamp, messageId: `${company}-${user}-${week}-${day}`, context: { groupId: company } });
        }
      }
    }
    if (week === 0) {
      for (const [company, name] of [['acme', 'Acme Foods'], ['bolt', 'Bolt & Sons'], ['crane', '=Crane']]) {
        for (let user = 0; user < 3; user++) {
          const userId = `${company}-${user}`;
          batch.unshift({ type: 'identify', userId, timestamp: '2026-07-27T09:00:00Z', messageId: `i-${userId}`, traits: { email: `${userId}@${company}.example`, name: `User ${user} of ${name}` } });
          batch.unshift({ type: 'group', userId, groupId: company, timestamp: '2026-07-27T09:00:00Z', messageId: `g-${userId}`, traits: { name, plan: company === 'bolt' ? 'pro' : 'basic' } });
        }
      }
    }
    const { now } = await home.call('GET', '/local/clock');
    const monday = Date.parse('2026-08-03T08:00:00Z') + week * 7 * 86_400_000;
    if (Date.parse(now) < monday) await home.call('POST', '/local/clock', { body: { now: new Date(monday).toISOString() } });
    await home.call('POST', '/v1/batch', { body: { writeKey: workspace.write_key, batch } });
  }
  await moveClock(7 * 24 * 60 + 120);
  await home.call('POST', '/v1/members', { token, body: { email: CSM, name: 'Anna', role: 'admin' } });
  for (const company of ['acme', 'bolt', 'crane']) await home.call('PATCH', `/v1/companies/${company}`, { token, body: { owner: CSM } });
  await home.call('POST', '/v1/feedback', { token: workspace.write_key, body: { user_id: 'bolt-0', company_id: 'bolt', rating: 2, scale: 'nps', comment: 'A test, please ignore.' } });
  return workspace.write_key;
}

/** A CSV file as lists of fields. */
function csv(text) {
  const rows = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    if (rows.length === 0 || rows.at(-1).done) rows.push({ fields: [], done: false });
    rows.at(-1).fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    rows.at(-1).done = end !== ',';
  }
  return rows.map(({ fields }) => fields).filter((fields) => fields.length > 1);
}

const names = (page) => page.locator('table.pf tbody th a').allTextContents();

/** Signs in by the mailed link. */
async function signIn(page, url) {
  await page.goto(`${url}/sign-in`);
  await page.getByLabel('E-mail address').fill(CSM);
  await page.getByRole('button', { name: 'Mail me a link' }).click();
  await page.getByText('Look into your mail').first().waitFor();
  const [link] = (await home.call('GET', '/local/mail')).at(-1).text.match(/http\S+\/sign-in\/\S+/);
  await page.goto(link);
  await page.getByRole('button', { name: 'Sign in to Initech' }).click();
  await page.goto(`${url}/`);
}

/** Loads a page again until it shows something: what follows from a change comes by the bus. */
async function until(page, locator) {
  for (let step = 0; step < 50; step++) {
    if ((await locator.count()) > 0) return;
    await page.waitForTimeout(100);
    await page.reload();
  }
  throw new Error(`never came: ${locator}`);
}

try {
  await home.start('2026-07-27T08:00:00Z');
  const key = await world();
  const url = `http://127.0.0.1:${home.port}`;
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) check(`a quiet console: ${message.text()}`, false, true);
  });

  console.log('\nSigning in');
  await page.goto(`${url}/`);
  check('who isn’t signed in comes to the sign-in', new URL(page.url()).pathname, '/sign-in');
  await signIn(page, url);
  check('signed in as a member', await page.getByRole('link', { name: CSM }).count(), 1);

  console.log('\nThe portfolio');
  await page.getByRole('columnheader', { name: 'Company' }).getByRole('link').click();
  check('sorted by name', await names(page), ['=Crane', 'Acme Foods', 'Bolt & Sons']);
  await page.getByRole('columnheader', { name: 'Company' }).getByRole('link').click();
  check('and back', await names(page), ['Bolt & Sons', 'Acme Foods', '=Crane']);
  await page.getByRole('columnheader', { name: 'Engagement' }).getByRole('link').click();
  const scores = (await page.locator('table.pf tbody td:nth-child(3) b').allTextContents()).map(Number);
  check('by engagement, the lowest first', scores, scores.toSorted((a, b) => a - b));
  await page.getByRole('searchbox', { name: 'Search' }).fill('basic');
  await page.getByRole('button', { name: 'Show' }).click();
  check('two have this plan', (await names(page)).toSorted(), ['=Crane', 'Acme Foods']);
  await looks.look(page, 'portfolio');
  await page.getByRole('link', { name: 'Show all' }).click();

  console.log('\nSearch as you type');
  const search = page.getByRole('searchbox', { name: 'Search' });
  const told = page.locator('[role=status]');
  await search.pressSequentially('basic');
  await told.getByText('Showing 2 of 3').waitFor();
  const focused = await search.evaluate((field) => document.activeElement === field);
  check('the list follows, the address is the view, and the keyboard stays', [(await names(page)).toSorted(), new URL(page.url()).search, focused], [['=Crane', 'Acme Foods'], '?q=basic', true]);
  await looks.look(page, 'portfolio-searched');
  await search.fill('nobody');
  await told.getByText('Showing 0 of 3').waitFor();
  check('nothing found is said, with a way back', await page.getByRole('link', { name: 'Show all 3' }).count(), 1);
  await page.route('**/?q=bol', () => {});
  const given_up = page.waitForEvent('requestfailed');
  const asked = page.waitForRequest('**/?q=bol');
  await search.fill('bol');
  await asked;
  await search.fill('crane');
  await given_up;
  await told.getByText('Showing 1 of 3').waitFor();
  check('an older request is given up for a newer one', await names(page), ['=Crane']);
  await page.route('**/?q=acme', (route) => route.abort());
  await search.fill('acme');
  await told.getByText('didn’t get through').waitFor();
  check('a search that fails says so and leaves the list', [await names(page), new URL(page.url()).search], [['=Crane'], '?q=crane']);
  await page.unrouteAll();
  const cookies = await context.cookies();
  await context.clearCookies();
  await search.fill('bolt');
  await told.getByText('You are signed out').waitFor();
  check('so does one after the session has ended', [await names(page), await told.getByRole('link', { name: 'Sign in again' }).count()], [['=Crane'], 1]);
  await context.addCookies(cookies);
  await search.fill('');
  await told.getByText('Showing 3 of 3').waitFor();
  check('an empty search is the whole list at its own address', page.url(), `${url}/`);
  const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() });
  const without = await plain.newPage();
  await without.goto(`${url}/`);
  await without.getByRole('searchbox', { name: 'Search' }).fill('basic');
  await without.getByRole('button', { name: 'Show' }).click();
  check('without JavaScript the button does it', (await names(without)).toSorted(), ['=Crane', 'Acme Foods']);
  await plain.close();

  console.log('\nA company struggles');
  await page.getByRole('link', { name: 'Acme Foods' }).first().click();
  await page.getByText('Set or confirm the status').click();
  await page.getByRole('radio', { name: 'Healthy' }).check();
  await page.getByLabel('Why do you see it so?').fill('Growing with us.');
  await page.getByRole('button', { name: 'Set status' }).click();
  await page.getByText('Set or confirm the status').click();
  await page.getByRole('radio', { name: 'Struggling' }).check();
  await page.getByLabel('Why do you see it so?').fill('Their budget is frozen.');
  await page.getByRole('button', { name: 'Set status' }).click();
  await page.getByText('The status is set.').waitFor();
  const mail = page.getByText('Mail to User');
  await until(page, mail);
  check('the mail waits, and can be undone', await page.getByRole('button', { name: 'Undo: Mail to User' }).count(), 1);
  const task = page.getByRole('button', { name: 'Done:' });
  await until(page, task);
  await looks.look(page, 'company');
  const before = (await home.call('GET', '/local/mail')).length;
  await page.getByRole('button', { name: 'Take back: Healthy again' }).click();
  await until(page, page.getByText('undone'));
  await page.reload();
  check('taken back: no task is left', await task.count(), 0);
  await moveClock(45);
  check('and no mail went out', (await home.call('GET', '/local/mail')).length, before);

  await page.reload();
  await page.getByText('Set or confirm the status').click();
  await page.getByRole('radio', { name: 'Struggling' }).check();
  await page.getByLabel('Why do you see it so?').fill('It is final: their budget is frozen.');
  await page.getByRole('button', { name: 'Set status' }).click();
  await until(page, task);
  await moveClock(45);
  const sent = (await home.call('GET', '/local/mail')).slice(before);
  check('said again: one mail goes to one of their users, in the CSM’s name', [sent.length, sent[0]?.to[0].endsWith('@acme.example'), sent[0]?.raw.includes(`Reply-To: ${CSM}`)], [1, true, true]);
  await page.reload();
  await page.getByText('done ').first().waitFor();
  await task.first().click();
  await page.getByText('The task is done.').waitFor();
  check('the task is done', await task.count(), 0);

  console.log('\nThe weights');
  await page.goto(`${url}/settings`);
  const weights = ['Login activity', 'Product adoption', 'Feedback'].map((name) => page.getByLabel(name, { exact: true }));
  for (const [index, weight] of ['60', '20', '10'].entries()) await weights[index].fill(weight);
  // As a browser without form checks sends it.
  await page.evaluate(() => { document.querySelector('#settings').noValidate = true; });
  await page.getByRole('button', { name: 'Save without a preview' }).click();
  await page.getByRole('alert').getByText('The weights sum to 90 %; they must sum to 100 %.').waitFor();
  check('a wrong sum is refused, and what was typed stays', await Promise.all(weights.map((weight) => weight.inputValue())), ['60', '20', '10']);
  await weights[2].fill('20');
  await page.locator('#settings').getByRole('button', { name: 'Preview', exact: true }).click();
  await page.getByRole('heading', { name: 'What these settings would have changed' }).waitFor();
  await looks.look(page, 'preview');
  await page.getByRole('button', { name: 'Save these settings' }).click();
  await page.getByText('Saved as version 2.').waitFor();
  const { now: timestamp } = await home.call('GET', '/local/clock');
  const batch = ['acme-0', 'acme-1', 'acme-2'].map((userId) => ({ type: 'track', userId, event: 'Report Edited', timestamp, context: { groupId: 'acme' } }));
  await home.call('POST', '/v1/batch', { body: { writeKey: key, batch } });
  await moveClock(7 * 24 * 60);
  await page.goto(`${url}/companies/acme`);
  check('a session ends after 8 hours of silence', new URL(page.url()).pathname, '/sign-in');
  await signIn(page, url);
  await page.goto(`${url}/companies/acme`);
  check('the trend marks the first week under the new version', await page.locator('svg.chart').getByText('v2').count(), 1);
  check('and that the status fell', await page.locator('svg.chart .ev').getByText('▼').count(), 1);
  await page.getByText('The weeks as a table').click();
  check('the table says both in words', await Promise.all(['scored with version 2', 'status Healthy → Struggling'].map((text) => page.locator('table.wk').getByText(text).first().isVisible())), [true, true]);

  console.log('\nAn answer that shouldn’t count');
  await page.goto(`${url}/companies/bolt`);
  await page.getByText('A test, please ignore.').waitFor();
  await page.locator('summary', { hasText: 'Void' }).click();
  await page.getByLabel('Why it shouldn’t count').fill('Our own test.');
  await page.getByRole('button', { name: 'Void the answer' }).click();
  await page.getByText('void: Our own test.').waitFor();
  check('it is void', await page.getByRole('button', { name: 'Void the answer' }).count(), 0);

  console.log('\nAsking');
  await page.getByRole('button', { name: 'Switch on' }).click();
  await page.getByText('Feedback requests are on.').waitFor();
  check('it says who is asked next', await page.getByText(/On\. User \d of Bolt & Sons is asked next, on/).count(), 1);

  console.log('\nThe list as a file');
  await page.goto(`${url}/?sort=name`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as CSV' }).click()]);
  const text = readFileSync(await download.path(), 'utf8');
  const [head, ...rows] = csv(text);
  const column = (name) => rows.map((row) => row[head.indexOf(name)]);
  check('it has the companies in the order of the page', column('company_id'), ['crane', 'acme', 'bolt']);
  check('no name can be a formula', column('name')[0], "'=Crane");
  check('and the status that was set', column('business_status')[1], 'struggling');

  console.log('\nSigning out');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(`${url}/companies/acme`);
  check('nothing is shown any more', new URL(page.url()).pathname, '/sign-in');
} finally {
  await browser.close();
  await home.stop();
}
looks.finish();
