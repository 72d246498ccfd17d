"""Real Parquet files, as the Hub has them and as people write them, from the bytes to the images."""

import builtins
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.photos import COLOURS, encoded, picture
from vision_app.data.images import FileImages
from vision_app.data.prepared import Preparation, prepare
from vision_app.data.reading import read_picture
from vision_app.data.sources import parquet
from vision_app.data.sources.parquet import ParquetFiles
from vision_app.data.sources.parquet_columns import read_features
from vision_app.data.sources.parquet_listing import list_tables
from vision_app.data.sources.parquet_tables import choose_tables
from vision_app.errors import InputError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

NAMES = ("red", "green", "blue")
NOTHING: dict[str, Any] = {"image": [], "names": {}}


def pictures(count: int, start: int = 0, kind: str = "PNG") -> list[dict[str, object]]:
    """Return `count` values of a column of pictures, the colours in turn."""
    return [
        {"bytes": encoded(picture(NAMES[i % 3], i), kind), "path": f"{i}.{kind.lower()}"}
        for i in range(start, start + count)
    ]


def make_parquet(columns: dict[str, Any], *, names: tuple[str, ...] = (), rows: int = 4, **options: Any) -> bytes:
    """Return a Parquet file's bytes.

    Args:
        columns: values or arrays by name.
        names: class names for the column "label", stated as the library `datasets` states them.
        rows: rows in a row group.
    """
    table = pa.table(columns)
    if names:
        features = {"image": {"_type": "Image"}, "label": {"names": list(names), "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=rows, **options)
    return file.getvalue()


def standard(count: int = 18, start: int = 0) -> bytes:
    """Return a file as push_to_hub writes it."""
    labels = [i % 3 for i in range(start, start + count)]
    return make_parquet({"image": pictures(count, start), "label": labels}, names=NAMES)


def write(root: Path, **files: bytes) -> dict[str, tuple[str, ...]]:
    """Write files named after their splits and return them as parts."""
    for split, content in files.items():
        (root / f"{split}.parquet").write_bytes(content)
    return {split: (f"{split}.parquet",) for split in files}


def test_pictures_are_read_by_name(tmp_path: Path) -> None:
    listing, files = list_tables(tmp_path, write(tmp_path, train=standard()), NOTHING)
    names, labels = listing.splits["train"]
    assert listing.classes == NAMES
    assert names[:2] == ("train/000000.png", "train/000001.png") and len(names) == 18
    assert labels.tolist() == [i % 3 for i in range(18)] and labels.dtype == np.int64
    images = FileImages(files, names)
    for i in (0, 3, 4, 17):  # both sides of the border of a row group
        assert np.array_equal(images[i], read_picture(encoded(picture(NAMES[i % 3], i))))


def test_several_files_make_one_split(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(standard(7))
    (tmp_path / "b.parquet").write_bytes(standard(5, start=7))
    listing, files = list_tables(tmp_path, {"train": ("a.parquet", "b.parquet")}, NOTHING)
    names, _ = listing.splits["train"]
    for i in (6, 7, 11):
        assert files.read(names[i]) == encoded(picture(NAMES[i % 3], i))


def test_pictures_are_prepared_by_several_threads(tmp_path: Path, data_folder: Path) -> None:
    listing, files = list_tables(tmp_path, write(tmp_path, train=standard(40)), NOTHING)
    images = FileImages(files, listing.splits["train"][0])
    ready = prepare(images, Preparation(16, 3, "stretch"))
    assert ready.is_good.all() and len(set(map(bytes, ready.digests))) == 40
    order = np.random.default_rng(0).integers(0, 40, 300)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda i: files.read(images.names[i]), order))
    assert read == [encoded(picture(NAMES[i % 3], i)) for i in order]


def test_few_row_groups_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "CACHE_BYTES", 30_000)
    monkeypatch.setattr(parquet, "_GROUPS", parquet._RowGroups())
    listing, files = list_tables(tmp_path, write(tmp_path, train=standard(60)), NOTHING)
    for name in listing.splits["train"][0]:
        files.read(name)
    kept = parquet._GROUPS._columns.values()
    assert 1 <= len(kept) < 15 and sum(column.nbytes for column in kept) <= 30_000


def test_a_changed_file_is_another_set(tmp_path: Path) -> None:
    listing, files = list_tables(tmp_path, write(tmp_path, train=standard()), NOTHING)
    first = FileImages(files, listing.splits["train"][0]).key
    assert FileImages(ParquetFiles(files.root, files.leaf, files.tables), listing.splits["train"][0]).key == first
    write(tmp_path, train=standard(18, start=3))
    assert FileImages(files, listing.splits["train"][0]).key != first


