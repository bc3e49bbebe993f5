"""A receiver on Python's official library of Standard Webhooks. SECRETS: the secret for each path, as JSON. Writes its
port, then a line of JSON for each call."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

SECRETS = json.loads(os.environ["SECRETS"])


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = Webhook(SECRETS[self.path]).verify(body, dict(self.headers))
            said, status = {"id": self.headers["webhook-id"], "event": event}, 204
        except WebhookVerificationError as error:
            said, status = {"refused": str(error)}, 400
        print(json.dumps(said), flush=True)
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
