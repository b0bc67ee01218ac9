"""`portal rules …`: the build of the rule files, and the replay of a draft over the decisions of the portal's database."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rules.engine.command_line import add_commands
from rules.engine.fault import Fault

WORDS = "草稿对历史判断回放，列出哪些结论会变；只读数据库，不保存"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `rules` with the commands of the engine and `replay`."""
    parser = subparsers.add_parser("rules", help="检查、测试、变异、解释、回放规则集")
    commands = add_commands(parser, scheme_faults)
    replaying = commands.add_parser("replay", help=WORDS, description=WORDS)
    replaying.add_argument("set", help="规则集的键")
    replaying.add_argument("--draft", required=True, type=Path, metavar="FILE", help="改过的规则文件")
    replaying.add_argument("--json", action="store_true", help="输出 JSON")
    replaying.set_defaults(run=run)


def scheme_faults(paths: Sequence[Path]) -> tuple[list[Fault], int]:
    """Faults of the schemes of inspection that lie under the paths, and how many there are."""
    from domain.inspection.scheme import FOLDER, read_scheme, rule_faults

    files = [file for file in sorted(FOLDER.glob("*.yaml")) if any(file.is_relative_to(path.resolve()) for path in paths)]
    faults: list[Fault] = []
    found = [scheme for file in files if (scheme := read_scheme(file, faults)) is not None]
    return [*faults, *(fault for scheme in found for fault in rule_faults(scheme))], len(files)


def run(arguments: argparse.Namespace) -> int:
    """Replay a draft. The portal's libraries are loaded for this command alone: checking files needs none of them."""
    from portal.rule_replay import replay

    return replay(arguments.set, arguments.draft, arguments.json)
