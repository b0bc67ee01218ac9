"""Child process: builds the C rule sets read from standard input and runs one fact through each."""

import json
import sys

import durable_rules_engine


def build(shard: str) -> None:
    """Create one rule set, assert and retract the bare fact."""
    handle = durable_rules_engine.create_ruleset("s", shard)
    fact = '{"_f": 1, "id": "f"}'
    code, offset = durable_rules_engine.assert_fact(handle, fact)
    if code == 0:
        action = durable_rules_engine.start_action_for_state(handle, offset)
        while action:
            action = durable_rules_engine.complete_and_start_action(handle, offset)
        durable_rules_engine.retract_fact(handle, fact)
    elif code != 1:
        raise SystemExit(f"code {code}")


if __name__ == "__main__":
    for text in json.load(sys.stdin):
        build(text)
