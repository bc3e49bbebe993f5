"""How long functions take to start, and how much processor time until their first answer; see README.md.

measure.py <folder of the binaries> <folder for certificates> <function…>

The binaries run as they are deployed, one at a time, under a Lambda Runtime API of this program. `bare` among them is what
the others are measured against.
"""

import glob
import http.server
import json
import os
import re
import select
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time

ROUNDS = int(os.environ.get("ROUNDS", "25"))
REPOSITORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PATIENCE = 20

# What a function may find in its environment: everything that the template sets for any of them.
VALUES = {
    "BAROMETER_LINK_KEYS": "1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
    "BAROMETER_MAIL_FROM": "Example <feedback@example.com>",
    "BAROMETER_OIDC_ISSUER": "https://issuer.example",
    "BAROMETER_ORIGIN": "https://barometer.example",
}
# Stands in recorded events for what only a deployment knows.
PLACEHOLDERS = {
    "EXAMPLE-API-TOKEN": "bat_" + "A" * 43,
    "EXAMPLE-SESSION": "A" * 43,
    "EXAMPLE-WORKSPACE": "ws-example",
}


def environment(function):
    with open(os.path.join(REPOSITORY, "infra", "template.yaml"), encoding="utf-8") as template:
        names = set(re.findall(r"^ +(BAROMETER_[A-Z_]+):", template.read(), re.MULTILINE))
    own = {name: VALUES.get(name, "example") for name in names}
    return own | {
        "AWS_ACCESS_KEY_ID": "EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "EXAMPLE",
        "AWS_SESSION_TOKEN": "EXAMPLE",
        "AWS_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "RUST_LOG": "info",
        "TZ": ":UTC",
    }


def spawn(binary, variables):
    quiet = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    return os.posix_spawn(binary, [binary], variables, file_actions=quiet)


def end(child):
    """Ends a process; its processor time in milliseconds, user and system."""
    os.kill(child, signal.SIGKILL)
    _, _, used = os.wait4(child, 0)
    return (used.ru_utime + used.ru_stime) * 1000


def start(binary, variables):
    """Milliseconds from the start of the process to its first call of the Runtime API, and processor time until then."""
    with socket.create_server(("127.0.0.1", 0)) as api:
        api.settimeout(PATIENCE)
        variables = variables | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.getsockname()[1]}"}
        began = time.perf_counter()
        child = spawn(binary, variables)
        try:
            connection, _ = api.accept()
            connection.recv(65536)
            took = (time.perf_counter() - began) * 1000
            connection.close()
        finally:
            processor = end(child)
    return took, processor


class Server(http.server.ThreadingHTTPServer):
    """One whose clients may end at any moment: they are killed once they have answered."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Runtime(Server):
    """A Runtime API with one event."""

    def __init__(self, event):
        super().__init__(("127.0.0.1", 0), RuntimeHandler)
        self.event, self.given, self.answered = event, False, threading.Event()


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def take(self):
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class RuntimeHandler(Quiet):
    def do_GET(self):
        if self.server.given:
            select.select([self.connection], [], [])
            return
        self.server.given = True
        self.answer(
            200,
            self.server.event,
            content_type="application/json",
            lambda_runtime_aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            lambda_runtime_deadline_ms=str(int((time.time() + PATIENCE) * 1000)),
            lambda_runtime_invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:example",
        )

    def do_POST(self):
        self.take()
        self.server.answered.set()
        self.answer(202, b"")


class Aws(Server):
    """Every AWS service over TLS: it has nothing and finds everything well."""

    def __init__(self, certificates):
        super().__init__(("127.0.0.1", 0), AwsHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(certificates, "chain.pem"), os.path.join(certificates, "leaf.key"))
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.calls = 0


class AwsHandler(Quiet):
    def do_POST(self):
        self.take()
        self.server.calls += 1
        self.answer(200, b"{}", content_type="application/x-amz-json-1.0")


def serve(server):
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


def first_answer(binary, variables, event, certificates):
    """Processor time in milliseconds from the start to the function's answer to an event, and its HTTPS calls."""
    runtime, aws = Runtime(event), Aws(certificates)
    serve(runtime)
    serve(aws)
    variables = variables | {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.server_address[1]}",
        "AWS_ENDPOINT_URL": f"https://localhost:{aws.server_address[1]}",
        "SSL_CERT_FILE": os.path.join(certificates, "root.pem"),
    }
    child = spawn(binary, variables)
    answered = runtime.answered.wait(PATIENCE)
    processor = end(child)
    for server in (runtime, aws):
        server.shutdown()
        server.server_close()
    if not answered:
        raise TimeoutError(f"{binary} didn't answer")
    return processor, aws.calls


def recorded(function):
    """The function's first event of infra/events."""
    found = sorted(glob.glob(os.path.join(REPOSITORY, "infra", "events", f"{function}.*.json")))
    if not found:
        return b"{}"
    with open(found[0], encoding="utf-8") as file:
        text = file.read()
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return json.dumps(json.loads(text)).encode()


def certify(folder):
    """A root, an intermediate and a certificate for localhost, each RSA of 2048 bits, as AWS's endpoints have."""
    os.makedirs(folder, exist_ok=True)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign"]
    new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl(*new, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=root", *authority)
    below = ["-CA", "root.pem", "-CAkey", "root.key"]
    openssl(*new, "-keyout", "middle.key", "-out", "middle.pem", "-subj", "/CN=middle", *authority, *below)
    name = ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    below = ["-CA", "middle.pem", "-CAkey", "middle.key"]
    openssl(*new, "-keyout", "leaf.key", "-out", "leaf.pem", "-subj", "/CN=localhost", *name, *below)
    with open(os.path.join(folder, "chain.pem"), "w", encoding="ascii") as chain:
        for part in ("leaf.pem", "middle.pem"):
            with open(os.path.join(folder, part), encoding="ascii") as file:
                chain.write(file.read())


def main(binaries, certificates, *functions):
    certify(certificates)
    starts = {name: [] for name in functions}
    answers = {name: [] for name in functions}
    # In turns, so that whatever else the machine does meets all of them; the first round only warms the caches.
    for _ in range(ROUNDS + 1):
        for name in functions:
            binary, variables = os.path.join(binaries, name), environment(name)
            starts[name].append(start(binary, variables))
            answers[name].append(first_answer(binary, variables, recorded(name), certificates))
    wall = {name: statistics.median(took for took, _ in starts[name][1:]) for name in functions}
    busy = {name: statistics.median(processor for _, processor in starts[name][1:]) for name in functions}
    print(f"medians of {ROUNDS}, milliseconds; x is against the bare program")
    print("function           | start          | CPU to start   | CPU to answer | HTTPS calls")
    for name in functions:
        to_answer = statistics.median(processor for processor, _ in answers[name][1:])
        print(
            f"{name:<18} | {wall[name]:6.2f} {wall[name] / wall['bare']:5.2f}x  | {busy[name]:6.2f} {busy[name] / busy['bare']:5.2f}x  |"
            f" {to_answer:13.2f} | {answers[name][-1][1]:>11}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
