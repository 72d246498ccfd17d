"""What the browser draws the map from, and what comes back from it: points, regions, neighbours."""

import base64
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from vision_app.data.datasets import find_dataset, load_split
from vision_app.errors import InputError
from vision_app.health.embedding import Embedding
from vision_app.health.findings import Finding, HealthReport, Item
from vision_app.ui import browse_choice, browse_map, browse_view
from vision_app.ui.browse_choice import ALL_SPLITS, Choice, Place, find_places, parse_region
from vision_app.ui.browse_map import group, map_value, picked, region_of

POINTS = np.float32([[0, 0], [0.25, 0.5], [1, 1], [0.3, 0.6], [0.9, 0.1]])


@pytest.fixture
def embedding(monkeypatch: pytest.MonkeyPatch) -> Embedding:
    """Five images of digits: two of train and three of test."""
    found = Embedding(
        splits=("train", "test"),
        parts=np.uint8([0, 0, 1, 1, 1]),
        indices=np.int32([4, 9, 0, 5, 7]),
        vectors=np.float32([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8], [-1, 0]]),
        maps={"tsne": POINTS},
        described_by="digits",
    )
    for module in (browse_map, browse_choice, browse_view):
        monkeypatch.setattr(module, "read_map", lambda name: found)
    return found


def event(**data: object) -> gr.EventData:
    return gr.EventData(SimpleNamespace(), data)


def decoded(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<u2")


def test_the_browser_gets_every_point_with_its_class(embedding: Embedding) -> None:
    value = map_value("digits", "tsne", "class", "")
    np.testing.assert_allclose(decoded(value["places"]).reshape(-1, 2) / 65535, POINTS, atol=1e-5)
    labels = np.concatenate([load_split("digits", "train")[1][[4, 9]], load_split("digits", "test")[1][[0, 5, 7]]])
    assert decoded(value["groups"]).tolist() == labels.tolist()
    assert value["names"] == list(find_dataset("digits").classes)
    assert value["sizes"] == np.bincount(labels, minlength=10).tolist()
    assert {number for number, _ in value["marks"]} == set(labels.tolist())
    assert all(labels[index] == number for number, index in value["marks"])
    assert value["region"] is None and "features of digits" in value["said"]


def test_it_can_be_coloured_by_split_and_by_finding(embedding: Embedding, monkeypatch: pytest.MonkeyPatch) -> None:
    assert group(find_dataset("digits"), embedding, "split")[0] == ["Train", "Test"]
    assert group(find_dataset("digits"), embedding, "split")[1].tolist() == [0, 0, 1, 1, 1]
    findings = (
        Finding(kind="near_duplicate", count=2, items=(Item(split="test", index=5), Item(split="test", index=3))),
        Finding(kind="imbalance", count=1),
        Finding(kind="outlier", count=2, items=(Item(split="test", index=5), Item(split="train", index=9))),
    )
    report = HealthReport(dataset="digits", seconds=1, counts={}, findings=findings)
    monkeypatch.setattr(browse_map, "read_report", lambda name: report)
    names, groups = group(find_dataset("digits"), embedding, "finding")
    assert names == ["Near copies", "Images that look like no class", "Nothing found"]
    assert groups.tolist() == [2, 1, 2, 0, 2]
    assert map_value("digits", "tsne", "finding", "")["rest"] == "Nothing found"


def test_a_region_limits_the_pictures(embedding: Embedding) -> None:
    text = region_of("digits", event(dataset="digits", layout="tsne", region=[0.2, 0.4, 0.95, 0.7]))
    assert text == "tsne:0.2000,0.4000,0.9500,0.7000"
    assert map_value("digits", "tsne", "class", text)["region"] == [0.2, 0.4, 0.95, 0.7]
    assert find_places(Choice("digits", ALL_SPLITS, region=text))[:] == [Place("train", 9), Place("test", 5)]
    assert find_places(Choice("digits", "test", region=text))[:] == [Place("test", 5)]


@pytest.mark.parametrize(
    "text", ["tsne", "tsne:1,2", "tsne:0.5,0,0.1,1", "globe:0,0,1,1", "tsne:0,0,1,2", "tsne:nan,0,1,1"]
)
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="Expected a region of a map"):
        parse_region(text)


def test_a_point_leads_to_its_picture(embedding: Embedding) -> None:
    assert picked("digits", event(dataset="digits", index=3)) == Place("test", 5)
    for index in (5, -1, "3", None):
        with pytest.raises(InputError, match="Expected a point of the map"):
            picked("digits", event(dataset="digits", index=index))
    with pytest.raises(InputError, match="Expected a point of the map"):
        picked("digits", event(dataset="shapes", index=3))  # the map of the set before
    for region in ("all", [None] * 4, ["a", 0, 1, 1], [0, 0, 1]):
        with pytest.raises(InputError, match="four sides of a rectangle"):
            region_of("digits", event(dataset="digits", layout="tsne", region=region))
    with pytest.raises(InputError, match="Expected a region of a map"):
        region_of("digits", event(dataset="digits", layout="globe", region=[0, 0, 1, 1]))
    with pytest.raises(InputError, match="Expected a region of the map that is shown"):
        region_of("digits", event(dataset="shapes", layout="tsne", region=[0, 0, 1, 1]))


def test_a_map_that_is_not_there_is_named(embedding: Embedding) -> None:
    with pytest.raises(InputError, match="no map by PCA yet; check the dataset again"):
        map_value("digits", "pca", "class", "")


def test_without_a_check_there_is_no_map(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (browse_map, browse_choice, browse_view):
        monkeypatch.setattr(module, "read_map", lambda name: None)
    assert map_value("digits", "tsne", "class", "") == {}
    assert browse_view.neighbours_html(Choice("digits"), Place("test", 5)) == ""
    with pytest.raises(InputError, match="The map of this dataset is gone"):
        find_places(Choice("digits", region="tsne:0,0,1,1"))[:]


def test_the_likest_pictures_come_first(embedding: Embedding) -> None:
    places = browse_view.find_neighbours("digits", Place("test", 5))
    assert places == [Place("train", 9), Place("test", 0), Place("train", 4), Place("test", 7)]
    shown = browse_view.neighbours_html(Choice("digits"), Place("test", 5))
    assert shown.count("<button") == 4 and "(train)" in shown
    assert browse_view.neighbours_html(Choice("digits"), None) == ""
