"""`portal coordinates`: the city's own parameters of its coordinate system, sealed in a file and read from it."""

import argparse
import os
from pathlib import Path

from domain.coordinate_parameters import CoordinateParameters, parse, shipped
from domain.errors import InvalidData
from domain.sealing import seal, unseal
from portal.command_line import CommandRefused
from portal.settings import Settings, SettingsError, current_settings, read_or_create_secret

PURPOSE = "coordinate-parameters"


def load(settings: Settings) -> CoordinateParameters:
    """The sealed parameters that are set, or the test ones if none are set.

    Raises SettingsError if what is set cannot be opened: the test parameters never stand in for it.
    """
    path = settings.coordinate_parameters_file
    if path is None:
        return shipped()
    try:
        return parse(unseal(path.read_bytes(), _key(settings.coordinate_key_file), PURPOSE).decode())
    except FileNotFoundError as error:
        raise SettingsError([f"坐标转换参数文件或密钥文件 {error.filename} 不存在；请从备份恢复，或清空 COORDINATE_PARAMETERS_FILE。"]) from error
    except OSError as error:
        raise SettingsError([f"坐标转换参数文件或密钥文件 {error.filename} 不能读取（{error.strerror}）；请检查属主与权限。"]) from error
    except (InvalidData, UnicodeDecodeError) as error:
        said = getattr(error, "message", "内容不是文本。请重新加密。")
        raise SettingsError([f"坐标转换参数文件 {path} 不能使用：{said}"]) from error


def _key(path: Path) -> bytes:
    """The key to open with; unlike the one to seal with it is never made anew."""
    if not path.exists():
        raise FileNotFoundError(2, "不存在", str(path))
    return read_or_create_secret(path)


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `coordinates seal` and `coordinates check`."""
    parser = subparsers.add_parser("coordinates", help="坐标转换参数", description="本市坐标系的转换参数：加密、检查。")
    commands = parser.add_subparsers(dest="coordinates_command", metavar="COMMAND", required=True)
    sealing = commands.add_parser(
        "seal", help="把参数文件加密（SM4）", description="检查参数文件后用 SM4 加密；密钥文件不存在时生成，权限 0600。"
    )
    sealing.add_argument("file", type=Path, metavar="FILE", help="参数文件（YAML，样式见使用手册《坐标转换》）")
    sealing.add_argument("--to", type=Path, metavar="FILE", help="加密后写到哪里（默认 VAR_DIR/coordinates.sealed）")
    sealing.set_defaults(run=run_seal)
    checking = commands.add_parser("check", help="现在用的是哪一套参数，控制点残差多大", description="打开现在的参数，不显示参数本身。")
    checking.set_defaults(run=run_check)


def run_seal(arguments: argparse.Namespace) -> int:
    """Seal a document of parameters; nothing is written unless it is complete."""
    settings = current_settings()
    target = arguments.to or settings.var_dir / "coordinates.sealed"
    try:
        content = arguments.file.read_text(encoding="utf-8")
        parameters = parse(content)
        document = seal(content.encode(), read_or_create_secret(settings.coordinate_key_file), PURPOSE)
        _write(target, document)
    except InvalidData as refusal:
        raise CommandRefused(refusal.message) from refusal
    except UnicodeDecodeError as error:
        raise CommandRefused(f"文件 {arguments.file} 不是 UTF-8 文本。请另存为 UTF-8。") from error
    except OSError as error:
        raise CommandRefused(f"文件 {error.filename} 不能读写（{error.strerror}）。请核对路径与权限。") from error
    print(f"已加密到 {target}，密钥在 {settings.coordinate_key_file}。请设置 COORDINATE_PARAMETERS_FILE={target}，把密钥另行备份，并删除明文 {arguments.file}。")
    print(as_text(parameters))
    return 0


def _write(path: Path, content: bytes) -> None:
    """Written beside and put in place whole, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(draft, path)


def run_check(_arguments: argparse.Namespace) -> int:
    """Say which parameters are in use and how well they meet their control points."""
    print(as_text(load(current_settings())))
    return 0


def as_text(parameters: CoordinateParameters) -> str:
    """One line for each system; never a parameter."""
    return "\n".join(_line(parameters, name) for name in parameters.systems)


def _line(parameters: CoordinateParameters, name: str) -> str:
    local = parameters.systems[name]
    report = parameters.residuals(local)
    measured = f"{len(report.residuals)} 个控制点，最大残差 {report.largest.length_m:.3f} 米" if report else "没有控制点"
    return f"{name}：{'测试参数' if local.is_demonstration else '正式参数'}，转换到 {local.target.title}，{measured}"
