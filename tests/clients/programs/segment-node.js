// @segment/analytics-node.
import { Analytics } from '@segment/analytics-node';
import { answerAt, answerProperties, answers, complain, host, key, options, plan, report, round, versionOf } from './program.js';

const client = new Analytics({ writeKey: key, host, ...options });
client.on('error', complain);
const { id: groupId, traits } = plan.company;
const context = { groupId };

if (round === 'well') {
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
  await answers(send, () => client.flush());
}
// Long enough for its own retries; the default is 1.25 times the flush interval.
await client.closeAndFlush({ timeout: 90_000 });
report({ version: versionOf('@segment/analytics-node') });
