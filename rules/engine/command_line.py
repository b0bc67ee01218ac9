"""`portal rules check|test|mutate|explain`: the build of the rule files on the command line.

Exit codes: 0 in order, 1 faults found, 2 the command could not be carried out.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from .check import check
from .explanation import explain
from .fault import Fault, RuleError
from .golden import test
from .mutation import mutate
from .note import NOTHING_KNOWN
from .rule_book import BOTH, FOLDERS, PYTHON, RULES, rule_files, tables_known
from .rule_set import RuleSet
from .rule_set_reader import Unread, read_rule_set

FINE, FAULTY, IMPOSSIBLE = 0, 1, 2


class Impossible(Exception):
    """The command cannot be carried out as it was given."""


MoreFaults = Callable[[Sequence[Path]], tuple[list[Fault], int]]
"""Faults of definitions of another kind under some paths, and how many definitions there are."""


def add_commands(parser: argparse.ArgumentParser, more: MoreFaults | None = None) -> Any:
    """The four commands, for `portal rules` and `python -m rules.engine` alike; returns what further ones are added to.

    `more` checks definitions that the engine does not know. Each sets `run(arguments) -> exit code`.
    """
    commands = parser.add_subparsers(dest="rules_command", required=True, metavar="COMMAND")
    for name, run, words in (
        ("check", run_check, "检查规则文件，逐条列出 文件:行: 键: 说明"),
        ("test", run_test, "运行黄金用例"),
        ("mutate", run_mutate, "逐个改动限值和比较词，看黄金用例能否发现"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument(
            "paths", nargs="*", type=Path, help="规则文件或文件夹（默认 rules/sets 与 rules/case_types）"
        )
        command.set_defaults(more=more)
        _finish(command, run)
    _explain_parser(commands)
    return commands


def _explain_parser(commands: Any) -> None:
    words = "按给定事实判断一个规则集，列出理由"
    command = commands.add_parser("explain", help=words, description=words)
    command.add_argument("set", help="规则集的键，或规则文件")
    command.add_argument(
        "--facts", required=True, type=Path, metavar="F.json", help="事实（JSON 文件，- 为标准输入）"
    )
    command.add_argument("--on", type=_day, metavar="DATE", help="判断日期（2026-01-31，默认今天）")
    command.add_argument("--demo", action="store_true", help="有演示版本时用演示版本")
    command.add_argument("--engine", choices=(BOTH, PYTHON), default=BOTH, help="python：只用自有求值器")
    _finish(command, run_explain)


def _finish(command: argparse.ArgumentParser, run: Any) -> None:
    command.add_argument("--json", action="store_true", help="输出 JSON")
    command.set_defaults(run=lambda arguments: guarded(run, arguments))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"「{text}」不是日期，应写成 2026-01-31") from error


def guarded(run: Any, arguments: argparse.Namespace) -> int:
    """The command's exit code; what makes it impossible is told on standard error with exit code 2."""
    try:
        return run(arguments)
    except (Impossible, RuleError, OSError) as error:
        print(error, file=sys.stderr)
        return IMPOSSIBLE
    except Unread as unread:
        print(*unread.faults, sep="\n", file=sys.stderr)
        return IMPOSSIBLE


def _paths(arguments: argparse.Namespace) -> list[Path]:
    paths = arguments.paths or [folder for folder in FOLDERS if folder.exists()]
    for path in paths:
        if not path.exists():
            raise Impossible(f"没有文件或文件夹 {path}。请核对路径")
    shown = [_relative(path) for path in paths]
    if not rule_files(shown) and not (arguments.more and arguments.more(shown)[1]):
        raise Impossible(f"{'、'.join(map(str, shown))} 下没有规则文件（*.yaml）。请核对路径")
    return shown


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Impossible(f"没有文件 {path}。请核对路径") from error
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise Impossible(f"{path} 不是 UTF-8 的文本文件。请给出 JSON 文件") from error


