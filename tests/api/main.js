// Generates clients from the document that a running home serves, checks and runs them, and lets schemathesis loose on it.
//
// Arguments: parts (typescript, python, schemathesis); without any, the two clients. Environment: BAROMETER, the home's binary; WORK, a
// folder for what is made.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { Home } from './home.js';

const work = process.env.WORK;
const here = new URL('.', import.meta.url).pathname;
const PARTS = { typescript, python, schemathesis };

/** The same calls every time. */
const SEED = '20261101';
/** Examples of an operation and phase: with some sixty operations, minutes in all. */
const EXAMPLES = '8';

/** Runs a command to its end; its failure is the job's. */
function run(command, args, environment = {}) {
  const ended = spawnSync(command, args, {
    cwd: here,
    stdio: 'inherit',
    env: { ...process.env, ...environment, PYTHONDONTWRITEBYTECODE: '1' },
  });
  if (ended.status !== 0) throw new Error(`${command} ${args[0]} ended with ${ended.status ?? ended.signal}`);
}

/** A workspace with a little of everything: three companies, of which one fell, an answer, a task, settings, a webhook. */
async function seed(home) {
  const workspace = await home.call('POST', '/local/workspaces', { body: { name: 'API', time_zone: 'Europe/Berlin' } });
  const [token, key] = [workspace.api_token, workspace.write_key];
  const companies = ['acme', 'globex', 'initrode'];
  const clock = (now) => home.call('POST', '/local/clock', { body: { now } });
  for (const [week, day] of ['2026-08-19', '2026-08-26', '2026-09-02'].entries()) {
    await clock(`${day}T09:00:00Z`);
    const batch = companies.flatMap((groupId, number) =>
      ['ada', 'bob', 'eve'].slice(0, number + 1).flatMap((name) => {
        const userId = `${name}-${groupId}`;
        const email = `${name}@${groupId}.example`;
        return [
          { type: 'group', userId, groupId, traits: { name: groupId.toUpperCase() }, messageId: `g-${userId}-${week}` },
          { type: 'identify', userId, traits: { email, name }, messageId: `i-${userId}-${week}` },
          { type: 'track', event: 'Export', userId, context: { groupId }, messageId: `t-${userId}-${week}` },
        ];
      }),
    );
    await home.call('POST', '/v1/batch', { token: key, body: { batch } });
  }
  await clock('2026-09-08T09:00:00Z');
  for (const [number, company] of companies.entries()) {
    const rating = { user_id: `ada-${company}`, company_id: company, rating: 2 + 4 * number, scale: 'nps', comment: 'Why?' };
    await home.call('POST', '/v1/feedback', { token: key, body: rating });
  }
  const status = { status: 'struggling', note: 'Lost a client.' };
  await home.call('PUT', '/v1/companies/globex/status', { token, body: status });
  const hook = { name: 'CRM', url: 'https://crm.example.com/hook' };
  await home.call('POST', '/v1/webhooks', { token, body: hook });
  await clock('2026-09-08T09:01:00Z');
  return workspace;
}

/** openapi-typescript and openapi-fetch, compiled strictly. */
function typescript({ url, token, document }) {
  run('node_modules/.bin/openapi-typescript', [document, '-o', `${work}/schema.d.ts`]);
  run('node_modules/.bin/tsc', ['--project', 'tsconfig.json']);
  run('node', [`${work}/client.js`], { URL: url, TOKEN: token });
}

/** openapi-python-client, held against the types that it wrote. */
function python({ url, token, document }) {
  const client = `${work}/python`;
  run('venv/bin/openapi-python-client', ['generate', '--path', document, '--output-path', client, '--overwrite', '--meta', 'none', '--config', 'python.yaml', '--fail-on-warning'], { PATH: `${here}venv/bin:${process.env.PATH}` });
  const environment = { MYPYPATH: work, PYTHONPATH: work, URL: url, TOKEN: token };
  run('venv/bin/mypy', ['--strict', '--follow-imports=silent', '--cache-dir', `${work}/mypy`, 'client.py'], environment);
  run('venv/bin/python', ['client.py'], environment);
}

/** Every operation, by example, by its limits, at random and one after the other. */
function schemathesis({ url, token }) {
  const checks = [
    'not_a_server_error',
    'status_code_conformance',
    'content_type_conformance',
    'response_headers_conformance',
    'response_schema_conformance',
    'use_after_free',
    'ignored_auth',
    'unsupported_method',
  ];
  run('venv/bin/schemathesis', [
    'run', `${url}/openapi.json`,
    '--header', `Authorization: Bearer ${token}`,
    '--phases', 'examples,coverage,fuzzing,stateful',
    '--checks', checks.join(','),
    '--max-examples', EXAMPLES,
    '--seed', SEED,
    '--generation-deterministic',
    '--request-timeout', '20',
    '--workers', '2',
    '--no-color',
  ]);
}

async function main() {
  const parts = process.argv.length > 2 ? process.argv.slice(2) : ['typescript', 'python'];
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  // What webhooks are called with leads nowhere: their receivers have names that nobody has.
  const home = new Home(process.env.BAROMETER, `${work}/data`, `${work}/home.log`);
  await home.start('2026-08-17T09:00:00Z');
  try {
    const { api_token: token } = await seed(home);
    const url = `http://127.0.0.1:${home.port}`;
    const document = `${work}/openapi.json`;
    writeFileSync(document, JSON.stringify(await home.call('GET', '/openapi.json')));
    for (const part of parts) {
      console.log(`\n--- ${part}`);
      PARTS[part]({ url, token, document });
    }
    // Whatever was called: it is still there, and says no more than before to who has no credential.
    await home.call('GET', '/v1/companies', { token });
    console.log('\nall passed');
  } finally {
    await home.stop();
  }
}

await main();
