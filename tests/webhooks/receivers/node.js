// A receiver on Node's official library of Standard Webhooks. SECRETS: the secret for each path, as JSON. Writes its port,
// then a line of JSON for each call.

import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const secrets = JSON.parse(process.env.SECRETS);

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    const event = new Webhook(secrets[request.url]).verify(Buffer.concat(chunks), request.headers);
    console.log(JSON.stringify({ id: request.headers['webhook-id'], event }));
    response.writeHead(204).end();
  } catch (error) {
    console.log(JSON.stringify({ refused: error.message }));
    response.writeHead(400).end();
  }
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
