// Generates clients from the document that a running home serves, checks and runs them, and lets schemathesis loose on it.
//
// Arguments: parts (typescript, python, schemathesis); without any, all. Environment: BAROMETER, the home's binary; WORK, a folder for
// what is made.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Home } from './home.js';

const work = process.env.WORK;
const here = new URL('.', import.meta.url).pathname;
const PARTS = { typescript, python, schemathesis };

/** Runs a command to its end. Returns how it failed. */
function attempt(command, args, environment = {}) {
  const ended = spawnSync(command, args, {
    cwd: here,
    stdio: 'inherit',
    env: { ...process.env, ...environment, PYTHONDONTWRITEBYTECODE: '1' },
  });
  return ended.status === 0 ? null : `${command} ${args[0]} ended with ${ended.status ?? ended.signal}`;
}

/** Runs a command to its end; its failure is the job's. */
function run(command, args, environment) {
  const failed = attempt(command, args, environment);
  if (failed) throw new Error(failed);
}

/** A workspace with a little of everything: companies of which some fell, answers, statuses that contradict, tasks, a webhook; and to
 * quiet ones nobody ever came. */
async function seed(home, companies, quiet = []) {
  const workspace = await home.call('POST', '/local/workspaces', { body: { name: 'API', time_zone: 'Europe/Berlin' } });
  const [token, key] = [workspace.api_token, workspace.write_key];
  const clock = (now) => home.call('POST', '/local/clock', { body: { now } });
  // Somebody whom a mail asks a month later.
  const first = companies[0];
  const asked = [
    { type: 'group', userId: `ada-${first}`, groupId: first, messageId: 'first-group' },
    { type: 'identify', userId: `ada-${first}`, traits: { email: `ada@${first}.example` }, messageId: 'first-identify' },
  ];
  await home.call('POST', '/v1/batch', { token: key, body: { batch: asked } });
  await home.call('PATCH', `/v1/companies/${first}`, { token, body: { request_feedback: true } });
  for (const [week, monday] of ['2026-08-17', '2026-08-24', '2026-08-31'].entries()) {
    await clock(`${monday}T20:00:00Z`);
    const batch = companies.flatMap((groupId, number) =>
      ['ada', 'bob', 'eve'].slice(0, 1 + (number % 3)).flatMap((name) => {
        const userId = `${name}-${groupId}`;
        const email = `${name}@${groupId}.example`;
        // Every other company falls in the last week.
        const days = week === 2 && number % 2 ? [] : [0, 1, 2];
        return [
          { type: 'group', userId, groupId, traits: { name: groupId.toUpperCase(), created_at: '2025-02-03T09:00:00Z' }, messageId: `g-${userId}-${week}` },
          { type: 'identify', userId, traits: { email, name }, messageId: `i-${userId}-${week}` },
          ...days.map((day) => ({ type: 'track', event: 'Export', userId, context: { groupId }, messageId: `t-${userId}-${week}-${day}`, timestamp: new Date(Date.parse(`${monday}T10:00:00Z`) - day * 86_400_000).toISOString() })),
        ];
      }),
    );
    if (week === 0) batch.push(...quiet.map((groupId) => ({ type: 'group', userId: `ada-${groupId}`, groupId, messageId: `q-${groupId}` })));
    await home.call('POST', '/v1/batch', { token: key, body: { batch } });
  }
  await clock('2026-09-08T09:00:00Z');
  for (const [number, company] of companies.entries()) {
    const rating = { user_id: `ada-${company}`, company_id: company, rating: (2 + 4 * number) % 11, scale: 'nps', comment: 'Why?' };
    await home.call('POST', '/v1/feedback', { token: key, body: rating });
  }
  const status = { status: 'struggling', note: 'Lost a client.' };
  for (const company of companies.slice(1)) await home.call('PUT', `/v1/companies/${company}/status`, { token, body: status });
  const hook = { name: 'CRM', url: 'https://crm.example.com/hook' };
  await home.call('POST', '/v1/webhooks', { token, body: hook });
  await clock('2026-09-08T09:01:00Z');
  return workspace;
}

