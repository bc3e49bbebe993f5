// @rudderstack/rudder-sdk-node.
import Analytics from '@rudderstack/rudder-sdk-node';
import { answers, complain, host, key, options, report, round, segmentAnswer, segmentCalls, versionOf } from './program.js';

const client = new Analytics(key, { dataPlaneUrl: host, logLevel: 'none', errorHandler: complain, ...options });

// One flush sends one batch of at most `flushAt`.
async function flush() {
  do await client.flush();
  while (client.queue.length > 0);
}

if (round === 'well') segmentCalls(client);
else await answers(segmentAnswer(client), flush);
await flush();
report({ version: versionOf('@rudderstack/rudder-sdk-node') });
// Its timers would keep the process for another flush interval.
process.exit();
