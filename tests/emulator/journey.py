"""The product's path on the deployed stack: events come, a week is scored, a mail asks, an answer comes back, a page shows it; see
README.md.

journey.py <folder of the packages or binaries> <folder to work in> <sam> <barometer>
"""

import base64
import datetime
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

from cloud import ADMIN, REGION, REPOSITORY, Clock, Cloud, Stack, packages, until

# Monday of a week in which nothing has happened yet.
START = "2031-09-01T00:00:00Z"
ADDRESS = "ada@acme.example"
ADMIN_ADDRESS = "csm@example.com"


def say(text):
    print(text, flush=True)


def equal(what, found, wanted):
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"
    say(f"  ✓ {what}: {found}")


def holds(what, found):
    assert found, what
    say(f"  ✓ {what}")


def later(instant, **by):
    moved = datetime.datetime.fromisoformat(instant) + datetime.timedelta(**by)
    return moved.strftime("%Y-%m-%dT%H:%M:%SZ")


class Product:
    """A SaaS product that posts what its users do, as a server library does."""

    def __init__(self, stack, write_key):
        self.stack = stack
        self.authorization = "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()

    def send(self, *events):
        return self.stack.request("POST", "/v1/batch", {"batch": events}, authorization=self.authorization)

    def send_compressed(self, *events):
        body = gzip.compress(json.dumps({"batch": events}).encode())
        headers = {"authorization": self.authorization, "content_encoding": "gzip"}
        return self.stack.request("POST", "/v1/batch", body, **headers)


class Csm:
    """Who works with the API."""

    def __init__(self, stack, token):
        self.stack, self.authorization = stack, f"Bearer {token}"

    def call(self, method, path, body=None, **headers):
        return self.stack.request(method, path, body, authorization=self.authorization, **headers)

    def get(self, path):
        answer = self.call("GET", path)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text}"
        return answer.json()


def track(message, at, seconds, user="ada", event="Feature Used", **properties):
    return {
        "type": "track",
        "event": event,
        "userId": user,
        "messageId": message,
        "timestamp": at,
        "properties": properties | {"durationSeconds": seconds},
    }


# What tests/tests/it/week_of_two.rs posts in a home, there with the sums that lead to the same numbers.
FIRST_WEEK = [
    *(
        {
            "type": "identify",
            "userId": user,
            "messageId": f"i-{user}",
            "timestamp": "2031-09-01T05:00:00Z",
            "traits": traits,
        }
        for user, traits in (("ada", {"email": ADDRESS}), ("ben", {}))
    ),
    *(
        {
            "type": "group",
            "userId": user,
            "groupId": "acme",
            "messageId": f"g-{user}",
            "timestamp": "2031-09-01T06:00:00Z",
            "traits": {"name": "Acme", "createdAt": "2025-01-01T00:00:00Z"},
        }
        for user in ("ada", "ben")
    ),
    track("t1", "2031-09-03T09:20:00Z", 1200, feature="export"),
    track("t2", "2031-09-03T09:00:00Z", 1200, feature="export"),
    {"type": "page", "name": "Pricing", "userId": "ada", "messageId": "p1", "timestamp": "2031-09-04T10:02:00Z"},
]
SECOND_WEEK = [track(f"s-{user}", "2031-09-09T08:00:00Z", 3540, user, "Signed In") for user in ("ada", "ben")]


def deployed(stack):
    say(f"\nDeployed with sam deploy, {len(stack.resources)} resources and {len(stack.routes)} routes")
    for change in stack.changes:
        say(f"  - {change}")
    missing = stack.wanted - set(stack.resources)
    # Without an address for alarms or a domain of its own, these are not wanted; SAM writes others besides.
    conditional = {"MailSender", "Domain", "DomainMapping", "DomainRecord"}
    equal("resources of the template that were not made", sorted(missing - conditional), [])
    equal(
        "all of them", {one["ResourceStatus"] for one in stack.resources.values()}, {"CREATE_COMPLETE"}
    )
    equal("the document", stack.request("GET", "/openapi.json").status, 200)
    refused = stack.request("GET", "/v1/companies")
    equal("without a token", (refused.status, refused.headers["content-type"]), (401, "application/problem+json"))


