// What the Node programs have in common. A program gets HOST, KEY, ROUND and OPTIONS in its environment and talks
// to the test by lines: it writes `ready` when its first event was sent, reads `go`, and ends with its report in JSON.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';

export const { HOST: host, KEY: key, ROUND: round } = process.env;
export const options = JSON.parse(process.env.OPTIONS ?? '{}');
export const plan = JSON.parse(readFileSync(new URL('../plan.json', import.meta.url)));

export const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const errors = [];

/** Notes what the client complained of. */
export const complain = (error) => errors.push(String(error?.reason?.message ?? error?.message ?? error));

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** A package's version, also where it doesn't export its package.json. */
export function versionOf(name) {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name)) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`)).version;
    } catch {
      // The next folder.
    }
  }
  throw new Error(`${name} is not installed`);
}

/** Sends the first answer, waits for the word, and sends the others one by one while the trouble goes on. */
export async function answers(send, flush) {
  await send(0);
  await flush();
  console.log('ready');
  await lines.next();
  for (let index = 1; index < plan.answers.count; index++) {
    await send(index);
    await pause(plan.answers.everyMs);
  }
}

/** The instant of an answer: each has a 5-minute slot of its own. */
export const answerAt = (index) => new Date(Date.parse(plan.answers.from) + index * plan.answers.apartMinutes * 60_000);

export const answerProperties = (index) => ({ score: index % 11, feature: 'reports' });

/** The round in which all is well, by a client that has Segment's calls: everybody's calls in their order. */
export function segmentCalls(client) {
  const { id: groupId, traits } = plan.company;
  const timestamp = new Date(plan.known);
  for (const [userId, of] of Object.entries(plan.users)) {
    client.identify({ userId, traits: of, timestamp });
    client.group({ userId, groupId, traits, timestamp });
  }
  // No company on these: it was named by group().
  client.page({ userId: 'ada', name: 'Dashboard', timestamp: new Date(plan.dashboard) });
  client.track({ userId: 'ada', event: 'Report Edited', properties: plan.edited.properties, timestamp: new Date(plan.edited.at) });
  client.screen({ userId: 'ada', name: 'Reports', timestamp: new Date(plan.screen) });
  client.track({ userId: 'alan', event: 'Report Exported', properties: plan.exported.properties, timestamp: new Date(plan.exported.at) });
  client.track({ anonymousId: 'anon-7', event: 'Pricing Viewed', context: { groupId }, timestamp: new Date(plan.pricing) });
  client.alias({ userId: 'ada', previousId: 'anon-7' });
}

/** One answer, by a client that has Segment's calls. */
export const segmentAnswer = (client) => (index) =>
  client.track({
    userId: 'ada',
    event: 'NPS Submitted',
    properties: answerProperties(index),
    context: { groupId: plan.company.id },
    timestamp: answerAt(index),
  });

export function report(more = {}) {
  console.log(JSON.stringify({ errors, ...more }));
  lines.return?.();
  process.stdin.destroy();
}
