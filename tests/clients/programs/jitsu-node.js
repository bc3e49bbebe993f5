// @jitsu/js on a server.
import { jitsuAnalytics } from '@jitsu/js';
import { answerProperties, answers, complain, host, key, options, plan, report, round, versionOf } from './program.js';

// It never throws: it logs each call that fails, which is all that its caller can see.
console.error = complain;
// It insists on `key:secret`; the home reads what stands before the colon.
const client = jitsuAnalytics({ host, writeKey: `${key}:none`, ...options });
const { id, traits } = plan.company;

await client.identify('ada', plan.users.ada);
await client.group(id, traits);
if (round === 'well') {
  await client.page({ name: 'Dashboard' });
  await client.track('Report Edited', plan.edited.properties);
  await client.track('Report Exported', plan.exported.properties);
} else {
  const calls = [];
  const send = (index) => calls.push(client.track('NPS Submitted', answerProperties(index)));
  await answers(send, () => Promise.all(calls));
  await Promise.all(calls);
}
report({ version: versionOf('@jitsu/js') });
