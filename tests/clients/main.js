// Runs official clients against a running home in three rounds: all well, ten seconds of 503, killed and started again.
//
// Arguments: suites (node, python, browser) or names of clients; without any, all.
// Environment: BAROMETER, the home's binary; PYTHON, an interpreter with requirements.txt; CHROMIUM; WORK, a folder.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { clients } from './clients.js';
import { Home } from './home.js';
import { Proxy } from './proxy.js';

const here = new URL('.', import.meta.url).pathname;
const work = process.env.WORK ?? `${here}work`;
const plan = JSON.parse(readFileSync(`${here}plan.json`));
const OUTAGE_MS = 10_000;
/** Longer than any client's own retries take. */
const PATIENCE_MS = 100_000;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(what, condition, ms) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${ms / 1000} s in vain: ${what}`);
    await pause(50);
  }
}

let failures = 0;
let passes = 0;

/** Compares as JSON and prints one line. */
function check(client, what, found, wanted) {
  const same = JSON.stringify(found) === JSON.stringify(wanted);
  if (same) passes += 1;
  else failures += 1;
  console.log(`  ${same ? '✓' : '✗'} ${client.name}: ${what}`);
  if (!same) console.log(`      found  ${JSON.stringify(found)}\n      wanted ${JSON.stringify(wanted)}`);
}

/** One client's program in one round, with a workspace and a proxy of its own. */
class Run {
  constructor(client, round, home, workspace, proxy) {
    Object.assign(this, { client, round, home, workspace, proxy, said: [], report: undefined });
  }

  static async prepare(client, round, home) {
    const workspace = await home.call('POST', '/local/workspaces', { body: { name: client.name, time_zone: 'UTC' } });
    const catalogue = ['reports', 'exports', 'admin'].map((key) => ({ key, label: key }));
    await home.call('PUT', '/v1/settings', {
      token: workspace.api_token,
      body: { catalogue, login_days: 7, note: 'Three features; every day counts.' },
    });
    const proxy = new Proxy(home.address);
    await proxy.open();
    return new Run(client, round, home, workspace, proxy);
  }

  /** Starts the program. `clock` is how far this machine's clock is ahead of the home's, in milliseconds. */
  start(clock) {
    const [command, args] = this.client.run;
    const { HTTP_PROXY, HTTPS_PROXY, http_proxy, https_proxy, ...environment } = process.env;
    const child = spawn(command, args, {
      cwd: here,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...environment,
        HOST: this.proxy.url,
        KEY: this.workspace.write_key,
        ROUND: this.round,
        OPTIONS: JSON.stringify(this.client.options ?? {}),
        CLOCK: String(clock),
      },
    });
    this.child = child;
    this.complaints = '';
    child.stderr.on('data', (text) => (this.complaints += text));
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.said.push(line);
      if (line.startsWith('{')) this.report = JSON.parse(line);
    });
    this.ended = new Promise((done) => child.once('close', (code) => done((this.code = code))));
    return this;
  }

  async hears(word) {
    await until(
      `${this.client.name} to say "${word}": ${this.complaints}`,
      () => this.said.includes(word) || this.code !== undefined,
      60_000,
    );
  }

  say(word) {
    this.child.stdin.write(`${word}\n`);
  }

  /** Waits for the program's end. A browser has no flush: it is told when what it sent has arrived. */
  async finish() {
    if (this.client.suite === 'browser') {
      await this.hears('sent');
      const all = () =>
        this.round === 'well' ? this.arrived().size >= this.client.well.events : this.answers(this.arrived()).size >= plan.answers.count;
      await until('events of a browser', () => all() || this.code !== undefined, PATIENCE_MS).catch(() => {});
      this.say('close');
    }
    const late = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    await this.ended;
    clearTimeout(late);
    this.report ??= { errors: [`ended (${this.code}) without a report: ${this.complaints}`] };
  }

  /** The requests that carry events. */
  posts() {
    return this.proxy.requests.filter(({ events }) => events.length > 0);
  }

  /** How often each event was sent. */
  sent() {
    return count(this.posts());
  }

  /** How often each event was taken, that is, answered with 200 by the home, whether the client heard it or not. */
  taken() {
    return count(this.posts().filter(({ status }) => status === 200));
  }

  /** Events whose 200 the client heard. */
  arrived() {
    return count(this.posts().filter(({ status, told }) => status === 200 && told));
  }

  /** Of these events, those that are answers. */
  answers(times) {
    const ids = new Set();
    for (const { events } of this.posts()) for (const { id, name } of events) if (name === this.client.answer) ids.add(id);
    return new Map([...times].filter(([id]) => ids.has(id)));
  }

  read(path) {
    return this.home.call('GET', path, { token: this.workspace.api_token });
  }

  async week() {
    const { items } = await this.read(`/v1/companies/${plan.company.id}/weeks?from=${plan.week}&to=${plan.week}`);
    const [week] = items;
    return week && {
      users: week.components.login.counts.users,
      active: week.components.login.counts.active_users,
      days: week.components.login.counts.active_days,
      features: week.components.adoption.counts.features_used,
      minutes: week.components.adoption.counts.minutes,
      login: week.components.login.value,
      adoption: week.components.adoption.value,
      score: week.score,
      shown: week.shown,
      coverage: week.coverage,
    };
  }

  close() {
    this.child?.kill('SIGKILL');
    return this.proxy.cut();
  }
}

function count(posts) {
  const times = new Map();
  for (const { events } of posts) for (const { id } of events) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}

const more = (times) => [...times.values()].filter((n) => n > 1).length;

/** Starts a home, prepares a run for each client, drives them through the round, judges, and closes everything. */
async function round(name, heading, chosen, drive, judge) {
  const began = Date.now();
  console.log(`\n${heading}`);
  const data = `${work}/data-${name}`;
  rmSync(data, { recursive: true, force: true });
  const home = new Home(process.env.BAROMETER ?? 'barometer', data, `${work}/home-${name}.log`);
  const runs = [];
  try {
    await home.start(plan.now);
    for (const client of chosen) runs.push(await Run.prepare(client, name, home));
    const { now } = await home.call('GET', '/local/clock');
    const clock = Date.now() - Date.parse(now);
    await drive(runs, home, clock);
    await home.call('POST', '/local/clock', { body: { now: plan.scored } });
    const bus = await home.call('GET', '/local/bus');
    for (const run of runs) await judge(run, bus).catch((error) => check(run.client, `can be judged: ${error.message}`, false, true));
  } finally {
    await Promise.all(runs.map((run) => run.close()));
    await home.stop();
  }
  console.log(`  ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

