"""The gate in front of every action: what is too long is refused before it is taken in."""

from starlette.testclient import TestClient


def visitor(app):
    return TestClient(app, base_url="http://testserver")


def test_a_form_that_is_too_long_is_refused_by_its_announced_length(app, settings):
    long = "x" * (settings.form_max_bytes + 1)
    answer = visitor(app).post("/sign-in", data={"login": long})
    assert answer.status_code == 413
    assert "提交的内容过长" in answer.text


def test_a_file_over_the_limit_of_its_page_is_refused_with_the_limit(app):
    answer = visitor(app).post("/verify", headers={"content-length": str(10**10), "content-type": "multipart/form-data"})
    assert answer.status_code == 413
    assert "MB" in answer.text


def test_a_page_that_does_not_exist_is_a_page_in_words(app):
    answer = visitor(app).get("/no-such-page")
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text


def test_every_answer_carries_a_strict_content_policy(app):
    policy = visitor(app).get("/").headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_who_is_signed_in_is_still_signed_in_on_a_page_that_does_not_exist(person, sign_in):
    answer = sign_in(person("window", district="310118", name="甄佳慧")).get("/no-such-page")
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text
    assert "甄佳慧" in answer.text