def workspace(cloud, stack, barometer):
    """The documented command."""
    words = ["workspace", "create", "--name", "Rocket", "--admin-email", ADMIN_ADDRESS, "--json"]
    made = subprocess.run(
        [barometer, *words, "--table", stack.outputs["TableName"]],
        env=os.environ | ADMIN | cloud.environment() | cloud.clock.environment() | {"AWS_REGION": REGION},
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    keys = json.loads(made.stdout)
    holds(f"workspace {keys['workspace_id']} is made", keys["write_key"] and keys["api_token"])
    return keys


def first_week(stack, product, csm):
    say("\nEvents of a week")
    stack.cloud.clock.set("2031-09-05T00:00:00Z")
    # The emulator's gateway takes a compressed body for text. AWS's may, too, which is why a deployer tries it out.
    spoilt = product.send_compressed(*FIRST_WEEK)
    equal("a compressed body that the gateway spoilt", (spoilt.status, spoilt.json()["code"]), (415, "unreadable_encoding"))
    for what in ("taken", "and once more, as by a library that missed the answer"):
        answer = product.send(*FIRST_WEEK)
        equal(what, (answer.status, answer.json()["accepted"]), (200, len(FIRST_WEEK)))
    wrong = product.send(FIRST_WEEK[0], {"type": "track", "userId": "ada"})
    problems = wrong.json()["errors"]
    equal("of two events one isn't one", (wrong.json()["accepted"], [one["index"] for one in problems]), (1, [1]))

    say("\nMonday comes: score-week's schedule")
    (week,) = hourly(stack, "score-week", "2031-09-08T00:00:00Z", lambda: csm.get("/v1/companies/acme/weeks")["items"])
    parts = week["components"]
    equal("2031-W36", (week["period"], week["score"], week["band"]), ("2031-W36", 45.84, "onboarding"))
    equal("of it login activity and adoption", (parts["login"]["value"], parts["adoption"]["value"]), (50, 41.67))


def second_week(stack, product, csm):
    say("\nThe second week: both come, and feedback is to be asked for")
    stack.cloud.clock.set("2031-09-10T12:00:00Z")
    equal("taken", product.send(*SECOND_WEEK).json()["accepted"], len(SECOND_WEEK))
    equal("toggle", csm.call("PATCH", "/v1/companies/acme", {"request_feedback": True}).status, 200)
    # The first hour belongs to the late events of the week before.
    weeks = hourly(stack, "score-week", "2031-09-15T00:00:00Z", lambda: two(csm.get("/v1/companies/acme/weeks")["items"]))
    equal("2031-W37", (weeks[1]["score"], weeks[1]["band"]), (100, "thriving"))
    (month,) = hourly(stack, "roll-up-month", "2031-09-15T06:45:00Z", lambda: csm.get("/v1/companies/acme/months")["items"])
    equal("the month so far", (month["period"], month["score"], month["provisional"]), ("2031-09", 72.92, True))


def hourly(stack, function, instant, done):
    """Lets a schedule fire hour by hour until it is done, and answers with what came of it."""
    for _ in range(6):
        stack.fire(function, instant)
        instant = later(instant, hours=1)
        try:
            return until(done, f"what {function} does", 5)
        except TimeoutError:
            pass
    raise AssertionError(f"{function} did nothing")


def two(items):
    return len(items) == 2 and items


def asked(stack):
    say("\nrequest-feedback's schedule, every quarter of an hour")
    instant, runs = "2031-09-15T08:00:00Z", 0
    while True:
        stack.fire("request-feedback", instant)
        runs += 1
        if stack.cloud.mails():
            break
        assert runs < 4 * 24, "nobody was asked within a day"
        instant = later(instant, minutes=15)
    sent = datetime.datetime.fromisoformat(instant)
    holds(f"one mail after {runs} runs, {sent:%A %d %B %H:%M}", sent.weekday() < 5 and 9 <= sent.hour < 16)
    (mail,) = stack.cloud.mails()
    equal("to", mail["To"], [ADDRESS])
    say(f"    “{mail['Subject']}”")
    stack.fire("request-feedback", instant)
    equal("mails after one more run", len(stack.cloud.mails()), 1)
    return mail


def answered(stack, csm, mail):
    say("\nAda answers")
    links = re.findall(r"https://\S+/f/[^\s\"'<>?&]+", mail["BodyText"])
    path = stack.path(links[0])
    page = stack.request("GET", path)
    equal("the page of the link", (page.status, page.headers["content-type"]), (200, "text/html; charset=utf-8"))
    equal("nothing is stored by looking", csm.get("/v1/feedback")["items"], [])
    form = urllib.parse.urlencode({"rating": 9, "comment": "The export saves me hours."})
    thanks = stack.request("POST", path, form, content_type="application/x-www-form-urlencoded")
    equal("her answer", thanks.status, 200)
    (stored,) = csm.get("/v1/feedback")["items"]
    equal("is in the inbox", (stored["user_id"], stored["rating"], stored["comment"]), ("ada", 9, "The export saves me hours."))
    happiness = until(
        lambda: leveled(csm.get("/v1/companies/acme")["happiness"]), "the company has a level, by way of the bus"
    )
    equal("Acme's level", (happiness["level"], happiness["score"], happiness["provisional"]), ("very_happy", 90, True))


def leveled(happiness):
    return happiness["level"] != "no_data" and happiness


def told_by_ses(stack, mail):
    """SES on AWS tells the account's default bus; the emulator's SES doesn't, and nobody else may put its events there. So it is asked
    whether the rule would fit, and the queue gets what the rule would give it."""
    say("\nSES tells of a delivery: rule, queue, track-mail")
    recorded = json.loads((REPOSITORY / "infra/events/track-mail.delivery.json").read_text())
    event = json.loads(recorded["Records"][0]["body"])
    detail = event["detail"]
    detail["mail"]["messageId"] = mail["MessageId"]
    detail["mail"]["tags"]["ses:configuration-set"] = [stack.outputs["MailConfigurationSet"]]
    (ask,) = asks(stack)
    detail["mail"]["tags"]["send_id"] = [ask["send_id"]["S"]]
    equal("the ask", ask["state"]["S"], "accepted")
    events, queues = stack.cloud.client("events"), stack.cloud.client("sqs")
    rule = stack.physical("MailEventsRule")
    pattern = events.describe_rule(Name=rule)["EventPattern"]
    fits = events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
    targets = [target["Arn"] for target in events.list_targets_by_rule(Rule=rule)["Targets"]]
    queue = stack.physical("MailEvents")
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    equal("the rule fits, and leads to", (fits, targets), (True, [arn]))
    queues.send_message(QueueUrl=queue, MessageBody=json.dumps(event))
    until(lambda: asks(stack)[0]["state"]["S"] == "delivered", "the ask is delivered")
    holds("the ask is delivered", True)


def asks(stack):
    """The items of the asks, straight from the table."""
    pages = stack.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["TableName"])
    return [item for page in pages for item in page["Items"] if "send_id" in item and "state" in item]


