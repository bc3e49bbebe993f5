// Sends webhooks with Barometer's own client, over HTTPS, to receivers built on the official libraries, and compares what
// the client says with what the receiver saw. This program ends the TLS connection in front of a receiver, so that it can
// also change a body on its way.
//
// Arguments: receivers (node, python); without any, both.
// Environment: SENDER, the built example `webhook`; PYTHON, an interpreter with requirements.txt.

import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const { SENDER, PYTHON } = process.env;
const RECEIVERS = { node: [process.execPath, 'receivers/node.js'], python: [PYTHON, 'receivers/receiver.py'] };
const CURRENT = `whsec_${Buffer.alloc(32, 'current').toString('base64')}`;
const PREVIOUS = `whsec_${Buffer.alloc(24, 'previous').toString('base64')}`;
const EVENT = {
  type: 'status.changed',
  timestamp: '2026-09-09T12:00:00Z',
  data: { company_id: 'acme', note: 'Ünïcode, "quotes" and 🌡' },
};
const BODY = JSON.stringify(EVENT);
const seconds = () => Math.floor(Date.now() / 1_000);

let failures = 0;
let passes = 0;

/** Compares as JSON and prints one line. */
function check(what, found, wanted) {
  const same = JSON.stringify(found) === JSON.stringify(wanted);
  if (same) passes += 1;
  else failures += 1;
  console.log(`  ${same ? '✓' : '✗'} ${what}`);
  if (!same) console.log(`      found  ${JSON.stringify(found)}\n      wanted ${JSON.stringify(wanted)}`);
}

/** Sends one event; what the client says became of it. */
async function send(url, { secrets = CURRENT, id = 'evt_1', at = seconds(), roots = 'trusted.pem' } = {}) {
  const { stdout } = await promisify(execFile)(SENDER, [url, secrets, id, String(at), BODY], {
    env: { ...process.env, SSL_CERT_FILE: roots },
  });
  return stdout.trim();
}

/** The TLS end in front of a receiver; `tamper` changes a body on its way. */
async function front(receiver) {
  const keys = { key: readFileSync('trusted.key'), cert: readFileSync('trusted.pem') };
  const state = { tamper: (body) => body };
  const server = createServer(keys, async (from, answer) => {
    const chunks = [];
    for await (const chunk of from) chunks.push(chunk);
    const body = state.tamper(Buffer.concat(chunks));
    const { method, url, headers } = from;
    const to = request({ host: '127.0.0.1', port: receiver, method, path: url, headers }, (back) => {
      back.resume();
      answer.writeHead(back.statusCode).end();
    });
    to.end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(state, { port: server.address().port, close: () => server.close() });
}

async function suite(name) {
  console.log(name);
  const [program, file] = RECEIVERS[name];
  const secrets = { '/current': CURRENT, '/previous': PREVIOUS };
  const env = { ...process.env, SECRETS: JSON.stringify(secrets) };
  const child = spawn(program, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  const heard = async () => JSON.parse(await next());
  const tls = await front(Number(await next()));
  const url = `https://localhost:${tls.port}/current`;
  const old = `https://localhost:${tls.port}/previous`;
  const refused = 'failed permanent=false the endpoint answered 400';
  try {
    check('a signed event is delivered', await send(url), 'delivered 204');
    check('its signature holds and its content arrived', await heard(), { id: 'evt_1', event: EVENT });

    const { length } = Buffer.from(BODY);
    tls.tamper = (body) => Buffer.concat([body.subarray(0, length - 3), Buffer.from('X'), body.subarray(length - 2)]);
    check('a body that was changed on its way is refused', await send(url), refused);
    check('because of its signature', /no matching signature/i.test((await heard()).refused), true);
    tls.tamper = (body) => body;

    check('an event of ten minutes ago is refused', await send(url, { at: seconds() - 600 }), refused);
    check('because of its time', /too old/i.test((await heard()).refused), true);
    check('an event signed with another secret is refused', await send(url, { secrets: PREVIOUS }), refused);
    await heard();

    const both = `${CURRENT},${PREVIOUS}`;
    check('in a rotation the old secret verifies', await send(old, { secrets: both, id: 'evt_2' }), 'delivered 204');
    check('  the event', await heard(), { id: 'evt_2', event: EVENT });
    check('in a rotation the new secret verifies', await send(url, { secrets: both, id: 'evt_2' }), 'delivered 204');
    check('  the event', await heard(), { id: 'evt_2', event: EVENT });
    check('after it the old secret verifies no more', await send(old), refused);
    await heard();

    const stranger = await send(url, { roots: 'stranger.pem' });
    check('a certificate of an unknown issuer is refused', /^failed .*no TLS connection: .*certificate/.test(stranger), true);
    const other = await send(url.replace('localhost', '127.0.0.1'));
    check('a certificate of another host is refused', /^failed .*no TLS connection: .*certificate/.test(other), true);
  } finally {
    tls.close();
    child.kill();
  }
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(RECEIVERS);
for (const name of names) await suite(name);
console.log(`${passes} checks passed, ${failures} failed`);
process.exit(failures ? 1 : 0);
