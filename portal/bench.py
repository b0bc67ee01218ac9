"""`portal bench NAME`: benchmarks beside a peer or a limit, as ratios within one run."""

import argparse
import json
import platform
from importlib import import_module

from portal.command_line import CommandRefused

NAMES = {
    "rules": "规则决策、大表、批量、内存、线程、差异对照；决策与 zen-engine 同跑",
    "cases": "一百万件办件时的列表、检索、办件页：20 人同时、150 人在线",
    "inspection": "8.1 万个地块质检：有效、重复、重叠、缝隙；与 PostGIS、geopandas 同跑",
    "export": "导出 10 万行 xlsx：首个进度、总时长、内存",
    "replay": "规则草稿对 10 万条历史判断回放：总时长、内存；规则的月度统计",
    "documents": "130 个字段的合同生成 PDF",
    "overlay": "叠加 81,000 × 5,000：与 geopandas、PostGIS 同跑，面积一致，时间与内存",
    "map": "一张图 20 万个图斑：绘制小比例尺、各级瓦片的时间",
    "faults": "长时间故障注入：每库 2,000 次注入、100 次强行结束",
}
"""Benchmark → what it measures; each is a module benchmarks/<name>.py with a function benchmark(scale) → rows."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `bench`."""
    parser = subparsers.add_parser("bench", help="性能基准", description="运行一项性能基准；结果与同类软件或限值并列。")
    parser.add_argument("name", choices=[*NAMES, "list"], help="基准名；list 列出全部")
    parser.add_argument("--scale", type=float, default=1.0, help="规模，1 为全量；试跑用 0.01")
    parser.add_argument("--json", action="store_true", help="以 JSON 输出")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List the benchmarks, or run one."""
    if arguments.name == "list":
        print(listed(as_json=arguments.json))
        return 0
    try:
        module = import_module(f"benchmarks.{arguments.name}")
    except ModuleNotFoundError as missing:
        raise CommandRefused(f"缺少运行基准所需的 {missing.name}。基准须在源码目录中运行，并先执行 make test 安装所需的库。") from missing
    result = {"name": arguments.name, "machine": machine(), "rows": module.rows(arguments.scale)}
    print(json.dumps(result, ensure_ascii=False, indent=1) if arguments.json else as_text(result))
    return 0


def listed(as_json: bool) -> str:
    """The names and what each measures, for people or as JSON."""
    if not as_json:
        return "\n".join(f"{name:<10} {words}" for name, words in NAMES.items())
    rows = [{"name": name, "measures": words} for name, words in NAMES.items()]
    return json.dumps({"benchmarks": rows}, ensure_ascii=False, indent=1)


def machine() -> str:
    """What the figures were measured on."""
    import os

    return f"{platform.machine()}，{os.cpu_count()} 核，{platform.system()}，Python {platform.python_version()}"


def as_text(result: dict) -> str:
    """The rows as a table for people."""
    lines = [f"{result['name']}　{result['machine']}"]
    for row in result["rows"]:
        peer = f"{row['peer']}（{row['peer_name']}）　比值 {row['ratio']}" if row.get("peer") is not None else ""
        cpu = f"　处理器 {row['cpu_ms']} 毫秒/次" if row.get("cpu_ms") else ""
        lines.append(
            f"  {row['case']:<40} {row['ours']}　{peer}　{row.get('per_second') or '—'} 次/秒　p95 {row.get('p95_ms') or '—'} 毫秒{cpu}"
        )
    return "\n".join(lines)