def status(stack, csm):
    say("\nA CSM sets the business status")
    body = {"status": "struggling", "note": "The sponsor left."}
    set_ = csm.call("PUT", "/v1/companies/acme/status", body, idempotency_key="journey-1")
    equal("set", (set_.status, set_.json()["value"]), (200, "struggling"))
    tasks = until(lambda: csm.get("/v1/tasks")["items"], "a rule makes a task")
    equal("a task", (tasks[0]["company_id"], tasks[0]["priority"]), ("acme", "high"))


class Browser:
    """Somebody's browser: keeps cookies."""

    def __init__(self, stack):
        self.stack, self.cookies = stack, {}

    def send(self, method, path, body=None, **headers):
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self.stack.request(method, path, body, sec_fetch_site="same-origin", **headers)
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer

    def form(self, path, **fields):
        body = urllib.parse.urlencode(fields)
        return self.send("POST", path, body, content_type="application/x-www-form-urlencoded")


def page(stack):
    say("\nThe admin signs in by the mailed link and looks")
    browser, before = Browser(stack), len(stack.cloud.mails())
    equal("asks for a link", browser.form("/sign-in", email=ADMIN_ADDRESS).status, 200)
    mail = until(lambda: stack.cloud.mails()[before:], "the mail with the link")[0]
    link = re.search(r"https://\S+/sign-in/\S+", mail["BodyText"])[0]
    signed_in = browser.form(stack.path(link))
    equal("follows it", signed_in.status, 303)
    portfolio = browser.send("GET", "/")
    equal("the portfolio", portfolio.status, 200)
    (stack.folder / "portfolio.html").write_text(portfolio.text)
    for word in ("Acme", "Struggling", "Thriving", "Very Happy", "Business problem"):
        holds(f"says {word}", word in portfolio.text)


def roles_bind(stack, csm):
    """Shows that the emulator looks at the roles: without its policy a function can't do what it just did."""
    say("\nRoles bind")
    iam = stack.cloud.client("iam")
    role = stack.physical("UpdateStatusRole")
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    body = {"status": "steady", "note": "A new sponsor."}
    iam.delete_role_policy(RoleName=role, PolicyName=policy)
    refused = csm.call("PUT", "/v1/companies/acme/status", body)
    equal("without its policy update-status fails", refused.status, 500)
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    equal("with it, it works", csm.call("PUT", "/v1/companies/acme/status", body).status, 200)