const table = new Map();
const note = (client, columns) => table.set(client.name, { ...table.get(client.name), ...columns });

async function judgeWell(run) {
  const { client } = run;
  const { well } = client;
  const posts = run.posts();
  const sent = run.sent();
  const statuses = [...new Set(posts.map(({ status }) => status))];
  const others = run.proxy.requests.filter(({ events, status }) => events.length === 0 && status !== 200);
  for (const { method, path, status } of others) console.log(`    ${client.name}: ${method} ${path.split('?')[0].replace(run.workspace.write_key, 'KEY')} was answered ${status}`);
  const refused = posts.flatMap(({ receipt }) => receipt?.errors ?? []);
  check(
    client,
    `${sent.size} events in ${posts.length} requests, each event in exactly one, every answer 200, nothing rejected`,
    { statuses, repeated: more(sent), retries: posts.filter(({ retry }) => retry > 0).length, errors: run.report.errors, refused },
    { statuses: [200], repeated: 0, retries: 0, errors: [], refused: [] },
  );
  const described = well.described ?? true;
  const { items: companies } = await run.read('/v1/companies');
  check(
    client,
    described ? 'the company with its name, plan and start' : 'the company, of which this client says no more',
    companies.map(({ company_id, name, plan: of, created_at }) => (described ? { company_id, name, plan: of, created_at } : { company_id })),
    [described ? { company_id: 'acme', name: 'Acme', plan: 'pro', created_at: '2026-01-05T00:00:00Z' } : { company_id: 'acme' }],
  );
  const { items: users } = await run.read('/v1/companies/acme/users');
  check(
    client,
    `its users (${well.users.join(', ')})${described ? ' with names and addresses' : ''}, and when ada was seen last`,
    {
      users: users.map(({ user_id, name, email }) => ({ user_id, ...(described && { name, email }) })).sort((a, b) => (a.user_id < b.user_id ? -1 : 1)),
      seen: users.find(({ user_id }) => user_id === 'ada')?.last_seen_at?.slice(0, well.seen.length),
    },
    { users: well.users.map((id) => ({ user_id: id, ...(described && plan.users[id]) })), seen: well.seen },
  );
  const week = await run.week();
  const { features, minutes, days } = well;
  check(client, `${features} of 3 features used`, week?.features, features);
  check(
    client,
    `${minutes} minutes on ${days} user-days of ${well.users.length} active users`,
    week && { minutes: week.minutes, days: week.days, active: week.active, users: week.users },
    { minutes, days, active: well.users.length, users: well.users.length },
  );
  const { login, adoption, score } = well;
  check(
    client,
    `a score of ${score} from login ${login} and adoption ${adoption}, here and in the portfolio`,
    {
      week: week && { login: week.login, adoption: week.adoption, score: week.score, shown: week.shown, coverage: week.coverage },
      portfolio: companies[0]?.engagement?.trend?.find(({ week: of }) => of === plan.week)?.score,
    },
    { week: { login, adoption, score, shown: Math.round(score), coverage: 66.67 }, portfolio: score },
  );
  note(client, { version: run.report.version, well: `${sent.size} events in ${posts.length} requests` });
}

