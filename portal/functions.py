"""`portal functions`: every function, where to find it, and whether the last full test run proved it."""

import argparse
import json
import sys
from collections.abc import Sequence

from domain.function_list import RESULTS_NAME, Standing, standings, unknown_claims
from portal.settings import PROJECT_DIR

RESULTS = PROJECT_DIR / "var" / RESULTS_NAME


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `functions`."""
    text = "列出全部功能：编号、名称、在门户中的位置，以及最近一次完整测试证明了几条。"
    parser = subparsers.add_parser("functions", help="功能清单与测试证明", description=text)
    parser.add_argument("ids", nargs="*", metavar="ID", help="只列出这些功能，如 LAND-069")
    parser.add_argument("--json", action="store_true", help="输出 JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the list; exit 1 if a test claims a clause that the list does not hold, 2 for an unknown id."""
    found = standings(RESULTS)
    wanted = set(arguments.ids)
    if unknown := sorted(wanted - {each.function.id for each in found}):
        print(f"没有功能 {'、'.join(unknown)}。请核对编号，或不带编号列出全部。", file=sys.stderr)
        return 2
    shown = [each for each in found if not wanted or each.function.id in wanted]
    if arguments.json:
        print(json.dumps({"functions": [each.to_json() for each in shown]}, ensure_ascii=False, indent=1))
    else:
        print("\n".join(_lines(shown)))
    return _check_claims()


def _lines(shown: Sequence[Standing]) -> list[str]:
    lines = [_line(each) for each in shown]
    proven = sum(each.is_proven for each in shown)
    partly = sum(0 < each.passed_count < each.clause_count for each in shown)
    return [*lines, f"共 {len(shown)} 项：已证明 {proven}，部分 {partly}，其余 {len(shown) - proven - partly} 项还没有证明。"]


def _line(each: Standing) -> str:
    state = "已证明" if each.is_proven else "部分" if each.passed_count else "未证明"
    places = "；".join(each.function.places) or "还没有"
    missing = f"　缺 {'、'.join(each.missing)}" if each.missing and each.passed_count else ""
    count = f"{each.passed_count}/{each.clause_count}"
    return f"{each.function.id}　{state} {count}　{each.function.title}　位置：{places}{missing}"


def _check_claims() -> int:
    unknown = unknown_claims(RESULTS)
    for claim in unknown:
        print(f"测试声称证明 {claim}，但功能清单没有这一条。请核对 docs/functions。", file=sys.stderr)
    return 1 if unknown else 0
