"""Files for the browser: third-party ones copied into static/vendor at set-up, all with a digest in their URL.

`python -m portal.assets` copies them from node_modules (after `npm ci`); the start-up check calls
`check()`. Nothing third-party is in the repository and nothing is fetched from elsewhere at run time.
Only the standard library is used, because set-up runs this before the rest is installed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
URL_PREFIX = "/static"
RECORD = "vendor/installed.json"
_REMEDY = "请在项目目录运行 npm ci，再运行 python -m portal.assets（make run 会代做这两步）。"

# package: {file or folder in the package: place below static/vendor}
VENDORED = {
    "htmx.org": {"dist/htmx.min.js": "htmx/htmx.min.js", "LICENSE": "htmx/LICENSE"},
    "leaflet": {
        "dist/leaflet.js": "leaflet/leaflet.js",
        "dist/leaflet.css": "leaflet/leaflet.css",
        "dist/images": "leaflet/images",
        "LICENSE": "leaflet/LICENSE",
    },
}


class AssetMissing(Exception):
    """A file for the browser is not where it must be; the message says what to do."""


def pinned_versions(root: Path = ROOT) -> dict[str, str]:
    """The versions that package.json pins for the packages copied into static/vendor."""
    pinned = json.loads((root / "package.json").read_text("utf-8"))["dependencies"]
    return {package: pinned[package] for package in VENDORED}


def install(root: Path = ROOT) -> list[Path]:
    """Copies the pinned third-party files from node_modules into static/vendor and records them.

    Returns the copied files. Raises AssetMissing when a package is absent or of another version.
    """
    sources = {package: _package_folder(root, package, version)
               for package, version in pinned_versions(root).items()}
    vendor = root / "static" / "vendor"
    shutil.rmtree(vendor, ignore_errors=True)
    copied: list[Path] = []
    for package, source in sources.items():
        for inside, place in VENDORED[package].items():
            copied += _copy(source / inside, vendor / place)
    _write_record(root, copied)
    return copied


def check(root: Path = ROOT) -> list[str]:
    """One sentence for every fault of static/vendor: absent, of another version, changed; else empty."""
    record_file = root / "static" / RECORD
    if not record_file.is_file():
        return [f"浏览器文件还没有装好（缺 static/{RECORD}），页面不能正常工作。{_REMEDY}"]
    record = json.loads(record_file.read_text("utf-8"))
    faults = [
        f"浏览器文件 {package} 的版本是 {record['versions'].get(package, '未知')}，应为 {version}。{_REMEDY}"
        for package, version in pinned_versions(root).items()
        if record["versions"].get(package) != version
    ]
    for name, digest in record["files"].items():
        file = root / "static" / name
        if not file.is_file():
            faults.append(f"浏览器文件 static/{name} 不见了。{_REMEDY}")
        elif _digest(file) != digest:
            faults.append(f"浏览器文件 static/{name} 与装入时不一致。{_REMEDY}")
    return faults


def asset_url(name: str, static: Path = STATIC) -> str:
    """The URL of a file below static/, with a digest of its content, so that it may be cached for ever.

    Raises AssetMissing for a name that is not there, so that a misspelt name is seen at once.
    """
    file = static / name
    if not file.is_file():
        raise AssetMissing(f"没有 static/{name} 这个文件。名字有误请改模板；vendor 下的文件：{_REMEDY}")
    stamp = file.stat()
    return f"{URL_PREFIX}/{name}?v={_cached_digest(file, stamp.st_mtime_ns, stamp.st_size)[:16]}"


@lru_cache(maxsize=512)
def _cached_digest(file: Path, modified_ns: int, size_bytes: int) -> str:
    """The digest of a file, computed again only when its time or size changed."""
    return _digest(file)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _package_folder(root: Path, package: str, version: str) -> Path:
    """The folder of an installed package; raises AssetMissing if absent or not the pinned version."""
    folder = root / "node_modules" / package
    manifest = folder / "package.json"
    if not manifest.is_file():
        raise AssetMissing(f"没有找到 npm 包 {package}。请先在项目目录运行 npm ci。")
    found = json.loads(manifest.read_text("utf-8"))["version"]
    if found != version:
        raise AssetMissing(f"npm 包 {package} 的版本是 {found}，应为 {version}。请在项目目录运行 npm ci。")
    return folder


def _copy(source: Path, target: Path) -> list[Path]:
    if not source.exists():
        raise AssetMissing(f"npm 包里没有 {source.name}，这个版本的内容与预期不同。请核对 package.json 的版本。")
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
        return sorted(file for file in target.rglob("*") if file.is_file())
    shutil.copyfile(source, target)
    return [target]


def _write_record(root: Path, copied: list[Path]) -> None:
    static = root / "static"
    record = {
        "versions": pinned_versions(root),
        "files": {file.relative_to(static).as_posix(): _digest(file) for file in copied},
    }
    (static / RECORD).write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", "utf-8")


def main() -> int:
    """Copies the files and prints how many; exit 1 with a sentence when they cannot be copied."""
    try:
        copied = install()
    except AssetMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"浏览器文件已就绪：{len(copied)} 个，放在 static/vendor。")
    return 0


if __name__ == "__main__":
    sys.exit(main())
