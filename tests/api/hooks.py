"""What schemathesis gets told of the home it calls: ids that are there, and what it may not take away. Counts what every operation
answered.

Environment: KNOWN, a file with `ids` (a path's ids, one dictionary of path parameters each) and `kept` (ids that no call may change:
that of the token the calls carry, and that of the source whose key they carry); SEEN, the file for what was answered.
"""

import atexit
import json
import os
import threading
from collections import Counter, defaultdict
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, Response

with open(os.environ["KNOWN"], encoding="utf-8") as file:
    known = json.load(file)

lock = threading.Lock()
calls: Counter[str] = Counter()
seen: defaultdict[str, Counter[int]] = defaultdict(Counter)


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Every other call gets ids that are there; with made-up ones alone, everything would be 404."""
    label, given = case.operation.label, case.path_parameters
    if not given:
        return
    # One after the other answers what it found: its ids stay.
    if case.meta is None or case.meta.phase.name != "stateful":
        ids = known["ids"].get(label) or known["ids"].get(case.operation.path, [])
        with lock:
            calls[label] += 1
            call = calls[label]
        if ids and call % 2:
            given.update(ids[call // 2 % len(ids)])
    if case.operation.method.upper() != "GET" and given.get("id") in known["kept"]:
        given["id"] = "nobody"


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    with lock:
        seen[case.operation.label][response.status_code] += 1


@atexit.register
def tell() -> None:
    """Writes down what was answered."""
    with open(os.environ["SEEN"], "w", encoding="utf-8") as file:
        json.dump(seen, file)