/** After trouble: what the client sent, what the home took, and what the product says there is. */
async function judgeTrouble(run, bus) {
  const { client } = run;
  const { count: wanted, apartMinutes } = plan.answers;
  const taken = run.answers(run.taken());
  const unheard = run.posts().filter(({ status, told }) => status === 200 && !told).length;
  const refused = run.posts().filter(({ status }) => status === 503).length;
  const trouble = run.round === 'outage' ? `${refused} requests answered 503` : `${unheard} requests stored whose answer was lost`;
  check(client, `met the trouble: ${trouble}`, (run.round === 'outage' ? refused : unheard) > 0, true);
  const { errors } = run.report;
  if (client.once) {
    // Each call went out once; each that failed was logged; nothing else is missing.
    const heard = run.answers(run.arrived()).size;
    check(
      client,
      `sends nothing twice: ${heard} of ${wanted} events confirmed, ${errors.length} calls logged as failed`,
      { twice: more(run.sent()), accounted: heard + errors.length },
      { twice: 0, accounted: wanted },
    );
  } else {
    check(client, `${taken.size} of ${wanted} events arrived, ${more(taken)} of them more than once`, taken.size, wanted);
  }
  const received = bus.filter((event) => event['detail-type'] === 'feedback.received' && event.detail.workspace_id === run.workspace.workspace_id);
  check(client, `${received.length} answers in the product, none lost or doubled`, received.length, taken.size);
  // Where the client can say when something happened, each answer has a slot of its own.
  if (!client.once) {
    const week = await run.week();
    check(client, `${taken.size * 5} minutes in slots ${apartMinutes} minutes apart`, week?.minutes, taken.size * 5);
  }
  const twice = more(taken) > 0 ? `, ${more(taken)} came twice` : '';
  note(client, { [run.round]: `${received.length} of ${wanted} there${twice}` });
}

/** Nothing happens. A few at a time: on a small machine all at once would be so slow that clients time out. */
async function well(runs, home, clock) {
  const waiting = [...runs];
  const next = async () => {
    for (let run = waiting.shift(); run; run = waiting.shift()) await run.start(clock).finish();
  };
  await Promise.all([next(), next()]);
}

/** Starts all clients; each has sent its first answer when this is done. */
async function ready(runs, clock) {
  for (const run of runs) run.start(clock);
  await Promise.all(runs.map((run) => run.hears('ready')));
}

const finished = (runs) => Promise.all(runs.map((run) => run.finish()));

/** The home's store is throttled for ten seconds: it answers 503 with Retry-After by itself. */
async function outage(runs, home, clock) {
  await ready(runs, clock);
  await home.call('POST', '/local/faults', { body: { dynamodb: { throttle: true } } });
  for (const run of runs) run.say('go');
  await pause(OUTAGE_MS);
  await home.call('POST', '/local/faults', { body: { dynamodb: null } });
  await finished(runs);
}

/**
 * The worst moment: the home has stored a request of each client and is killed before any of them hears of it. Then
 * nobody listens until it is started again on the same data.
 */
async function killed(runs, home, clock) {
  await ready(runs, clock);
  const stored = runs.map((run) => run.proxy.withhold());
  for (const run of runs) run.say('go');
  await Promise.race([Promise.all(stored), pause(20_000)]);
  await home.kill();
  await Promise.all(runs.map((run) => run.proxy.cut()));
  await pause(2_000);
  await home.start();
  await Promise.all(runs.map((run) => run.proxy.open()));
  await finished(runs);
}

const wanted = process.argv.slice(2);
const chosen = clients
  .filter(({ suite, name }) => wanted.length === 0 || wanted.includes(suite) || wanted.includes(name))
  .map((client) => ({ answer: 'NPS Submitted', ...client }));
if (chosen.length === 0) throw new Error(`no such suite or client: ${wanted.join(', ')}`);

mkdirSync(work, { recursive: true });
const rounds = (process.env.ROUNDS ?? 'well,outage,killed').split(',');
if (rounds.includes('well')) await round('well', 'All well', chosen, well, judgeWell);
if (rounds.includes('outage')) await round('outage', 'Ten seconds of 503 while events are sent', chosen, outage, judgeTrouble);
if (rounds.includes('killed')) await round('killed', 'Killed with requests stored and not yet answered, then started again', chosen, killed, judgeTrouble);

const head = {
  name: 'client',
  version: 'version',
  well: 'all well',
  outage: '503 for ten seconds',
  killed: 'killed and started again',
  retries: 'its own retries',
};
const rows = [head, ...chosen.map((client) => ({ ...client, ...table.get(client.name) }))];
const widths = Object.keys(head).map((key) => Math.max(...rows.map((row) => String(row[key] ?? '').length)));
console.log();
for (const row of rows) {
  console.log(Object.keys(head).map((key, index) => String(row[key] ?? '').padEnd(widths[index])).join('  ').trimEnd());
}
console.log(`\n${passes} passed, ${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
