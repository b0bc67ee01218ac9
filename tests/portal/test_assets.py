"""Third-party files of the browser: copied as pinned, checked at start-up, named by their content."""

import json
import re

import pytest

from portal import assets


@pytest.fixture
def root(tmp_path):
    """A project with its packages installed, small ones of the same shape."""
    versions = {"htmx.org": "2.0.11", "leaflet": "1.9.4"}
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": versions}))
    for package, version in versions.items():
        folder = tmp_path / "node_modules" / package
        for inside in assets.VENDORED[package]:
            place = folder / inside / "marker.png" if inside.endswith("images") else folder / inside
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"{package} {inside}")
        (folder / "package.json").write_text(json.dumps({"version": version}))
    return tmp_path


def test_installed_files_pass_the_check(root):
    copied = assets.install(root)
    assert {file.name for file in copied} >= {"htmx.min.js", "leaflet.js", "leaflet.css", "marker.png", "LICENSE"}
    assert assets.check(root) == []


def test_installing_again_leaves_nothing_old(root):
    assets.install(root)
    old = root / "static" / "vendor" / "old.js"
    old.write_text("old")
    assets.install(root)
    assert not old.exists()


def test_nothing_installed_is_one_sentence_with_the_remedy(root):
    [sentence] = assets.check(root)
    assert "还没有装好" in sentence and "npm ci" in sentence


def test_another_pinned_version_is_a_fault(root):
    assets.install(root)
    manifest = root / "package.json"
    manifest.write_text(manifest.read_text().replace("2.0.11", "2.0.12"))
    [sentence] = assets.check(root)
    assert "htmx.org" in sentence and "2.0.11" in sentence and "2.0.12" in sentence


def test_changed_file_is_a_fault(root):
    assets.install(root)
    (root / "static/vendor/htmx/htmx.min.js").write_text("something else")
    [sentence] = assets.check(root)
    assert "htmx/htmx.min.js" in sentence and "不一致" in sentence


def test_missing_file_is_a_fault(root):
    assets.install(root)
    (root / "static/vendor/leaflet/leaflet.css").unlink()
    [sentence] = assets.check(root)
    assert "leaflet/leaflet.css" in sentence and "不见了" in sentence


def test_missing_package_is_refused_and_what_was_there_stays(root):
    assets.install(root)
    (root / "node_modules/leaflet/package.json").unlink()
    with pytest.raises(assets.AssetMissing, match="leaflet"):
        assets.install(root)
    assert assets.check(root) == []


def test_package_of_another_version_is_refused(root):
    (root / "node_modules/htmx.org/package.json").write_text(json.dumps({"version": "4.0.1"}))
    with pytest.raises(assets.AssetMissing, match=r"4\.0\.1.*2\.0\.11"):
        assets.install(root)


def test_package_without_the_file_is_refused(root):
    (root / "node_modules/htmx.org/dist/htmx.min.js").unlink()
    with pytest.raises(assets.AssetMissing, match="htmx.min.js"):
        assets.install(root)


def test_url_changes_with_the_content(tmp_path):
    file = tmp_path / "a.css"
    file.write_text("a { color: red }")
    first = assets.asset_url("a.css", tmp_path)
    file.write_text("a { color: blue }")
    second = assets.asset_url("a.css", tmp_path)
    assert re.fullmatch(r"/static/a\.css\?v=[0-9a-f]{16}", first)
    assert first != second


def test_misspelt_name_is_an_error(tmp_path):
    with pytest.raises(assets.AssetMissing, match="b.css"):
        assets.asset_url("b.css", tmp_path)


def test_own_styles_keep_their_budget():
    """The look allows 40 KB of our own styles in all."""
    assert sum(file.stat().st_size for file in (assets.STATIC / "styles").glob("*.css")) <= 40 * 1024


def test_lock_names_no_host():
    lock = json.loads((assets.ROOT / "package-lock.json").read_text("utf-8"))
    assert all("resolved" not in package and (name == "" or "integrity" in package) for name, package in lock["packages"].items())


def test_versions_are_pinned_exactly():
    manifest = json.loads((assets.ROOT / "package.json").read_text("utf-8"))
    every = {**manifest["dependencies"], **manifest["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in every.values()), every