@pytest.mark.parametrize(
    ("labels", "features", "classes"),
    [
        ([0, 1, 2, 0, 1, 2], {"names": {"label": ["a", "b", "c"]}}, ("a", "b", "c")),
        ([10, 9, 10, 9, 10, 9], {}, ("9", "10")),
        (["dog", "cat"] * 3, {}, ("cat", "dog")),
        ([True, False] * 3, {}, ("False", "True")),
        (pa.array(["dog", "cat"] * 3).dictionary_encode(), {}, ("cat", "dog")),
        (pa.array([1, 0] * 3, pa.uint8()), {"names": {"label": ["x", "y", "unused"]}}, ("x", "y")),
    ],
)
def test_labels_of_every_kind(tmp_path: Path, labels: Any, features: dict[str, Any], classes: tuple[str, ...]) -> None:
    content = make_parquet({"image": pictures(6), "label": labels})
    listing, _ = list_tables(tmp_path, write(tmp_path, all=content), NOTHING | features)
    assert listing.classes == classes
    values = labels.to_pylist() if hasattr(labels, "to_pylist") else labels
    title = (features.get("names") or {}).get("label")
    expected = [title[value] if title else str(value) for value in values]
    assert [classes[i] for i in listing.splits["all"][1]] == expected


@pytest.mark.parametrize("labels", [[0, 1, -1, 2, 0, -1], [0, 1, None, 2, 0, None]])
def test_pictures_without_a_label_are_left_out(tmp_path: Path, labels: list[int | None]) -> None:
    content = make_parquet({"image": pictures(6), "label": labels}, names=NAMES)
    hidden = make_parquet({"image": pictures(3), "label": [-1, -1, -1]}, names=NAMES)
    listing, files = list_tables(tmp_path, write(tmp_path, train=content, test=hidden), NOTHING)
    assert list(listing.splits) == ["train"] and listing.left_out == {"without a label": 5}
    assert listing.splits["train"][0][2] == "train/000003.png"
    assert files.read("train/000003.png") == encoded(picture("red", 3))


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_columns_of_other_names_and_plain_bytes(tmp_path: Path, kind: Any) -> None:
    contents = pa.array([item["bytes"] for item in pictures(6)], kind)
    content = make_parquet({"id": list(range(6)), "img": contents, "fine_label": [0, 1, 2] * 2, "coarse": [0] * 6})
    listing, files = list_tables(tmp_path, write(tmp_path, train=content), NOTHING)
    assert listing.splits["train"][0][1] == "train/000001"
    assert files.read("train/000001") == encoded(picture("green", 1))


def test_the_card_names_the_columns(tmp_path: Path) -> None:
    features = [
        {"name": "scan", "dtype": "image"},
        {"name": "kind", "dtype": {"class_label": {"names": {"0": "a", "1": "b"}}}},
    ]
    said = read_features({"dataset_info": [{"config_name": "x"}, {"config_name": "y", "features": features}]}, "y")
    assert said == {"image": ["scan"], "names": {"kind": ["a", "b"]}}
    content = make_parquet({"image": [b"thumb"] * 6, "scan": pictures(6), "kind": [0, 1] * 3, "label": [5, 6] * 3})
    listing, files = list_tables(tmp_path, write(tmp_path, train=content), said)
    assert listing.classes == ("a", "b") and files.read("train/000000.png") == encoded(picture("red", 0))


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"text": ["a"], "label": [1]}, r"Expected a column of pictures.*text \(string\)"),
        ({"image": pictures(1), "caption": ["a"]}, r"Expected a column 'label'.*caption \(string\)"),
        ({"image": pictures(1), "labels": [[1, 2]]}, "Expected a column 'label'"),
        ({"image": pictures(1), "label": [0.5]}, "Expected a column 'label'"),
        ({"image": pictures(2), "label": [1, 1]}, "Expected at least two classes"),
        (
            {"image": pictures(0), "label": pa.array([], pa.int64())},
            "Expected a column of pictures|at least two classes",
        ),
    ],
)
def test_what_is_no_dataset_is_told(tmp_path: Path, columns: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        list_tables(tmp_path, write(tmp_path, train=make_parquet(columns)), NOTHING)


def test_a_label_without_a_name_is_told(tmp_path: Path) -> None:
    content = make_parquet({"image": pictures(3), "label": [0, 1, 3]}, names=NAMES)
    with pytest.raises(InputError, match=r"Expected labels 0 to 2 in train\.parquet, got 3"):
        list_tables(tmp_path, write(tmp_path, train=content), NOTHING)


@pytest.mark.parametrize("content", [b"", b"PAR1", standard()[:-40], b"<html>" * 100])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"train.parquet is damaged or missing; delete .*train.parquet"):
        list_tables(tmp_path, write(tmp_path, train=content), NOTHING)


