"""Stars, notes, and deleted runs that come back."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.test_runs import write_run
from vision_app import keeping
from vision_app.errors import InputError
from vision_app.keeping import Mark, read_mark
from vision_app.runs import Run, list_runs, resolve, runs_root


@pytest.fixture
def run() -> Run:
    return write_run(runs_root() / "one")


def files(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.path.iterdir()}


def test_star_and_note_are_kept_beside_each_other_and_change_nothing_else(run: Run) -> None:
    before = files(run)
    assert read_mark(run) == Mark(star=False, note="")
    keeping.set_note(run, "  wider, \u00fc \n and longer ")
    keeping.set_star(run, True)
    assert read_mark(Run(run.path)) == Mark(star=True, note="wider, \u00fc \n and longer")
    keeping.set_note(run, "")
    assert read_mark(run) == Mark(star=True)
    keeping.set_star(run, False)
    assert read_mark(run) == Mark()
    after = files(run)
    assert json.loads(after.pop("notes.json")) == {"star": False, "note": ""} and after == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"star": "perhaps"}', b'{"note": 5}'])
def test_a_damaged_note_hides_no_run_and_is_replaced(run: Run, content: bytes) -> None:
    run.notes_file.write_bytes(content)
    assert read_mark(run) == Mark()
    assert keeping.set_star(run, True) == read_mark(run) == Mark(star=True)


def test_a_note_that_is_too_long_is_refused_and_the_old_one_stays(run: Run) -> None:
    keeping.set_note(run, "x" * keeping.MAX_NOTE)
    with pytest.raises(InputError, match=r"up to 2,000 characters, got 2,001"):
        keeping.set_note(run, "y" * (keeping.MAX_NOTE + 1))
    assert read_mark(run).note == "x" * keeping.MAX_NOTE


def test_a_deleted_run_is_not_listed_and_comes_back_whole(run: Run) -> None:
    other = write_run(runs_root() / "other")
    keeping.set_note(run, "mine")
    before = files(run)
    keeping.delete([run, run])
    assert list_runs() == [other]
    assert [deleted.name for deleted in keeping.list_deleted()] == ["one"]
    with pytest.raises(InputError, match="Unknown model 'one'"):
        resolve("one")
    assert keeping.restore("one") == run
    assert files(run) == before and keeping.list_deleted() == []


def test_what_must_not_be_deleted_is_told_and_nothing_else_is_deleted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path / "checkpoints"))
    shipped = write_run(tmp_path / "checkpoints" / "shipped")
    elsewhere = write_run(tmp_path / "elsewhere" / "copy")
    waiting = write_run(runs_root() / "waiting", "queued", created=time.time())
    for kept, words in (
        (shipped, "shipped ships with the app and cannot be deleted"),
        (elsewhere, f"got {elsewhere.path}"),
        (waiting, "waiting is queued and cannot be deleted; stop it first"),
    ):
        with pytest.raises(InputError, match=words):
            keeping.delete([run, kept])
    assert all(each.path.is_dir() for each in (run, shipped, elsewhere, waiting))
    for change in (lambda: keeping.set_star(shipped, True), lambda: keeping.set_note(shipped, "x")):
        with pytest.raises(InputError, match="cannot take a star or a note"):
            change()
    assert not shipped.notes_file.exists()


def test_a_damaged_run_can_be_deleted(run: Run) -> None:
    (run.path / "status.json").write_text("{")
    keeping.delete([run])
    assert list_runs() == []


def test_only_what_was_deleted_is_restored_and_nothing_is_overwritten(run: Run) -> None:
    with pytest.raises(InputError, match=r"no deleted run 'one'. Deleted in the last week: none"):
        keeping.restore("one")
    keeping.delete([run])
    for name in ("", ".", "../one", "two"):
        with pytest.raises(InputError, match="Deleted in the last week: one"):
            keeping.restore(name)
    again = write_run(runs_root() / "one", "stopped")
    with pytest.raises(InputError, match="There is a 'one' in"):
        keeping.restore("one")
    assert again.status().state == "stopped" and keeping.list_deleted()[0].status().state == "completed"


def test_the_trash_forgets_after_a_week(run: Run) -> None:
    old, ancient = (write_run(runs_root() / name) for name in ("old", "ancient"))
    os.utime(run.path, (1, 1))  # when a run was last written to does not count
    keeping.delete([run, old, ancient])
    week_ago = time.time() - keeping.KEPT_SECONDS
    trash = {deleted.name: deleted.path for deleted in keeping.list_deleted()}
    os.utime(trash["old"], (week_ago + 60, week_ago + 60))
    os.utime(trash["ancient"], (week_ago - 60, week_ago - 60))
    keeping.empty_trash()
    assert [deleted.name for deleted in keeping.list_deleted()] == ["one", "old"]


def test_without_a_runs_folder_the_trash_is_empty() -> None:
    keeping.empty_trash()
    assert keeping.list_deleted() == [] and not runs_root().exists()


def test_a_second_run_of_a_name_is_deleted_beside_the_first(run: Run) -> None:
    keeping.delete([run])
    second = write_run(runs_root() / "one")
    (second.path / "which.txt").write_text("second")
    keeping.delete([second])
    assert {deleted.name for deleted in keeping.list_deleted()} == {"one", "one-2"}
    assert (keeping.restore("one-2").path / "which.txt").read_text() == "second"
    assert not (keeping.restore("one").path / "which.txt").exists()


def test_deleting_empties_what_is_over_a_week_old(run: Run) -> None:
    old = write_run(runs_root() / "old")
    keeping.delete([old])
    os.utime(keeping.list_deleted()[0].path, (1, 1))
    keeping.delete([run])
    assert [deleted.name for deleted in keeping.list_deleted()] == ["one"]
