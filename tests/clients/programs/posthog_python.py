"""posthog."""

from posthog import Posthog

from program import (
    HOST, KEY, OPTIONS, PLAN, ROUND, answer_at, answer_properties, answers, at, complain, report,
)

client = Posthog(KEY, host=HOST, on_error=complain, **OPTIONS)
company = PLAN["company"]
groups = {"company": company["id"]}


def capture(user, event, properties, timestamp):
    client.capture(event, distinct_id=user, properties=properties, groups=groups, timestamp=timestamp)


if ROUND == "well":
    known = at(PLAN["known"])
    for user, traits in PLAN["users"].items():
        client.set(distinct_id=user, properties=traits, timestamp=known)
    client.group_identify("company", company["id"], company["traits"], distinct_id="ada", timestamp=known)
    capture("ada", "$pageview", {"$pathname": "/dashboard"}, at(PLAN["dashboard"]))
    capture("ada", "Report Edited", PLAN["edited"]["properties"], at(PLAN["edited"]["at"]))
    capture("ada", "$screen", {"$screen_name": "Reports"}, at(PLAN["screen"]))
    capture("alan", "Report Exported", PLAN["exported"]["properties"], at(PLAN["exported"]["at"]))
    capture("anon-7", "Pricing Viewed", {"$process_person_profile": False}, at(PLAN["pricing"]))
    # As its documentation has it: the user first, the alias second, whatever the parameters are called.
    client.alias("ada", "anon-7", timestamp=known)
else:
    answers(lambda index: capture("ada", "NPS Submitted", answer_properties(index), answer_at(index)), client.flush)

client.shutdown()
report("posthog")