def test_damaged_pages_break_only_their_pictures(tmp_path: Path, data_folder: Path) -> None:
    content = bytearray(standard(12))
    content[10:60] = bytes(50)
    listing, files = list_tables(tmp_path, write(tmp_path, train=bytes(content)), NOTHING)
    names = listing.splits["train"][0]
    with pytest.raises(InputError):
        FileImages(files, names)[0]
    assert files.read(names[11]) == encoded(picture("blue", 11))
    assert prepare(FileImages(files, names), Preparation(8, 3, "stretch")).is_good.sum() >= 8


def test_rows_without_a_picture_are_told(tmp_path: Path) -> None:
    columns = {"image": [{"bytes": None, "path": "a.png"}, *pictures(2)[1:], None], "label": [0, 1, 2]}
    _, files = list_tables(tmp_path, write(tmp_path, train=make_parquet(columns)), NOTHING)
    for name in ("train/000000.png", "train/000002"):
        with pytest.raises(InputError, match=r"its row of train\.parquet holds no picture"):
            files.read(name)


@pytest.mark.parametrize("name", ["train/000018.png", "train/x.png", "test/000000.png", "", "train/-1", "../train/1"])
def test_unknown_names_are_told(tmp_path: Path, name: str) -> None:
    _, files = list_tables(tmp_path, write(tmp_path, train=standard()), NOTHING)
    with pytest.raises(InputError, match="there is no such picture"):
        files.read(name)


def test_without_pyarrow_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *more: Any, **options: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return original(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InputError, match="pip install pyarrow"):
        list_tables(tmp_path, {"train": ("train.parquet",)}, NOTHING)


@pytest.mark.parametrize(
    ("paths", "parts"),
    [
        (["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"], {"train": 2}),
        (
            ["data/train-00000-of-00001-a1b2.parquet", "data/validation-00000-of-00001.parquet"],
            {"train": 1, "validation": 1},
        ),
        (["train.parquet", "val.parquet", "test_set.parquet"], {"train": 1, "validation": 1, "test": 1}),
        (["train/0.parquet", "evaluation/0.parquet"], {"train": 1, "test": 1}),
        (["a.parquet", "b.parquet", ".hidden/c.parquet", "metadata.parquet"], {"all": 2}),
        (["data/full-00000-of-00001.parquet"], {"all": 1}),
        (
            ["default/train/0000.parquet", "default/test/0000.parquet", "other/train/0000.parquet"],
            {"train": 1, "test": 1},
        ),
        (["default/partial-train/0000.parquet", "default/partial-train/0001.parquet"], {"train": 2}),
        (["README.md", "1.jpg"], {}),
    ],
)
def test_splits_are_read_off_names(paths: list[str], parts: dict[str, int]) -> None:
    chosen = choose_tables(paths, {})
    assert {split: len(own) for split, own in chosen.parts.items()} == parts


def test_other_splits_are_left_out_in_words() -> None:
    paths = [f"data/{split}-00000-of-00001.parquet" for split in ("train", "test", "extra", "train_extra")]
    chosen = choose_tables(paths, {})
    assert chosen.parts == {"train": (paths[0],), "test": (paths[1],)}
    assert chosen.left_out == {"files of other splits": 2}


def test_the_cards_default_configuration_decides() -> None:
    paths = ["a/one.parquet", "a/two.parquet", "b/x-train.parquet", "b/x-test.parquet", "b/c/deep.parquet"]
    first = {
        "config_name": "a",
        "data_files": [{"split": "train", "path": "a/one.parquet"}, {"split": "dev", "path": ["a/two*"]}],
    }
    second = {"config_name": "b", "data_files": "b/*.parquet", "default": True}
    empty = {"config_name": "default", "data_files": "**/*.csv"}
    assert choose_tables(paths, {"configs": [first]}).parts == {"train": (paths[0],), "validation": (paths[1],)}
    chosen = choose_tables(paths, {"configs": [empty, first, second]})
    assert chosen.config == "b" and chosen.parts == {"train": (paths[2],), "test": (paths[3],)}
    assert chosen.left_out == {"files outside of the configuration 'b'": 3}
    whole = choose_tables(paths, {"configs": [{"config_name": "all", "data_dir": "b"}]})
    assert sum(map(len, whole.parts.values())) == 2 and whole.left_out["files of other splits"] == 1


@pytest.mark.parametrize("card", [{"configs": 3}, {"configs": [3, {"data_files": 5}]}, {"configs": [{}]}])
def test_a_strange_card_does_no_harm(card: dict[str, Any]) -> None:
    assert choose_tables(["train.parquet"], card).parts == {"train": ("train.parquet",)}


@pytest.mark.parametrize(
    "card",
    [{}, {"dataset_info": 3}, {"dataset_info": {"features": [3, {"dtype": {"class_label": {"names": None}}}]}}],
)
def test_strange_features_do_no_harm(card: dict[str, Any]) -> None:
    assert read_features(card, "")["image"] == []


def test_colours_are_the_classes() -> None:
    assert set(NAMES) == set(COLOURS)
