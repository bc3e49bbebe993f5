"""What the Python programs have in common; see program.js for how they talk to the test."""

import json
import os
import sys
import time
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

HOST, KEY, ROUND = os.environ["HOST"], os.environ["KEY"], os.environ["ROUND"]
OPTIONS = json.loads(os.environ.get("OPTIONS", "{}"))
PLAN = json.loads((Path(__file__).parent.parent / "plan.json").read_text())

errors: list[str] = []


def complain(error, _batch=None):
    errors.append(str(error))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def answers(send, flush):
    count, every = PLAN["answers"]["count"], PLAN["answers"]["everyMs"] / 1000
    send(0)
    flush()
    print("ready", flush=True)
    sys.stdin.readline()
    for index in range(1, count):
        send(index)
        time.sleep(every)


def answer_at(index: int) -> datetime:
    return at(PLAN["answers"]["from"]) + timedelta(minutes=index * PLAN["answers"]["apartMinutes"])


def answer_properties(index: int) -> dict:
    return {"score": index % 11, "feature": "reports"}


def report(package: str):
    print(json.dumps({"errors": errors, "version": version(package)}), flush=True)
