"""The `portal` command: each noun's module adds its own parser; this module only lists and runs them.

A noun's `add_parser(subparsers)` adds a parser of its own name and sets the default `run`, a function that
takes the parsed arguments and returns the exit code: 0 done, 1 a fault was found, 2 it could not be run.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from portal.settings import SettingsError


class CommandRefused(Exception):
    """A command cannot do what was asked; the text says what happened, why, and what to do."""

    def __init__(self, message: str, exit_code: int = 2):
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Command:
    """Where the parser of one sub-command is added."""

    name: str
    module: str
    function: str = "add_parser"


COMMANDS = (
    Command("serve", "portal.serving"),
    Command("migrate", "portal.migration"),
    Command("demo", "portal.demo"),
    Command("partners", "integrations.command_line"),
    Command("rules", "portal.rules"),
    Command("functions", "portal.functions"),
    Command("inspect", "portal.inspect"),
    Command("overlay", "portal.overlay"),
    Command("coordinates", "portal.coordinates"),
    Command("ledger", "portal.ledger"),
    Command("audit", "portal.audit"),
    Command("bench", "portal.bench"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit code; refusals are printed on standard error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parsed = build_parser(wanted(words)).parse_args(words)
    try:
        return parsed.run(parsed)
    except SettingsError as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except CommandRefused as refusal:
        print(refusal, file=sys.stderr)
        return refusal.exit_code


def wanted(words: Sequence[str]) -> tuple[Command, ...]:
    """The commands whose modules have to be loaded: the one that is named, or all of them for the help text.

    Loading all of them costs the time of every library of the portal.
    """
    first = words[0] if words else ""
    named = tuple(command for command in COMMANDS if command.name == first and exists(command.module))
    return named or tuple(command for command in COMMANDS if exists(command.module))


def build_parser(commands: Sequence[Command]) -> argparse.ArgumentParser:
    """The argument parser with the given sub-commands."""
    parser = argparse.ArgumentParser(prog="portal", description="规图：规划和自然资源业务一体化门户")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in commands:
        getattr(import_module(command.module), command.function)(subparsers)
    return parser


def exists(module: str) -> bool:
    """True when a module is in the tree; one that is there but broken fails aloud when it is loaded."""
    parts = module.split(".")
    return all(find_spec(".".join(parts[: count + 1])) is not None for count in range(len(parts)))
