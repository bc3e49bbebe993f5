"""What an engineer writes against the generated package; mypy holds it against the package's types."""

import os

from python import AuthenticatedClient
from python.api.companies import get_company, list_companies, set_status
from python.models.company_view import CompanyView
from python.models.list_companies_sort import ListCompaniesSort
from python.models.new_status import NewStatus
from python.models.problem import Problem
from python.models.status import Status
from python.types import UNSET, Unset

client = AuthenticatedClient(base_url=os.environ["URL"], token=os.environ["TOKEN"])


def equal(what: str, found: object, wanted: object) -> None:
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"
    print(f"  ✓ {what}")


def portfolio() -> list[CompanyView]:
    """All companies, page by page."""
    companies: list[CompanyView] = []
    cursor: str | Unset = UNSET
    while True:
        page = list_companies.sync(client=client, limit=2, cursor=cursor, sort=ListCompaniesSort.NAME)
        assert page is not None and not isinstance(page, (Problem, str)), page
        companies.extend(page.items)
        if not page.next_cursor:
            return companies
        cursor = page.next_cursor


equal("companies come page by page", [company.company_id for company in portfolio()], ["acme", "globex", "initrode"])

one = get_company.sync("acme", client=client)
assert isinstance(one, CompanyView), one
equal("one company is read", (one.name, one.happiness.level.value), ("ACME", "not_happy"))

changed = set_status.sync("acme", client=client, body=NewStatus(status=Status.HEALTHY, note="From Python."))
assert changed is not None and not isinstance(changed, Problem), changed
equal("a status is set", (changed.value, changed.note), (Status.HEALTHY, "From Python."))

wrong = set_status.sync("acme", client=client, body=NewStatus(status=Status.HEALTHY, note=" "))
assert isinstance(wrong, Problem) and not isinstance(wrong.errors, Unset), wrong
equal("a problem says where", (wrong.status, wrong.code, wrong.errors[0].pointer), (422, "invalid", "/note"))

missing = get_company.sync("nobody", client=client)
assert isinstance(missing, Problem), missing
equal("what isn't there is a problem", (missing.status, missing.code), (404, "not_found"))