def other_schedules(stack):
    say("\nThe other schedules")
    for function in sorted(schedules(stack) - FIRED):
        stack.fire(function, "2031-09-16T06:00:00Z")
        holds(f"{function} comes to its end", True)


# Those that the steps above need.
FIRED = {"score-week", "roll-up-month", "request-feedback"}


def schedules(stack):
    """The functions that have a schedule."""
    listed = stack.cloud.client("scheduler").list_schedules()["Schedules"]
    return {schedule["Name"].removeprefix("barometer-") for schedule in listed}


def functions(stack):
    """All functions."""
    kinds = (one for one in stack.resources.values() if one["ResourceType"] == "AWS::Lambda::Function")
    return sorted(one["PhysicalResourceId"].removeprefix("barometer-") for one in kinds)


def watched(stack):
    say("\nLogs and metrics")
    lines = {function: stack.lines(function) for function in functions(stack)}
    equal("functions that said nothing", [function for function, said in lines.items() if not said], [])
    errors = [line["message"] for said in lines.values() for line in said if line.get("level") == "ERROR"]
    equal("errors, but for the one where the policy was taken away", errors, ["store failed"])

    def counted(function, metric):
        return sum(line.get(metric, 0) for line in lines[function] if "_aws" in line)

    # Seven twice, one of two, two; what can't be read has no events.
    equal("events, rejected", (counted("ingest-events", "events"), counted("ingest-events", "rejected")), (18, 1))
    equal("mails that SES took for asks", counted("request-feedback", "sent"), 1)
    holds("companies were scored", counted("score-week", "scored"))
    units = {metric: sum(counted(function, metric) for function in lines) for metric in ("read_units", "write_units")}
    say(f"    units of the table in all: {units}")

    traces = [{line.get("trace_id") for line in lines[function]} for function in ("update-status", "react")]
    holds("a change has one trace id in update-status and in react", traces[0] & traces[1])


def real_clients(stack, product, csm, write_key):
    """Requests that official libraries sent, with this workspace's key, as of the day before the clock's."""
    say("\nRecorded requests of official clients")
    kept = REPOSITORY / "tests/fixtures/clients"
    for client in ("segment-analytics-node", "segment-analytics-python"):
        for kind in ("identify", "group", "track", "page", "batch"):
            head, body = (kept / client / f"{kind}.http").read_bytes().decode().split("\r\n\r\n", 1)
            method, path, _ = head.split("\r\n")[0].split(" ")
            body = re.sub(r"\b20\d\d-\d\d-\d\dT", "2031-09-15T", body.replace("wk_test_123", write_key))
            answer = stack.request(method, path, body, authorization=product.authorization)
            sent = len(json.loads(body)["batch"])
            taken = answer.json()
            equal(f"{client}, {kind}", (answer.status, taken["accepted"], taken["rejected"]), (200, sent, 0))
    companies = [company["company_id"] for company in csm.get("/v1/companies?sort=id")["items"]]
    equal("companies", companies, ["acct_123", "acme"])


def taken_away(cloud, stack):
    say("\nsam delete")
    stack.command("delete", "--no-prompts", "--region", REGION)
    functions = cloud.client("lambda").list_functions()["Functions"]
    equal("functions left", len(functions), 0)
    tables = cloud.client("dynamodb").list_tables()["TableNames"]
    equal("the table stays", tables, [stack.outputs["TableName"]])
    kept = cloud.client("secretsmanager").list_secrets()["SecretList"]
    equal("and the keys of the links", len(kept), 2)


def main(built, folder, sam, barometer):
    folder = pathlib.Path(folder)
    zips = packages(pathlib.Path(built), folder)
    clock = Clock(folder, START)
    cloud = Cloud(folder, clock)
    try:
        stack = Stack(cloud, folder, zips, sam)
        deployed(stack)
        keys = workspace(cloud, stack, barometer)
        product, csm = Product(stack, keys["write_key"]), Csm(stack, keys["api_token"])
        first_week(stack, product, csm)
        second_week(stack, product, csm)
        mail = asked(stack)
        told_by_ses(stack, mail)
        answered(stack, csm, mail)
        status(stack, csm)
        page(stack)
        other_schedules(stack)
        roles_bind(stack, csm)
        watched(stack)
        real_clients(stack, product, csm, keys["write_key"])
        taken_away(cloud, stack)
    finally:
        cloud.stop()
    say("\nFrom deploying to taking away: all of it worked.")


if __name__ == "__main__":
    main(*sys.argv[1:])
