// A recording proxy in front of the home: one for each client, so that what each sent and was told stands apart.

import http from 'node:http';
import { gunzipSync } from 'node:zlib';

const json = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The body as JSON, as the protocols pack it: plain, gzip whatever the headers say, form with base64. */
function content(body) {
  if (body[0] === 0x1f && body[1] === 0x8b) body = gunzipSync(body);
  const text = body.toString('utf8');
  if (!text.startsWith('data=')) return json(text);
  return json(Buffer.from(new URLSearchParams(text).get('data'), 'base64').toString('utf8'));
}

/** The events of a request: `{ id, name }` each, where `name` is the event's name or else its type. */
export function eventsOf(request, body) {
  if (request.method !== 'POST') return [];
  const { pathname } = new URL(request.url, 'http://home');
  // PostHog's questions about feature flags carry no events.
  if (/^\/(flags|decide|array)\b/.test(pathname)) return [];
  if (request.headers['ce-id']) return [{ id: request.headers['ce-id'], name: request.headers['ce-type'] }];
  const whole = content(body);
  if (whole === undefined) return [];
  const events = Array.isArray(whole) ? whole : (whole.batch ?? [whole]);
  const typeOfPath = pathname.split('/').pop();
  return events.map((event) => ({
    id: event.messageId ?? event.uuid ?? event.properties?.$insert_id ?? event.id,
    name: event.event ?? event.type ?? event.action ?? typeOfPath,
  }));
}

export class Proxy {
  /** What came, in the order in which it came: `{ at, method, path, retry, events, status, receipt, told }`. */
  requests = [];
  #home;
  #port = 0;
  #server;
  #sockets = new Set();
  #withhold = false;
  #withheld;

  /** `home` is the home's address, `{ host, port }`. */
  constructor(home) {
    this.#home = home;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before if it did before. */
  async open() {
    this.#withhold = false;
    this.#server = http.createServer({ keepAliveTimeout: 60_000 }, (request, answer) => this.#pass(request, answer));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise((done, failed) => {
      this.#server.once('error', failed);
      this.#server.listen(this.#port, '127.0.0.1', done);
    });
    this.#port = this.#server.address().port;
  }

  /** From now on the home's answers to events are kept back. Resolves when there is one. */
  withhold() {
    this.#withhold = true;
    return new Promise((done) => (this.#withheld = done));
  }

  /** Cuts every connection and takes no new one: what a client sees of a machine whose server is gone. */
  async cut() {
    const closed = new Promise((done) => this.#server.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #pass(request, answer) {
    const parts = [];
    try {
      for await (const part of request) parts.push(part);
    } catch {
      return; // The client went away in the middle of its request: it sent nothing.
    }
    const body = Buffer.concat(parts);
    const entry = {
      at: Date.now(),
      method: request.method,
      path: request.url,
      retry: request.headers['x-retry-count'],
      events: eventsOf(request, body),
      status: undefined,
      receipt: undefined,
      told: false,
    };
    this.requests.push(entry);
    const { method, url: path, headers } = request;
    const onward = http.request({ ...this.#home, method, path, headers, agent: false }, (from) => {
      const got = [];
      from.on('data', (part) => got.push(part));
      from.on('error', () => answer.destroy());
      from.on('end', () => {
        entry.status = from.statusCode;
        entry.receipt = json(Buffer.concat(got).toString('utf8'));
        if (this.#withhold && entry.events.length > 0) return this.#withheld();
        entry.told = !answer.destroyed;
        answer.writeHead(from.statusCode, from.headers);
        answer.end(Buffer.concat(got));
      });
    });
    onward.on('error', () => answer.destroy());
    onward.end(body);
  }
}
