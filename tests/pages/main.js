// The pages and the mail as people and machines meet them, in Chromium against a running home: axe finds nothing in light,
// dark, at 320 px and at 400 % zoom; a browser that stays without a click gives no answer; one click and one confirm give one.
//
// Environment: BAROMETER, the home's binary; CHROMIUM; WORK, a folder, where pictures of every page are left.

import { rmSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { Home } from './home.js';
import { Looks } from './look.js';

const work = process.env.WORK;
const pictures = `${work}/pictures`;
const looks = new Looks(pictures);
const check = (...of) => looks.check(...of);
const look = (...of) => looks.look(...of);
const data = `${work}/data`;
rmSync(data, { recursive: true, force: true });
const home = new Home(process.env.BAROMETER ?? 'barometer', data, `${work}/home.log`);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

async function moveClock(minutes) {
  const { now } = await home.call('GET', '/local/clock');
  await home.call('POST', '/local/clock', { body: { now: new Date(Date.parse(now) + minutes * 60_000).toISOString() } });
}

async function answers() {
  const bus = await home.call('GET', '/local/bus');
  return bus.filter((event) => event['detail-type'] === 'feedback.received').length;
}

const users = { ada: 'en', bruno: 'de', cleo: 'en' };

/** A workspace with a look of its own whose three users were asked. Returns its keys and each user's mail. */
async function asked() {
  const workspace = await home.call('POST', '/local/workspaces', { body: { name: 'Initech', time_zone: 'UTC' } });
  const token = workspace.api_token;
  const mail = { product: 'Rocket', sender_name: 'Ada of Rocket', accent: '#7a1f5c', footer: 'Initech Ltd\n1 Example Street, Springfield' };
  await home.call('PUT', '/v1/settings', { token, body: { mail } });
  const timestamp = '2026-08-10T10:00:00Z';
  const batch = Object.entries(users).flatMap(([userId, language]) => [
    { type: 'identify', userId, timestamp, traits: { email: `${userId}@acme.example`, name: userId[0].toUpperCase() + userId.slice(1), language } },
    { type: 'group', userId, groupId: 'acme', timestamp, traits: { name: 'Acme' } },
    { type: 'track', userId, event: 'Report Edited', timestamp, context: { groupId: 'acme' } },
  ]);
  await home.call('POST', '/v1/batch', { body: { writeKey: workspace.write_key, batch } });
  await home.call('PATCH', '/v1/companies/acme', { token, body: { request_feedback: true } });
  const mails = {};
  for (let day = 0; day < 60 && Object.keys(mails).length < Object.keys(users).length; day++) {
    await moveClock(24 * 60);
    for (const mail of await home.call('GET', '/local/mail')) mails[mail.to[0].split('@')[0]] ??= mail;
  }
  return { token, key: workspace.write_key, mails };
}

const links = (mail) => [...mail.text.matchAll(/https?:\/\/\S+/g)].map(([url]) => url);

try {
  await home.start('2026-09-07T08:00:00Z');
  const { token, key, mails } = await asked();
  check('every user got one mail', Object.keys(mails).sort(), Object.keys(users));

  console.log('\nMachines');
  const machine = await browser.newContext();
  const ratings = links(mails.ada).slice(0, 11);
  const tabs = await Promise.all(ratings.map(async (url) => {
    const tab = await machine.newPage();
    await tab.goto(url);
    return tab;
  }));
  const [tab] = tabs;
  const debug = await machine.newCDPSession(tab);
  const stayed = new Promise((done) => debug.once('Emulation.virtualTimeBudgetExpired', done));
  // Half a minute of the page's own time: timers and loads happen, nobody waits for them.
  await debug.send('Emulation.setVirtualTimePolicy', { policy: 'pauseIfNetworkFetchesPending', budget: 30_000 });
  await stayed;
  check('eleven links open at once, one for 30 seconds, no click: no answer', await answers(), 0);
  await machine.close();

  console.log('\nA person, without JavaScript');
  const plain = await browser.newContext({ javaScriptEnabled: false });
  const person = await plain.newPage();
  await person.setContent(mails.ada.html);
  await person.getByRole('link', { name: '8 of 10' }).click();
  await person.waitForURL('**/f/*');
  check('the click chooses, and gives no answer', { chosen: await person.getByRole('radio', { checked: true }).getAttribute('value'), answers: await answers() }, { chosen: '8', answers: 0 });
  await person.keyboard.press('Tab');
  check('the first thing the keyboard reaches is the chosen number', await person.locator(':focus').getAttribute('value'), '8');
  const reached = [];
  for (let step = 0; step < 4; step++) {
    await person.keyboard.press('Tab');
    reached.push(await person.evaluate(() => document.activeElement.tagName));
  }
  check('then the text, the button and the way out, and no link that nobody sees', reached, ['TEXTAREA', 'BUTTON', 'A', 'BODY']);
  await person.getByRole('button', { name: 'Send answer' }).click();
  await person.getByText('Your answer was recorded: 8 of 10.').waitFor();
  check('one click and one confirm: one answer', await answers(), 1);
  await plain.close();

  console.log('\nEvery page');
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) check(`a quiet console: ${message.text()}`, false, true);
  });
  for (const [name, user] of [['mail', 'ada'], ['mail-german', 'bruno']]) {
    await page.setContent(mails[user].html);
    await look(page, name);
  }
  const [, , , three] = links(mails.bruno);
  await page.goto(three);
  await look(page, 'question-german');
  await page.locator('#comment').fill('Der Export ist zu langsam.');
  await page.getByRole('button').click();
  await look(page, 'thanks-german');
  const open = links(mails.cleo).at(-2).split('?')[0];
  await page.goto(open);
  await look(page, 'question-unchosen');
  // As a browser without form checks sends it.
  await page.evaluate(() => document.querySelectorAll('input').forEach((input) => input.removeAttribute('required')));
  await page.locator('#comment').fill('No number yet.');
  await page.getByRole('button').click();
  await look(page, 'mistake');
  await page.getByRole('radio', { name: '10' }).check();
  await page.getByRole('button', { name: 'Send answer' }).click();
  await look(page, 'thanks');
  await page.getByRole('link', { name: 'Change your answer' }).click();
  await look(page, 'change');
  await page.getByRole('link', { name: 'Unsubscribe' }).click();
  await look(page, 'unsubscribe');
  await page.getByRole('button', { name: 'Unsubscribe' }).click();
  await look(page, 'unsubscribed');
  await page.getByRole('button', { name: 'Subscribe again' }).click();
  await look(page, 'resubscribed');
  await page.getByRole('button', { name: 'Unsubscribe' }).click();
  await page.getByRole('button', { name: 'Subscribe again' }).click();
  await look(page, 'too-soon');
  await page.goto(`${open}x`);
  await look(page, 'not-a-link');
  await page.goto(open.replace(/f\/.*/, 'f/test-en?s=8'));
  await look(page, 'test');
  await moveClock(31 * 24 * 60);
  await page.goto(open);
  await look(page, 'closed');

  console.log('\nThe API, described');
  for (const path of ['', '/companies', '/ingestion', '/schemas/CompanyView']) {
    await page.goto(`http://127.0.0.1:${home.port}/docs${path}`);
    await look(page, `docs${path.replaceAll('/', '-')}`);
  }

  console.log('\nSigning in by mail');
  await home.call('POST', '/v1/members', { token, body: { email: 'csm@initech.example', role: 'admin' } });
  await page.goto(open.replace(/f\/.*/, 'sign-in'));
  await look(page, 'sign-in');
  await page.getByText('Use an API token').click();
  await look(page, 'sign-in-token');
  await page.getByLabel('API token').fill('bat_wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await look(page, 'sign-in-refused');
  await page.getByLabel('E-mail address').fill('csm@initech.example');
  await page.getByRole('button', { name: 'Mail me a link' }).click();
  await page.getByText('Look into your mail').first().waitFor();
  await look(page, 'sign-in-asked');
  const [signIn] = links((await home.call('GET', '/local/mail')).at(-1));
  const elsewhere = await browser.newContext();
  const stranger = await elsewhere.newPage();
  await stranger.goto(signIn);
  await look(stranger, 'sign-in-elsewhere');
  check('in another browser the link signs nobody in', (await elsewhere.cookies()).length, 0);
  await elsewhere.close();
  await page.goto(signIn);
  await look(page, 'sign-in-link');
  await page.getByRole('button', { name: 'Sign in to Initech' }).click();
  await page.getByRole('link', { name: 'csm@initech.example' }).click();
  await page.getByText('this browser').waitFor();
  await look(page, 'account');

  console.log('\nThe page of mails');
  await page.goto(open.replace(/f\/.*/, 'settings/mail'));
  const frames = await Promise.all(page.frames().slice(1).map((frame) => frame.locator('h1').textContent()));
  check('its frames show the mail in both languages', frames.map((text) => text.includes('Rocket')), [true, true]);
  await look(page, 'mails');
  const before = (await home.call('GET', '/local/mail')).length;
  await page.getByRole('textbox', { name: 'To', exact: true }).fill('csm@initech.example');
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.getByText('The test mail is on its way.').waitFor();
  const after = await home.call('GET', '/local/mail');
  check('a test is one mail, and no answer', [after.length - before, after.at(-1).to, await answers()], [1, ['csm@initech.example'], 3]);
  console.log('\nThe pages of the day');
  const at = (path) => open.replace(/f\/.*/, path);
  await page.goto(at('today'));
  await look(page, 'today-quiet');
  // What a CSM finds in the morning: a low answer with its task, an urgent company, a renewal, a review that is over.
  await home.call('POST', '/v1/feedback', { token: key, body: { user_id: 'cleo', company_id: 'acme', rating: 2, comment: 'Exports fail. When will that end?' } });
  await home.call('PUT', '/v1/companies/acme/status', { token, body: { status: 'healthy', note: 'They renewed early.' } });
  const { now: today } = await home.call('GET', '/local/clock');
  const renewal = new Date(Date.parse(today) + 20 * 86_400_000).toISOString().slice(0, 10);
  await home.call('PATCH', '/v1/companies/acme', { token, body: { owner: 'csm@initech.example', renewal_on: renewal } });
  let tasks = 0;
  for (let tries = 0; tries < 50 && tasks === 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    tasks = (await home.call('GET', '/v1/tasks', { token })).items.length;
  }
  await page.goto(at('today'));
  await page.getByRole('link', { name: 'Everybody’s' }).click();
  check('a low answer, its task, the handover and the renewal wait', await Promise.all(['tasks', 'answers', 'reviews', 'renewals'].map((part) => page.locator(`#${part}`).getByRole('link', { name: 'Acme' }).first().isVisible())), [true, true, true, true]);
  await look(page, 'today');
  await page.locator('#tasks').getByRole('button', { name: /^Done/ }).first().press('Enter');
  await page.getByText('The task is done.').waitFor();
  check('a task is done with the keyboard, and the page comes back', [new URL(page.url()).search, await page.locator('#tasks').getByRole('button', { name: /^Done/ }).count()], ['?of=all&done=task', tasks - 1]);
  await page.getByRole('link', { name: 'Inbox' }).click();
  await look(page, 'inbox');
  await page.getByLabel('To rating').selectOption('6');
  await page.getByRole('button', { name: 'Show' }).click();
  const ratings_shown = await page.locator('tbody tr td:nth-child(2) b').allTextContents();
  check('the inbox is filtered by rating', ratings_shown.every((text) => Number.parseInt(text, 10) <= 6) && ratings_shown.length > 0, true);
  await page.locator('summary').first().press('Enter');
  await page.getByLabel('Why it shouldn’t count').first().fill('A test.');
  await page.getByRole('button', { name: 'Void' }).first().click();
  await page.getByText('The answer doesn’t count any more.').waitFor();
  await look(page, 'inbox-voided');
  await page.goto(at('inbox?company=nobody'));
  await look(page, 'inbox-nobody');
  await page.getByRole('link', { name: 'Overview' }).click();
  await look(page, 'overview');
  await page.emulateMedia({ colorScheme: 'light' });
  for (const format of ['A4', 'Letter']) {
    const pdf = await page.pdf({ format, path: `${pictures}/overview-${format}.pdf` });
    check(`the overview is one page of ${format}`, pdf.toString('latin1').match(/\/Type \/Page\b/g).length, 1);
  }

  console.log('\nThe pages of settings');
  await page.goto(at('settings'));
  await look(page, 'settings-score');
  const weights = ['Login activity', 'Product adoption', 'Feedback'].map((name) => page.getByLabel(name, { exact: true }));
  for (const [index, weight] of ['50', '25', '20'].entries()) await weights[index].fill(weight);
  check('the sum counts as it is typed', await page.locator('#sum').textContent(), '95');
  // As a browser without form checks sends it.
  await page.evaluate(() => { document.querySelector('#settings').noValidate = true; });
  await page.getByRole('button', { name: 'Save without a preview' }).click();
  await page.getByRole('alert').getByText('The weights sum to 95 %; they must sum to 100 %.').waitFor();
  await look(page, 'settings-score-wrong');
  await page.getByRole('button', { name: 'Distribute evenly' }).click();
  check('thirds need no round trip', [await page.locator('#sum').textContent(), await weights[2].inputValue(), page.url()], ['100', '33.34', at('settings')]);
  for (const [index, weight] of ['100', '0', '0'].entries()) await weights[index].fill(weight);
  await page.locator('#settings').getByRole('button', { name: 'Preview', exact: true }).click();
  await page.getByRole('heading', { name: 'What these settings would have changed' }).waitFor();
  await look(page, 'settings-score-preview');
  await page.getByRole('button', { name: 'Save these settings' }).click();
  await page.getByText('Saved as version 3.').waitFor();

  const without = await (await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() })).newPage();
  await without.goto(at('settings'));
  await without.getByRole('button', { name: 'Distribute evenly' }).click();
  check('without JavaScript thirds come from the server', await without.locator('#sum').textContent(), '100');
  await without.context().close();

  await page.goto(at('settings/catalogue'));
  await page.getByLabel('Report Edited', { exact: true }).check();
  await page.getByRole('textbox', { name: 'Label of Report Edited' }).fill('Reports');
  await look(page, 'settings-catalogue');
  await page.getByRole('button', { name: 'Save without a preview' }).click();
  await page.getByText('Saved as version 4.').waitFor();
  await page.goto(at('settings/rules'));
  await look(page, 'settings-rules');
  await page.getByRole('button', { name: 'Switch off: Support a customer who struggles' }).click();
  await page.getByText('Saved as version 5.').waitFor();
  await page.getByRole('link', { name: 'Support a customer who struggles' }).click();
  await home.call('PUT', '/v1/companies/acme/status', { token, body: { status: 'struggling', note: 'They lost their budget.' } });
  await page.getByRole('button', { name: 'Try it on today’s companies' }).click();
  await page.getByText('Today it is about 1 company').waitFor();
  await look(page, 'settings-rule');
  await page.goto(at('settings/new-rule?on=answer&do=tag'));
  await look(page, 'settings-rule-new');
  await page.goto(at('settings/webhooks'));
  await page.getByLabel('Name', { exact: true }).fill('CRM');
  await page.getByLabel('Address').fill('https://crm.example.com/barometer');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('heading', { name: 'The secret of CRM, shown this once' }).waitFor();
  await look(page, 'settings-webhooks');
  await page.goto(at('settings/members'));
  await look(page, 'settings-members');
  await page.goto(at('settings/keys'));
  await page.getByLabel('Label: who or what uses it').fill('Reports');
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByRole('heading', { name: 'The key Reports, shown this once' }).waitFor();
  await look(page, 'settings-keys');
  await page.goto(at('settings/audit'));
  await look(page, 'settings-audit');
  await page.goto(at('settings/versions'));
  await look(page, 'settings-versions');
  await page.goto(at('sources'));
  await look(page, 'sources');
  await page.getByRole('link', { name: 'Settings' }).click();
  const reachable = [];
  await page.keyboard.press('Tab');
  for (let step = 0; step < 30; step++) {
    const here = await page.evaluate(() => document.activeElement.closest('nav')?.ariaLabel === 'Settings' && document.activeElement.textContent);
    if (here) reachable.push(here);
    await page.keyboard.press('Tab');
  }
  check('the keyboard reaches every page of settings in their order', reachable, ['Score', 'Feedback & mail', 'Catalogue', 'Rules', 'Webhooks', 'Sources', 'Members', 'API keys', 'Audit', 'Versions']);
} finally {
  await browser.close();
  await home.stop();
}
looks.finish();
