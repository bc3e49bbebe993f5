"""An AWS account on one machine: the emulator, its clock, and the stack of infra/template.yaml in it."""

import collections
import datetime
import glob
import json
import os
import pathlib
import socket
import string
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.exceptions
import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "infra"))
import pack

REGION = "eu-central-1"
STACK = "barometer"
PARAMETERS = {
    "Architecture": os.uname().machine.replace("aarch64", "arm64"),
    "MailFrom": "feedback@example.com",
    "MailIdentity": "example.com",
    "AlarmEmail": "ops@example.com",
}
# Who deploys. The emulator lets this one do everything, and every role what its policies and its boundary say.
ADMIN = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
PATIENCE = 60
# What AWS knows of a call and the emulator doesn't: a condition on it would never hold.
UNKNOWN_KEYS = {"events:source"}


class Clock:
    """What the functions take for the time. It stands ahead of the machine's, so that nothing expires by that one."""

    def __init__(self, folder, start):
        self.file = folder / "clock"
        self.set(start)

    def set(self, instant):
        """Lets time go on from an instant, such as 2031-09-01T00:00:00Z."""
        ahead = datetime.datetime.fromisoformat(instant).timestamp() - time.time()
        # A reader sees the one or the other, never half a number.
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{ahead:+.3f}\n")
        draft.replace(self.file)

    def environment(self):
        """What a process needs to read this clock: Debian's libfaketime."""
        libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not libraries:
            sys.exit("libfaketime is missing: install the package faketime")
        return {
            "LD_PRELOAD": libraries[0],
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1",
        }


class Answer:
    """What an HTTP request came to."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode()

    def json(self):
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise AssertionError(f"{self.status}, no JSON: {self.text}") from error


class Cloud:
    """The running emulator."""

    def __init__(self, folder, clock):
        self.clock = clock
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(folder / "emulator.log", "wb")
        self.process = subprocess.Popen(
            # Functions inherit what is set here; the emulator itself keeps the machine's clock, which its waits need.
            [sys.executable, pathlib.Path(__file__).with_name("start.py"), json.dumps(clock.environment() | self.environment())],
            env=os.environ
            | ADMIN
            | {
                "GATEWAY_PORT": str(self.port),
                "BIND_HOST": "127.0.0.1",
                "IOT_MTLS_ENABLED": "0",
                "MINISTACK_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                "AUTH": "true",
            },
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        until(self.is_ready, "the emulator answers")

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return self.process.poll() is not None and sys.exit("the emulator ended; see emulator.log")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def environment(self):
        """What an AWS client needs to come here."""
        return {"AWS_ENDPOINT_URL": self.url}

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ADMIN["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ADMIN["AWS_SECRET_ACCESS_KEY"],
        )

    def mails(self):
        """Every mail that SES took."""
        with urllib.request.urlopen(f"{self.url}/_ministack/ses/messages") as answer:
            accounts = json.load(answer)["messages"]
        return [mail for mails in accounts.values() for mail in mails]


class Intrinsics(yaml.SafeLoader):
    """Reads a template's short forms as the long ones, since the emulator gets it as JSON."""