def _show(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))


def run_check(arguments: argparse.Namespace) -> int:
    """Print every fault as file:line: key: message."""
    paths = _paths(arguments)
    faults, more = check(paths), 0
    if arguments.more:
        others, more = arguments.more(arguments.paths or [RULES])
        faults = sorted({*faults, *others})
    count = len(rule_files(paths)) + more
    if arguments.json:
        rows = [
            {"file": fault.file, "line": fault.line, "key": fault.key, "message": fault.message}
            for fault in faults
        ]
        _show({"ok": not faults, "checked": count, "faults": rows})
    else:
        print(*faults, sep="\n") if faults else print(f"{count} 个规则文件，没有错误")
    return FAULTY if faults else FINE


def run_test(arguments: argparse.Namespace) -> int:
    """Run golden cases and print what differs."""
    result = test(_paths(arguments))
    if arguments.json:
        _show(result)
    else:
        for row in result["sets"]:
            print(f"{row['key']}（{row['kind']}）：{row['passed']} / {row['cases']} 通过")
        for row in result["failed"]:
            print(
                f"{row['file']}:{row['line']}: {row['case'] or row['key']}: {'；'.join(row['differences'])}"
            )
    return FAULTY if result["failed"] else FINE


def run_mutate(arguments: argparse.Namespace) -> int:
    """Try every mutant and print the survivors."""
    result = mutate(_paths(arguments))
    if arguments.json:
        _show(result)
    else:
        for row in result["sets"]:
            print(f"{row['key']}：{row['mutants']} 处改动，用例发现 {row['killed']} 处")
        for row in result["survivors"]:
            print(f"{row['file']}:{row['line']}: {row['at']}: {row['change']}，没有用例发现")
    return FAULTY if result["survivors"] else FINE


def run_explain(arguments: argparse.Namespace) -> int:
    """Decide one set on facts from a file and print decision and reasoning."""
    on = arguments.on or datetime.now(UTC).astimezone().date()
    rules = _chosen(arguments.set, on, arguments.demo)
    decision = explain(rules, _facts(arguments.facts), on, arguments.engine)
    if arguments.json:
        _show(decision.to_json())
    else:
        print(*decision.sentences(), sep="\n")
    return FINE


def _facts(path: Path) -> dict[str, Any]:
    text = sys.stdin.read() if str(path) == "-" else _read(path)
    try:
        facts = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise Impossible(f"{path} 第 {error.lineno} 行不是合法的 JSON：{error.msg}") from error
    if not isinstance(facts, dict):
        raise Impossible(f"{path} 应是一个 JSON 对象：每个事实一个键")
    return facts


def _chosen(name: str, on: date, demo: bool) -> RuleSet:
    known = tables_known(NOTHING_KNOWN, [])
    if Path(name).is_file():
        return read_rule_set(Path(name), known)
    readable = [
        read
        for file in rule_files(folder for folder in FOLDERS if folder.exists())
        for read in _readable(file, known)
    ]
    holding = [rules for rules in readable if rules.key == name and rules.edition.holds(on)]
    chosen = sorted(holding, key=lambda rules: rules.edition.demo is not demo)
    if not chosen or (chosen[0].edition.demo and not demo):
        keys = "、".join(sorted({rules.key for rules in readable}))
        raise Impossible(f"没有键为 {name}、在 {on.isoformat()} 生效的规则集。现有 {keys}")
    return chosen[0]


def _readable(file: Path, known: Any) -> list[RuleSet]:
    try:
        return [read_rule_set(file, known)]
    except Unread as unread:
        print(*unread.faults, sep="\n", file=sys.stderr)
        return []


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m rules.engine …`."""
    parser = argparse.ArgumentParser(
        prog="python -m rules.engine", description="规则集的检查、测试、变异与解释"
    )
    add_commands(parser)
    parsed = parser.parse_args(arguments)
    return parsed.run(parsed)
