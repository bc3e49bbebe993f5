// @rudderstack/rudder-sdk-node.
import Analytics from '@rudderstack/rudder-sdk-node';
import { answerAt, answerProperties, answers, complain, host, key, options, plan, report, round, versionOf } from './program.js';

const client = new Analytics(key, { dataPlaneUrl: host, logLevel: 'none', errorHandler: complain, ...options });
const { id: groupId, traits } = plan.company;
const context = { groupId };

// One flush sends one batch of at most `flushAt`.
async function flush() {
  do await client.flush();
  while (client.queue.length > 0);
}

if (round === 'well') {
  const timestamp = new Date(plan.known);
  for (const [userId, of] of Object.entries(plan.users)) {
    client.identify({ userId, traits: of, timestamp });
    client.group({ userId, groupId, traits, timestamp });
  }
  client.page({ userId: 'ada', name: 'Dashboard', timestamp: new Date(plan.dashboard) });
  client.track({ userId: 'ada', event: 'Report Edited', properties: plan.edited.properties, timestamp: new Date(plan.edited.at) });
  client.screen({ userId: 'ada', name: 'Reports', timestamp: new Date(plan.screen) });
  client.track({ userId: 'alan', event: 'Report Exported', properties: plan.exported.properties, timestamp: new Date(plan.exported.at) });
  client.track({ anonymousId: 'anon-7', event: 'Pricing Viewed', context, timestamp: new Date(plan.pricing) });
  client.alias({ userId: 'ada', previousId: 'anon-7' });
} else {
  const send = (index) =>
    client.track({
      userId: 'ada',
      event: 'NPS Submitted',
      properties: answerProperties(index),
      context,
      timestamp: answerAt(index),
    });
  await answers(send, flush);
}
await flush();
report({ version: versionOf('@rudderstack/rudder-sdk-node') });
// Its timers would keep the process for another flush interval.
process.exit();