/** Where a home is, and the document that it serves as a file. */
async function describe(home) {
  const document = `${work}/openapi.json`;
  writeFileSync(document, JSON.stringify(await home.call('GET', '/openapi.json')));
  return { url: `http://127.0.0.1:${home.port}`, document };
}

/** What a client is generated from and works with: three companies. */
async function forClient(home) {
  const { api_token: token } = await seed(home, ['acme', 'globex', 'initrode']);
  return { ...(await describe(home)), token };
}

/** openapi-typescript and openapi-fetch, compiled strictly. */
async function typescript(home) {
  const { url, token, document } = await forClient(home);
  run('node_modules/.bin/openapi-typescript', [document, '-o', `${work}/schema.d.ts`]);
  run('node_modules/.bin/tsc', ['--project', 'tsconfig.json']);
  run('node', [`${work}/client.js`], { URL: url, TOKEN: token });
}

/** openapi-python-client, held against the types that it wrote. */
async function python(home) {
  const { url, token, document } = await forClient(home);
  const client = `${work}/python`;
  run('venv/bin/openapi-python-client', ['generate', '--path', document, '--output-path', client, '--overwrite', '--meta', 'none', '--config', 'python.yaml', '--fail-on-warning'], { PATH: `${here}venv/bin:${process.env.PATH}` });
  const environment = { MYPYPATH: work, PYTHONPATH: work, URL: url, TOKEN: token };
  run('venv/bin/mypy', ['--strict', '--follow-imports=silent', '--cache-dir', `${work}/mypy`, 'client.py'], environment);
  run('venv/bin/python', ['client.py'], environment);
}

/** The ids that a path's operations find something under, and those that no call may change. */
async function ids(home, { api_token: token, write_key: key }) {
  const get = async (path) => (await home.call('GET', path, { token })).items;
  const make = (path, bodies) => Promise.all(bodies.map((body) => home.call('POST', path, { token, body })));
  const ids = (items) => items.map(({ id }) => ({ id }));
  const spare = [1, 2, 3, 4, 5, 6];
  const tokens = await get('/v1/api-tokens');
  const sources = await get('/v1/sources');
  const companies = (await get('/v1/companies')).map(({ company_id }) => ({ company_id }));
  const users = await Promise.all(
    companies.map(async ({ company_id }) => (await get(`/v1/companies/${company_id}/users`)).map(({ user_id }) => ({ company_id, user_id }))),
  );
  const mails = (await home.call('GET', '/local/mail')).map(({ text }) => text).join('\n');
  const links = (letter) => [...new Set([...mails.matchAll(new RegExp(`/${letter}/([^/?\\s]+)`, 'g'))].map(([, token]) => token))].map((token) => ({ token }));
  const of = {
    '/docs/{group}': [{ group: 'work' }],
    '/docs/schemas/{name}': [{ name: 'Problem' }],
    '/f/{token}': links('f'),
    '/u/{token}': links('u'),
    '/u/{token}/resubscribe': links('u'),
    '/v1/companies/{company_id}/users/{user_id}': users.flat(),
    '/v1/actions/{id}': ids([...(await get('/v1/actions')), ...(await get('/v1/actions?state=awaiting_approval'))]),
    '/v1/alerts/{id}': ids(await get('/v1/alerts')),
    '/v1/disagreements/{id}': ids(await get('/v1/disagreements')),
    '/v1/tasks/{id}': ids(await get('/v1/tasks')),
    '/v1/feedback/{id}/void': ids(await get('/v1/feedback')),
    '/v1/rules/{id}/runs': [{ id: 'struggling' }],
    '/v1/api-tokens/{id}': ids(await make('/v1/api-tokens', spare.map((n) => ({ label: `Spare ${n}`, scope: 'read' })))),
    '/v1/members/{id}': ids(await make('/v1/members', spare.map((n) => ({ email: `spare${n}@initech.example`, role: 'csm' })))),
    '/v1/sources/{id}': ids(await make('/v1/sources', spare.map((n) => ({ name: `Spare ${n}` })))),
    '/v1/webhooks/{id}': ids(await make('/v1/webhooks', spare.map((n) => ({ name: `Spare ${n}`, url: 'https://crm.example.com/hook' })))),
  };
  for (const path of ['', '/status', '/status-changes', '/weeks', '/months', '/why', '/timeline', '/users', '/happiness']) {
    of[`/v1/companies/{company_id}${path}`] = companies;
  }
  of['/v1/sources/{id}/rotate'] = of['/v1/sources/{id}'];
  for (const path of ['rotate', 'test']) of[`/v1/webhooks/{id}/${path}`] = of['/v1/webhooks/{id}'];
  const empty = Object.keys(of).filter((path) => of[path].length === 0);
  if (empty.length > 0) throw new Error(`nothing to call at ${empty}`);
  return { ids: of, kept: [...tokens, ...sources].map(({ id }) => id) };
}