def intrinsic(loader, name, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


Intrinsics.add_multi_constructor("!", intrinsic)


def fit(template, zips):
    """Makes of the template what the emulator can do, and answers with the changes."""
    changes, without = [], collections.defaultdict(set)
    for name, resource in list(template["Resources"].items()):
        kind, properties = resource["Type"], resource["Properties"]
        for statement in statements(properties):
            if UNKNOWN_KEYS & {key for keys in statement.get("Condition", {}).values() for key in keys}:
                del statement["Condition"]
                without["condition"].add(statement["Sid"])
            if "ses:SendEmail" in statement["Action"]:
                statement["Resource"] = "*"
                without["resource"].add(statement["Sid"])
        if kind == "AWS::Serverless::Function":
            properties["CodeUri"] = str(zips / pathlib.Path(properties["CodeUri"]).name)
        elif kind == "AWS::Events::Archive":
            changes.append(f"{name} left out: the emulator has no archives")
            del template["Resources"][name]
        elif kind == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            changes.append(f"{name} left out: the emulator has no metric math")
            del template["Resources"][name]
        elif kind == "AWS::SecretsManager::Secret":
            wanted = properties.pop("GenerateSecretString")
            assert wanted["ExcludePunctuation"], "a key's text must fit into the list of keys"
            letters = string.ascii_letters + string.digits
            properties["SecretString"] = "".join(secrets.choice(letters) for _ in range(wanted["PasswordLength"]))
            changes.append(f"{name} made here: the emulator puts punctuation into secrets that are to have none")
    for what, names in without.items():
        changes.append(f"statements {', '.join(sorted(names))} without their {what}: the emulator doesn't know it of the call")
    return changes


def statements(properties):
    """The statements of a function's policies, or of a policy."""
    documents = [*properties.get("Policies", []), properties.get("PolicyDocument", {})]
    return [statement for document in documents for statement in document.get("Statement", [])]


def packages(folder, work):
    """The zips of a folder; made of its binaries when it has none."""
    if any(folder.glob("*.zip")):
        return folder
    made = work / "packages"
    made.mkdir(exist_ok=True)
    listed = subprocess.run(
        [sys.executable, REPOSITORY / "infra" / "functions.py"], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    for function in listed.stdout.split():
        binary = work / "stripped"
        subprocess.run(["strip", "-o", binary, folder / function], check=True)
        pack.pack(binary.read_bytes(), made / f"{function}.zip", 0)
    return made


class Stack:
    """The stack, once it is deployed."""

    def __init__(self, cloud, folder, packages, sam):
        self.cloud, self.sam, self.folder = cloud, sam, folder
        template = yaml.load((REPOSITORY / "infra" / "template.yaml").read_text(), Intrinsics)
        self.changes = fit(template, packages)
        fitted = folder / "template.json"
        fitted.write_text(json.dumps(template))
        # The deployer's own part.
        cloud.client("sesv2").create_email_identity(EmailIdentity=PARAMETERS["MailIdentity"])
        # The documented command, but for the file.
        parameters = [f"{name}={value}" for name, value in PARAMETERS.items()]
        self.command("deploy", "--template-file", str(fitted), "--parameter-overrides", *parameters)
        formation = cloud.client("cloudformation")
        stack = formation.describe_stacks(StackName=STACK)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        pages = formation.get_paginator("list_stack_resources").paginate(StackName=STACK)
        listed = [one for page in pages for one in page["StackResourceSummaries"]]
        self.resources = {one["LogicalResourceId"]: one for one in listed}
        self.wanted = set(template["Resources"])
        self.api = self.physical("HttpApi")
        self.add_routes(formation)

    def command(self, *words):
        """A command of the SAM CLI."""
        config = REPOSITORY / "infra" / "samconfig.toml"
        done = subprocess.run(
            [self.sam, *words, "--config-file", str(config)],
            env=os.environ | ADMIN | self.cloud.environment() | {"AWS_DEFAULT_REGION": REGION, "SAM_CLI_TELEMETRY": "0"},
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            sys.exit(f"{done.stdout}\nsam {words[0]} failed ({done.returncode})")

    def physical(self, logical):
        return self.resources[logical]["PhysicalResourceId"]

    def add_routes(self, formation):
        """Makes the routes that SAM wrote into the API's definition. AWS imports it with the API, the emulator doesn't."""
        processed = formation.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
        processed = json.loads(processed) if isinstance(processed, str) else processed
        gateway = self.cloud.client("apigatewayv2")
        account = self.cloud.client("sts").get_caller_identity()["Account"]
        integrations = {}
        self.routes = []
        for path, methods in processed["Resources"]["HttpApi"]["Properties"]["Body"]["paths"].items():
            for method, operation in methods.items():
                wanted = operation["x-amazon-apigateway-integration"]
                function = wanted["uri"]["Fn::Sub"].split("${")[-1].removesuffix(".Arn}/invocations")
                if function not in integrations:
                    arn = f"arn:aws:lambda:{REGION}:{account}:function:{self.physical(function)}"
                    made = gateway.create_integration(
                        ApiId=self.api,
                        IntegrationType="AWS_PROXY",
                        IntegrationUri=arn,
                        PayloadFormatVersion=wanted["payloadFormatVersion"],
                    )
                    integrations[function] = f"integrations/{made['IntegrationId']}"
                any_method = method == "x-amazon-apigateway-any-method"
                key = "$default" if path == "/$default" else f"{'ANY' if any_method else method.upper()} {path}"
                gateway.create_route(ApiId=self.api, RouteKey=key, Target=integrations[function])
                self.routes.append(key)

    def request(self, method, path, body=None, **headers):
        """A request through the gateway."""
        body = json.dumps(body) if isinstance(body, (dict, list)) else body
        body = body.encode() if isinstance(body, str) else body
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {"content-type": "application/json", "host": f"{self.api}.execute-api.localhost:{self.cloud.port}"} | headers
        request = urllib.request.Request(self.cloud.url + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.build_opener(Unmoved).open(request, timeout=PATIENCE) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def path(self, link):
        """The path of a link that was mailed, which must be one of this API."""
        parts = urllib.parse.urlsplit(link)
        # By the name that the template gives, or by that which the gateway heard.
        assert parts.scheme == "https" and parts.netloc.startswith(f"{self.api}.execute-api."), link
        return parts.path

    def fire(self, function, instant):
        """Lets a function's schedule fire for an instant: what it says is sent to whom it says. The emulator fires schedules, too,
        but by the machine's clock, and sends the words that stand for the time as they are."""
        self.cloud.clock.set(instant)
        schedule = self.cloud.client("scheduler").get_schedule(Name=f"{STACK}-{function}")
        target = schedule["Target"]
        assert schedule["FlexibleTimeWindow"]["Mode"] == "OFF" and target["DeadLetterConfig"], schedule
        event = target["Input"].replace("<aws.scheduler.scheduled-time>", instant)
        return self.invoke(target["Arn"], json.loads(event))

    def invoke(self, function, event):
        """What a function makes of an event. Errors: it failed."""
        answer = self.cloud.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        made = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise AssertionError(f"{function}: {made}")
        return made

    def lines(self, function):
        """What a function logged, as JSON where it is."""
        logs = self.cloud.client("logs")
        group = f"/aws/lambda/{STACK}-{function}"
        found = []
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in (event for page in pages for event in page["events"]):
                for line in event["message"].splitlines():
                    if line.startswith("{"):
                        found.append(json.loads(line))
        except botocore.exceptions.ClientError as error:
            raise AssertionError(f"no log {group}: {error}") from error
        return found


class Unmoved(urllib.request.HTTPRedirectHandler):
    """Shows redirections instead of following them."""

    def redirect_request(self, *_):
        return None


def until(holds, what, seconds=PATIENCE):
    """Waits until something holds, and answers with it."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.1)
