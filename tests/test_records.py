"""Growing files of one JSON document a line: only what is new is parsed, and another file under the same name is read anew."""

import json
from pathlib import Path

import pytest

from vision_app import records
from vision_app.records import read_records


def lines(*numbers: int) -> str:
    return "".join(json.dumps({"n": number}) + "\n" for number in numbers)


def numbers(file: Path) -> list[int]:
    return [record["n"] for record in read_records(file)]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collects what is parsed."""
    texts, parse = [], json.loads
    monkeypatch.setattr(records.json, "loads", lambda text: texts.append(text) or parse(text))
    return texts


def test_only_what_is_new_is_parsed(tmp_path: Path, parsed: list[str]) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines(*range(100)))
    assert numbers(file) == list(range(100))
    parsed.clear()
    with file.open("a") as stream:
        stream.write(lines(100))
    assert numbers(file) == list(range(101)) and parsed == ['{"n": 100}', ""]


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    text = lines(7, 89)
    for cut in range(len(text) + 1):
        file.write_text(text[:cut])
        expected = [7][: cut >= 8] + [89][: cut >= 18]  # a document is whole before its line is
        assert numbers(file) == expected, text[:cut]


@pytest.mark.parametrize("again", [lines(5), lines(1, 4), lines(1, 4, 3, 6), ""])
def test_another_file_of_the_same_name_is_read_anew(again: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines(1, 2, 3))
    assert numbers(file) == [1, 2, 3]
    file.write_text(again)
    assert numbers(file) == [json.loads(line)["n"] for line in again.splitlines()]


def test_a_file_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    assert read_records(file) == []
    file.write_text(lines(1))
    assert numbers(file) == [1]
    file.unlink()
    assert read_records(file) == []


def test_what_a_caller_does_to_its_list_is_its_own(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines(1, 2))
    read_records(file).clear()
    assert numbers(file) == [1, 2]


def test_few_files_are_remembered(tmp_path: Path) -> None:
    for number in range(records.REMEMBERED + 5):
        (tmp_path / f"{number}.jsonl").write_text(lines(number))
        assert numbers(tmp_path / f"{number}.jsonl") == [number]
    assert len(records._READ) == records.REMEMBERED
