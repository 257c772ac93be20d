"""GEMBA_SENTRY_DSN: refused without its package; with it, errors go out and people's words stay."""

import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gemba.config import BadSetting, load_settings
from gemba.web import sentry
from tests.conftest import settings_for

DSN = "https://key@sentry.example.com/1"


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A package that only remembers what it was told."""
    told: dict[str, Any] = {"errors": []}
    module = ModuleType("sentry_sdk")
    module.init = lambda **options: told.update(options)  # type: ignore[attr-defined]
    module.capture_exception = told["errors"].append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentry_sdk", module)
    return told


def test_without_the_package_the_setting_is_bad(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"GEMBA_SENTRY_DSN: needs one more package"):
        load_settings({"GEMBA_INSTANCE": str(tmp_path), "GEMBA_SENTRY_DSN": DSN})


def test_a_dsn_that_is_none_is_bad(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"GEMBA_SENTRY_DSN: copy the DSN"):
        load_settings({"GEMBA_INSTANCE": str(tmp_path), "GEMBA_SENTRY_DSN": "sentry.example.com"})


def test_what_people_wrote_stays(package: dict[str, Any], tmp_path: Path) -> None:
    assert sentry.start(settings_for("sqlite://", tmp_path, sentry_dsn=DSN))
    assert package["dsn"] == DSN
    assert (package["send_default_pii"], package["include_local_variables"]) == (False, False)
    assert package["max_request_body_size"] == "never"


def test_secrets_in_addresses_stay(package: dict[str, Any], tmp_path: Path) -> None:
    sentry.start(settings_for("sqlite://", tmp_path, sentry_dsn=DSN))
    for path in ("/calendar/s3cr3t.ics", "/answer/s3cr3t", "/mail/s3cr3t", "/sign-in/link/s3cr3t?x=1"):
        event = {"request": {"url": f"http://localhost{path}"}, "logentry": [{"path": path}], "level": 1}
        for sent in (package["before_send"](event, {}), package["before_breadcrumb"](event, {})):
            assert "s3cr3t" not in str(sent)
            assert sent["request"]["url"].startswith("http://localhost/")
            assert sent["level"] == 1


def test_nothing_happens_without_a_dsn(package: dict[str, Any], tmp_path: Path) -> None:
    assert not sentry.start(settings_for("sqlite://", tmp_path))
    assert package == {"errors": []}


def test_errors_of_log_lines_are_told(package: dict[str, Any]) -> None:
    error = ValueError("one")
    line = {"event": "unexpected", "exc_info": error}
    assert sentry.tell(None, "error", line) == line
    with suppress(KeyError):
        try:
            raise KeyError("two")
        finally:
            sentry.tell(None, "exception", {"event": "x", "exc_info": True})
    assert [str(each) for each in package["errors"]] == ["one", "'two'"]
    sentry.tell(None, "info", {"event": "plain"})
    assert len(package["errors"]) == 2
