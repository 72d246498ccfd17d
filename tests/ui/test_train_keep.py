"""Stars, notes and deleting as the Train tab offers them."""

import html
import re

import pytest

from tests.ui.stored_runs import write_history
from vision_app import keeping
from vision_app.errors import InputError
from vision_app.keeping import read_mark
from vision_app.runs import Run, create_run, list_runs
from vision_app.training.recipe import make_config
from vision_app.ui import train_keep
from vision_app.ui.train_runs import traces
from vision_app.ui.train_table import runs_html

NOTE = '<b>wider</b> "net"'


def finished(model: str) -> Run:
    run = create_run(make_config("digits", model, {}))
    write_history(run, [], state="completed")
    return run


@pytest.fixture
def older() -> Run:
    return finished("lenet5")


@pytest.fixture
def newer(older: Run) -> Run:
    return finished("simple_cnn")


def names_in(text: str) -> list[str]:
    return re.findall(r'data-act="show" data-run="([^"]*)"', text)


def test_a_star_moves_a_run_to_the_top_and_back(older: Run, newer: Run) -> None:
    assert names_in(runs_html("")) == [newer.name, older.name]
    before = traces("", False)
    train_keep.toggle_star(older.name)
    assert names_in(runs_html("")) == [older.name, newer.name]
    assert runs_html("").count("★") == 1 and traces("", False) != before
    train_keep.toggle_star(older.name)
    assert names_in(runs_html("")) == [newer.name, older.name]


def test_a_note_is_kept_and_shown_as_text(newer: Run) -> None:
    train_keep.save_note(newer.name, NOTE)
    assert train_keep.note_of(newer.name) == NOTE
    assert html.escape(NOTE) in runs_html("") and "<b>" not in runs_html("")
    train_keep.save_note("", "nobody's")
    assert train_keep.note_of("") == train_keep.note_of("nope") == ""


def test_leaving_the_field_untouched_writes_nothing(newer: Run) -> None:
    train_keep.save_note(newer.name, " ")
    assert not newer.notes_file.exists()


def test_deleting_shows_another_run_and_offers_to_undo(older: Run, newer: Run) -> None:
    chosen, head = train_keep.delete(newer.name, newer.name)
    assert chosen == older.name
    assert f'data-act="restore" data-run="{newer.name}">Undo' in head
    assert names_in(runs_html("")) == [older.name]
    assert f"Restore {newer.name}" in train_keep.deleted_html() and "Deleted runs (1)" in train_keep.deleted_html()
    keeping.restore(newer.name)
    assert train_keep.deleted_html() == ""
    assert train_keep.delete(older.name, newer.name)[0] == newer.name  # the chosen one stays
    assert train_keep.delete(newer.name, newer.name)[0] == ""


def test_a_run_that_goes_on_has_no_button_to_delete_it_and_is_not_deleted(older: Run) -> None:
    run = create_run(make_config("digits", "lenet5", {}))
    assert re.search(rf'aria-label="Delete {run.name}" disabled title="[^"]*stop it first"', runs_html(""))
    assert f'aria-label="Delete {older.name}">' in runs_html("")
    with pytest.raises(InputError, match="stop it first"):
        train_keep.delete(run.name, "")
    assert run in list_runs()


def test_a_damaged_run_can_be_starred_and_deleted(older: Run) -> None:
    (older.path / "config.json").write_text("{")
    train_keep.toggle_star(older.name)
    assert read_mark(older).star and "damaged" in runs_html("") and 'data-act="delete"' in runs_html("")
    assert train_keep.delete(older.name, "") == ("", train_keep.head_html(older.name))


@pytest.mark.parametrize("name", ["nope", "", "../x"])
def test_a_run_that_has_gone_is_told(name: str) -> None:
    for act in (train_keep.toggle_star, lambda gone: train_keep.delete(gone, "")):
        with pytest.raises(InputError, match="no longer there"):
            act(name)