/** What was answered, operation by operation. Fails for one that never did what it is for. */
function tell(document, seen) {
  const never = [];
  console.log('\nAnswers of each operation:');
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, { operationId }] of Object.entries(operations)) {
      const counts = {};
      for (const [status, count] of Object.entries(seen[`${method.toUpperCase()} ${path}`] ?? {})) {
        const kind = `${status[0]}xx`;
        counts[kind] = (counts[kind] ?? 0) + count;
      }
      console.log(`  ${operationId.padEnd(22)} ${Object.entries(counts).map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
      if (!counts['2xx']) never.push(operationId);
    }
  }
  if (never.length > 0) throw new Error(`never answered 2xx: ${never.join(', ')}`);
}

/** Every operation, by example, by its limits, at random and one after the other. */
async function schemathesis(home) {
  const { url, document } = await describe(home);
  const workspace = await seed(home, Array.from({ length: 12 }, (_, number) => `company-${number}`), ['quiet-one', 'quiet-two', 'quiet-three']);
  const [known, seen] = [`${work}/known.json`, `${work}/seen.json`];
  writeFileSync(known, JSON.stringify(await ids(home, workspace)));
  // Not unsupported_method: API Gateway, and the home like it, has no route for other methods and answers 404.
  const checks = [
    'not_a_server_error',
    'status_code_conformance',
    'content_type_conformance',
    'response_headers_conformance',
    'response_schema_conformance',
    'use_after_free',
    'ignored_auth',
  ];
  const failed = attempt(
    'venv/bin/schemathesis',
    [
      '--config-file', 'schemathesis.toml',
      'run', document,
      '--url', url,
      '--phases', 'examples,coverage,fuzzing,stateful',
      '--checks', checks.join(','),
      '--no-color',
    ],
    { PYTHONPATH: here, KNOWN: known, SEEN: seen, TOKEN: workspace.api_token, WRITE_KEY: workspace.write_key },
  );
  tell(JSON.parse(readFileSync(document, 'utf8')), JSON.parse(readFileSync(seen, 'utf8')));
  if (failed) throw new Error(failed);
  // Whatever was called: it is still there for who has the credential.
  await home.call('GET', '/v1/companies', { token: workspace.api_token });
}

/** A home of its own for a part. */
async function at(name, use) {
  // What webhooks are called with leads nowhere: their receivers have names that nobody has.
  const home = new Home(process.env.BAROMETER, `${work}/data-${name}`, `${work}/${name}.log`);
  await home.start('2026-07-20T09:00:00Z');
  try {
    await use(home);
  } finally {
    await home.stop();
  }
}

async function main() {
  const parts = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const part of parts) {
    const began = Date.now();
    console.log(`\n--- ${part}`);
    await at(part, PARTS[part]);
    console.log(`${part}: ${Math.round((Date.now() - began) / 1000)} s`);
  }
  console.log('\nall passed');
}

await main();
