"""What must be there before the portal serves: each check returns a sentence per fault."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from ctypes import CDLL as load_library
from importlib import import_module
from importlib.util import find_spec

from portal import assets
from portal.settings import Settings, SettingsError

Check = Callable[[Settings], list[str]]

FONT_FAMILIES = ("Noto Serif CJK SC", "Noto Sans CJK SC")
FONT_REMEDY = "请安装软件包 fonts-noto-cjk（make run 会自动安装），然后重新启动。"
FONT_LIST_SECONDS = 30
BYTES_PER_MB = 1024 * 1024


def faults(settings: Settings, others: Iterable[Check] = ()) -> list[str]:
    """All faults found by the checks here and by the ones handed in, in their order; empty when all is well.

    The checks run side by side, because the fonts and the libraries take half a second each.
    """
    checks = [var_folder, secret_key, coordinate_parameters, fonts, document_library, rule_engine, browser_files, *others]
    with ThreadPoolExecutor(max_workers=4) as pool:
        return [fault for found in pool.map(lambda check: check(settings), checks) for fault in found]


def var_folder(settings: Settings) -> list[str]:
    """The data folder can be written and has room."""
    folder = settings.var_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0")
    except OSError as error:
        return [(f"数据目录 {folder} 不能写入（{error.strerror}）；"
                 "请检查目录权限与磁盘，或用 VAR_DIR 指定其他目录。")]
    free_mb = shutil.disk_usage(folder).free // BYTES_PER_MB
    if free_mb < settings.minimum_free_mb:
        return [(f"数据目录 {folder} 所在磁盘只剩 {free_mb} MB，少于 {settings.minimum_free_mb} MB；"
                "请清理磁盘，或用 VAR_DIR 指定其他目录。")]
    return []


def secret_key(settings: Settings) -> list[str]:
    """The secret key can be read or made, and nobody else can read it."""
    try:
        settings.secret_key()
    except SettingsError as error:
        return error.faults
    except OSError as error:
        return [(f"密钥文件 {settings.secret_key_file} 不能读取或生成（{error.strerror}）；"
                 "请检查文件的属主与权限。")]
    return []


def coordinate_parameters(settings: Settings) -> list[str]:
    """The city's own coordinate parameters can be opened, if they are set."""
    if settings.coordinate_parameters_file is None:
        return []
    from portal import coordinates  # geodesy is loaded with the pages

    try:
        coordinates.load(settings)
    except SettingsError as error:
        return error.faults
    return []


def fonts(_settings: Settings) -> list[str]:
    """The fonts of the documents are installed; without them a document would show boxes for characters."""
    if shutil.which("fc-list") is None:
        return ["找不到 fc-list，无法确认中文字体；请安装软件包 fontconfig 与 fonts-noto-cjk，然后重新启动。"]
    listing = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True, check=False,
                             timeout=FONT_LIST_SECONDS, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if listing.returncode != 0:
        return [f"无法列出系统字体（{listing.stderr.strip()}）；请检查 fontconfig 的配置，然后重新启动。"]
    installed = {name.strip() for line in listing.stdout.splitlines() for name in line.split(",")}
    return [f"缺少字体 {family}，文书中的汉字无法显示。{FONT_REMEDY}"
            for family in FONT_FAMILIES if family not in installed]


PDF_LIBRARIES = (
    "libgobject-2.0.so.0", "libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz.so.0", "libharfbuzz-subset.so.0",
    "libfontconfig.so.1",
)


def document_library(_settings: Settings) -> list[str]:
    """The library that makes PDF files is installed, and so are the system libraries it draws with.

    They are loaded one by one: the library itself takes as long to load as a third of the portal, and is loaded with
    the first document.
    """
    try:
        if find_spec("weasyprint") is None:
            raise OSError("没有安装")
        for name in PDF_LIBRARIES:
            load_library(name)
    except OSError as error:
        return [_not_loaded("weasyprint", error, "无法生成 PDF 文书",
                            "请安装软件包 libpango-1.0-0、libpangoft2-1.0-0 与 libharfbuzz-subset0（make run 会自动安装）。")]
    return []


def rule_engine(settings: Settings) -> list[str]:
    """The rule engine that is set can be loaded."""
    if settings.rule_engine == "python":
        return []
    return importable("durable_rules_engine", "规则引擎 durable-rules 无法加载",
                      "请重新执行 make run 进行编译；无法编译 C 模块的机器可设置 RULE_ENGINE=python。")


def importable(module: str, consequence: str, remedy: str) -> list[str]:
    """No fault when a module can be loaded, else one sentence; a missing system library is an OSError."""
    try:
        import_module(module)
    except (ImportError, OSError) as error:
        return [_not_loaded(module, error, consequence, remedy)]
    return []


def _not_loaded(module: str, error: Exception, consequence: str, remedy: str) -> str:
    return f"{consequence}：模块 {module} 加载失败（{str(error).splitlines()[0]}）。{remedy}"


def browser_files(_settings: Settings) -> list[str]:
    """The files that browsers fetch from the portal are in place."""
    return assets.check()
