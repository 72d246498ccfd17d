"""A CSV of paths and labels."""

from pathlib import Path

import pytest

from vision_app.data.sources.tables import list_table
from vision_app.errors import InputError


def write(folder: Path, text: str) -> Path:
    (folder / "list.csv").write_text(text, encoding="utf-8")
    return folder / "list.csv"


@pytest.mark.parametrize("header", ["path,label", "\ufefffilename,class", "Image,Category", "label,path"])
def test_paths_and_labels(tmp_path: Path, header: str) -> None:
    rows = [("a b.jpg", "dog"), ("x/c.png", "cat")]
    cells = [row if header != "label,path" else row[::-1] for row in rows]
    listing = list_table(write(tmp_path, "\n".join([header, *(",".join(row) for row in cells), ""])))
    assert listing.classes == ("cat", "dog")
    names, labels = listing.splits["all"]
    assert (names, labels.tolist()) == (("a b.jpg", "x/c.png"), [1, 0])


def test_splits_and_quotes(tmp_path: Path) -> None:
    listing = list_table(write(tmp_path, 'path,label,split\n"a,1.jpg","x",train\n./b.jpg,y,Test\n'))
    assert {split: names for split, (names, _) in listing.splits.items()} == {"train": ("a,1.jpg",), "test": ("b.jpg",)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expected a first row path,label"),
        ("a.jpg,cat\nb.jpg,dog\n", "Expected a first row path,label in list.csv, got 'a.jpg,cat'"),
        ("path,label\na.jpg,\n", "in row 2"),
        ("path,label\n../a.jpg,x\n", r"got '\.\./a\.jpg' in row 2"),
        ("path,label\n/etc/passwd,x\n", "got '/etc/passwd' in row 2"),
        ("path,label\na.jpg,x\nb.jpg,x\n", "at least two classes"),
    ],
)
def test_what_is_no_such_table_is_told(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        list_table(write(tmp_path, text))


def test_other_encodings_are_told(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes("path,label\nä.jpg,x".encode("utf-16"))
    with pytest.raises(InputError, match="UTF-8"):
        list_table(tmp_path / "list.csv")
