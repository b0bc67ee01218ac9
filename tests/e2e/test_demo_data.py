"""The demo data as the commands of the operator see them: the trail is whole, the books agree."""

import json


def test_the_trail_and_the_books_of_fresh_demo_data_hold(portal):
    trail = json.loads(portal.command("audit", "verify", "--json"))
    assert trail["ok"] and trail["first_fault"] is None and trail["checked"] > 1000
    books = json.loads(portal.command("ledger", "check", "--json"))
    assert books["ok"] and books["checked"] > 0 and books["first_fault"] is None
