// posthog-node.
import { PostHog } from 'posthog-node';
import { answerAt, answerProperties, answers, complain, host, key, options, plan, report, round, versionOf } from './program.js';

const client = new PostHog(key, { host, ...options });
client.on('error', complain);
const { id, traits } = plan.company;
const groups = { company: id };

if (round === 'well') {
  for (const [distinctId, properties] of Object.entries(plan.users)) client.identify({ distinctId, properties });
  client.groupIdentify({ groupType: 'company', groupKey: id, properties: traits, distinctId: 'ada' });
  const capture = (distinctId, event, properties, timestamp) =>
    client.capture({ distinctId, event, properties, groups, timestamp: new Date(timestamp) });
  capture('ada', '$pageview', { $pathname: '/dashboard' }, plan.dashboard);
  capture('ada', 'Report Edited', plan.edited.properties, plan.edited.at);
  capture('ada', '$screen', { $screen_name: 'Reports' }, plan.screen);
  capture('alan', 'Report Exported', plan.exported.properties, plan.exported.at);
  capture('anon-7', 'Pricing Viewed', { $process_person_profile: false }, plan.pricing);
  client.alias({ distinctId: 'ada', alias: 'anon-7' });
} else {
  const send = (index) =>
    client.capture({
      distinctId: 'ada',
      event: 'NPS Submitted',
      properties: answerProperties(index),
      groups,
      timestamp: answerAt(index),
    });
  await answers(send, () => client.flush());
}
await client.shutdown(90_000);
report({ version: versionOf('posthog-node') });
