"""The commands that look after runs."""

from pathlib import Path

from tests.test_cli import answer, assert_refused, call, home  # noqa: F401 (a fixture)


def test_stars_and_notes_are_listed(home: Path) -> None:  # noqa: F811
    assert answer("star", "early") == {"run": "early", "star": True, "note": ""}
    assert answer("note", "early", "wider\nand longer") == {"run": "early", "star": True, "note": "wider\nand longer"}
    assert [(row["run"], row["star"], row["note"]) for row in answer("runs")] == [
        ("untested", False, ""),
        ("early", True, "wider\nand longer"),
    ]
    assert "★ wider and longer" in call("runs").stdout
    assert answer("star", "early", "--off")["star"] is False
    assert "wider" in call("star", "early").stdout
    assert_refused(call("star", "shipped"), "shipped ships with the app")


def test_deleted_runs_come_back(home: Path) -> None:  # noqa: F811
    assert answer("delete", "early", "untested", "early") == [{"run": "early"}, {"run": "untested"}]
    assert answer("runs") == []
    assert answer("restore", "early") == [{"run": "early"}]
    assert [row["run"] for row in answer("runs")] == ["early"]
    assert "restore early" in call("delete", "latest").stdout
    assert "early is back" in call("restore", "early").stdout
    assert_refused(call("restore", "early"), "Deleted in the last week: untested")
    assert_refused(call("delete", "shipped"), "cannot be deleted")
