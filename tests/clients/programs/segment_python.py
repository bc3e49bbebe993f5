"""segment-analytics-python and rudder-sdk-python, which is made from it: the same calls."""

import sys

from program import (
    HOST, KEY, OPTIONS, PLAN, ROUND, answer_at, answer_properties, answers, at, complain, report,
)

package = sys.argv[1]
if package == "segment-analytics-python":
    from segment.analytics.client import Client
else:
    from rudderstack.analytics.client import Client

client = Client(KEY, host=HOST, on_error=complain, **OPTIONS)
company = PLAN["company"]
context = {"groupId": company["id"]}

if ROUND == "well":
    known = at(PLAN["known"])
    for user, traits in PLAN["users"].items():
        client.identify(user, traits, timestamp=known)
        client.group(user, company["id"], company["traits"], timestamp=known)
    client.page("ada", None, "Dashboard", timestamp=at(PLAN["dashboard"]))
    client.track("ada", "Report Edited", PLAN["edited"]["properties"], timestamp=at(PLAN["edited"]["at"]))
    client.screen("ada", None, "Reports", timestamp=at(PLAN["screen"]))
    client.track("alan", "Report Exported", PLAN["exported"]["properties"], timestamp=at(PLAN["exported"]["at"]))
    client.track(None, "Pricing Viewed", context=context, anonymous_id="anon-7", timestamp=at(PLAN["pricing"]))
    client.alias("anon-7", "ada")
else:

    def send(index):
        client.track(
            "ada", "NPS Submitted", answer_properties(index), context=context, timestamp=answer_at(index)
        )

    answers(send, client.flush)

client.flush()
report(package)
