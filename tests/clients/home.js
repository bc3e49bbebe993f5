// A home as a process of its own, which can be killed and started again on the same data.

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';

/** A port that nobody listens on. */
export function freePort() {
  return new Promise((done, failed) => {
    const server = createServer().once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export class Home {
  #binary;
  #data;
  #log;
  #process;
  port;

  constructor(binary, data, log) {
    this.#binary = binary;
    this.#data = data;
    this.#log = createWriteStream(log, { flags: 'a' });
  }

  get address() {
    return { host: '127.0.0.1', port: this.port };
  }

  /** Starts the home, or starts it again where it was; `now` is for the first time. Resolves when it listens. */
  async start(now) {
    this.port ??= await freePort();
    const args = ['serve', '--listen', `127.0.0.1:${this.port}`, '--data', this.#data, ...(now ? ['--now', now] : [])];
    const child = spawn(this.#binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    child.stderr.pipe(this.#log, { end: false });
    await new Promise((done, failed) => {
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`the home did not start (exit ${code}); see its log`)));
      child.stdout.on('data', (text) => {
        this.#log.write(text);
        if (`${text}`.includes('listens on')) done();
      });
    });
    child.removeAllListeners('exit');
  }

  async #end(signal) {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await gone;
  }

  /** SIGKILL: no time to write anything. */
  kill() {
    return this.#end('SIGKILL');
  }

  stop() {
    return this.#end('SIGINT');
  }

  async call(method, path, { token, body } = {}) {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: { accept: 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }
}
