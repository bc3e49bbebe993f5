// cloudevents: makes events and carries them; sending again is its caller's part.
import { CloudEvent, emitterFor, httpTransport, Mode } from 'cloudevents';
import { answerAt, answerProperties, answers, host, key, pause, plan, report, round, versionOf } from './program.js';

const transport = httpTransport(`${host}/events?writeKey=${encodeURIComponent(key)}`);
const modes = [Mode.BINARY, Mode.STRUCTURED].map((mode) => emitterFor(transport, { mode }));
let sent = 0;

/** Sends an event, in both modes by turns, until it is taken: at most 20 s, as a caller would. */
async function emit(subject, type, time, data) {
  const event = new CloudEvent({ source: 'https://app.example/reports', type, subject, time, companyid: plan.company.id, data });
  const send = modes[sent++ % modes.length];
  for (let attempt = 0; attempt < 20; attempt++) {
    const answer = await send(event).catch(() => undefined);
    if (answer && JSON.parse(answer.body).success) return;
    await pause(1_000);
  }
  throw new Error(`${type} was not taken`);
}

if (round === 'well') {
  await emit('ada', 'Pricing Viewed', plan.pricing, {});
  await emit('ada', 'Dashboard Viewed', plan.dashboard, {});
  await emit('ada', 'Report Edited', plan.edited.at, plan.edited.properties);
  await emit('ada', 'Reports Viewed', plan.screen, {});
  await emit('alan', 'Report Exported', plan.exported.at, plan.exported.properties);
} else {
  const calls = [];
  const send = (index) => calls.push(emit('ada', 'NPS Submitted', answerAt(index).toISOString(), answerProperties(index)));
  await answers(send, () => Promise.all(calls));
  await Promise.all(calls);
}
report({ version: versionOf('cloudevents') });
