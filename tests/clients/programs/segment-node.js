// @segment/analytics-node.
import { Analytics } from '@segment/analytics-node';
import { answers, complain, host, key, options, report, round, segmentAnswer, segmentCalls, versionOf } from './program.js';

const client = new Analytics({ writeKey: key, host, ...options });
client.on('error', complain);

if (round === 'well') segmentCalls(client);
else await answers(segmentAnswer(client), () => client.flush());
// Long enough for its own retries; the default is 1.25 times the flush interval.
await client.closeAndFlush({ timeout: 90_000 });
report({ version: versionOf('@segment/analytics-node') });
