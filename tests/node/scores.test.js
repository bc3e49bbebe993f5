// The official Node client against a running home: three companies, two weeks, scores worked out by hand.
//
// Environment: HOME_URL, the address of a home whose clock stands at 2026-09-03T18:00:00Z, as run.sh starts it.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Analytics } from '@segment/analytics-node';

const home = new URL(process.env.HOME_URL ?? 'http://127.0.0.1:8080');

// The home starts on Thursday of 2026-W36, after that week's activity, because a timestamp in the future isn't believed.
// Two weeks later both weeks are scored and their 48 hours of grace are over.
const ONE_WEEK_ON = '2026-09-10T18:00:00Z';
const TWO_WEEKS_ON = '2026-09-17T18:00:00Z';

// Long customers of the workspace, so that two scored weeks end their onboarding.
const companies = {
  acme: { name: 'Acme', plan: 'pro', createdAt: '2026-01-05T00:00:00Z' },
  globex: { name: 'Globex', plan: 'pro', createdAt: '2026-01-05T00:00:00Z' },
  initech: { name: 'Initech', plan: 'free', createdAt: '2026-01-05T00:00:00Z' },
};
const users = { ada: 'acme', alan: 'acme', grace: 'globex', edsger: 'initech', barbara: 'initech' };

async function call(method, path, { token, body } = {}) {
  const response = await fetch(new URL(path, home), {
    method,
    headers: {
      accept: 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

/** Gives `post` a client of its own and waits until the home has answered for everything that was posted. */
async function withClient(writeKey, post) {
  const client = new Analytics({ host: home.origin, writeKey, maxRetries: 0, flushAt: 20 });
  const errors = [];
  const statuses = [];
  client.on('error', (error) => errors.push(error));
  client.on('http_response', ({ status }) => statuses.push(status));
  post(client);
  await client.closeAndFlush({ timeout: 10_000 });
  assert.deepEqual(errors, []);
  assert.ok(statuses.length > 0);
  assert.deepEqual([...new Set(statuses)], [200]);
}

const at = (day, time) => new Date(`${day}T${time}Z`);

/** One active day with an hour of work: an event at 10:55 that lasted 55 minutes fills 10:00 to 10:55, 12 slots of 5 minutes. */
function anHour(client, userId, day) {
  const context = { groupId: users[userId] };
  client.page({ userId, name: 'Reports', properties: { path: '/reports' }, context, timestamp: at(day, '10:00:30') });
  client.track({
    userId,
    event: 'Report Edited',
    properties: { feature: 'reports', durationSeconds: 55 * 60 },
    context,
    timestamp: at(day, '10:55:30'),
  });
}

/** Half an hour: 10:00 to 10:25, 6 slots. */
function halfAnHour(client, userId, day) {
  const context = { groupId: users[userId] };
  client.track({
    userId,
    event: 'Report Edited',
    properties: { feature: 'reports', durationSeconds: 25 * 60 },
    context,
    timestamp: at(day, '10:25:30'),
  });
}

let workspace;
const read = (path) => call('GET', path, { token: workspace.api_token });

before(async () => {
  workspace = await call('POST', '/local/workspaces', { body: { name: 'Node job', time_zone: 'UTC' } });
});

test('two weeks of activity are posted by the official client', async () => {
  await withClient(workspace.write_key, (client) => {
    for (const [userId, groupId] of Object.entries(users)) {
      client.identify({ userId, traits: { name: userId }, timestamp: at('2026-09-01', '08:00:00') });
      client.group({ userId, groupId, traits: companies[groupId], timestamp: at('2026-09-01', '08:00:01') });
    }
    // Alan is known and does nothing: identify and group are not activity.
    anHour(client, 'ada', '2026-09-01');
    anHour(client, 'grace', '2026-09-02');
    // One click each: one slot of 5 minutes.
    client.track({ userId: 'edsger', event: 'Signed In', context: { groupId: 'initech' }, timestamp: at('2026-09-02', '09:00:00') });
    client.track({ userId: 'barbara', event: 'Signed In', context: { groupId: 'initech' }, timestamp: at('2026-09-03', '09:00:00') });
  });
  await call('POST', '/local/clock', { body: { now: ONE_WEEK_ON } });

  await withClient(workspace.write_key, (client) => {
    halfAnHour(client, 'ada', '2026-09-07');
    halfAnHour(client, 'alan', '2026-09-08');
    // Nobody at Globex.
    anHour(client, 'edsger', '2026-09-09');
    anHour(client, 'barbara', '2026-09-10');
  });
  await call('POST', '/local/clock', { body: { now: TWO_WEEKS_ON } });
});

// By hand. Login = active users / users (one day a week is expected). Adoption = depth alone, since no feature catalogue
// is accepted: minutes / (60 × users). Feedback: nobody answered, so it is missing and its third of the weight goes to the
// other two: score = (login + adoption) / 2, coverage = 66.66 / 99.99 = 66.67 %. Bands begin with the second valid week.
const expected = {
  acme: [
    // 1 of 2 users; 60 of 120 minutes; (50 + 50) / 2.
    { period: '2026-W36', login: 50, adoption: 50, score: 50, shown: 50, band: 'onboarding' },
    // 2 of 2; 30 + 30 of 120 minutes; (100 + 50) / 2. 75 is the last Healthy percent.
    { period: '2026-W37', login: 100, adoption: 50, score: 75, shown: 75, band: 'healthy' },
  ],
  globex: [
    // 1 of 1; 60 of 60 minutes.
    { period: '2026-W36', login: 100, adoption: 100, score: 100, shown: 100, band: 'onboarding' },
    // The workspace sent, Globex did nothing: a real 0 and not a gap.
    { period: '2026-W37', login: 0, adoption: 0, score: 0, shown: 0, band: 'at_risk' },
  ],
  initech: [
    // 2 of 2; 5 + 5 of 120 minutes = 8.33 %; (100 + 8.33) / 2 = 54.165, half up.
    { period: '2026-W36', login: 100, adoption: 8.33, score: 54.17, shown: 54, band: 'onboarding' },
    // 2 of 2; 60 + 60 of 120 minutes.
    { period: '2026-W37', login: 100, adoption: 100, score: 100, shown: 100, band: 'thriving' },
  ],
};

for (const [id, weeks] of Object.entries(expected)) {
  test(`the weeks of ${id}`, async () => {
    const { items } = await read(`/v1/companies/${id}/weeks?from=2026-W36&to=2026-W37`);
    const found = items
      .map(({ period, revision, components, coverage, score, shown, band }) => ({
        period,
        revision,
        login: components.login.value,
        adoption: components.adoption.value,
        feedback: components.feedback.value,
        coverage,
        score,
        shown,
        band,
      }))
      .sort((a, b) => a.period.localeCompare(b.period));
    // Nothing came late, so each week has its first revision only.
    assert.deepEqual(
      found,
      weeks.map((week) => ({
        period: week.period,
        revision: 1,
        login: week.login,
        adoption: week.adoption,
        feedback: null,
        coverage: 66.67,
        score: week.score,
        shown: week.shown,
        band: week.band,
      })),
    );
  });
}

test('the portfolio shows the three companies with the same scores', async () => {
  const { items } = await read('/v1/companies');
  const found = Object.fromEntries(
    items.map(({ company_id, name, engagement, happiness }) => [
      company_id,
      {
        name,
        trend: engagement.trend.filter(({ week }) => week === '2026-W36' || week === '2026-W37').map(({ week, score }) => ({ week, score })),
        happiness: happiness.level,
      },
    ]),
  );
  const wanted = Object.fromEntries(
    Object.entries(expected).map(([id, weeks]) => [
      id,
      { name: companies[id].name, trend: weeks.map(({ period, score }) => ({ week: period, score })), happiness: 'no_data' },
    ]),
  );
  assert.deepEqual(found, wanted);
});
