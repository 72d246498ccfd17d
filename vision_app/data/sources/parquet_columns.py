"""Which columns of a Parquet file hold the pictures and their labels: as published, else by name and type."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vision_app.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

IMAGE_NAMES = ("image", "img", "picture", "photo", "jpg", "png")
LABEL_NAMES = ("label", "labels", "class", "category", "target", "fine_label", "label_name", "class_name")


@dataclass(frozen=True)
class Columns:
    """The columns of a Parquet file that make a dataset.

    Args:
        pictures: the column of the bytes, "image" or "image.bytes".
        paths: the column of the original files' names, "image.path", or "" where there is none.
        label: the column of the labels.
        names: the published class names by number; none where the labels speak for themselves.
    """

    pictures: str
    paths: str
    label: str
    names: tuple[str, ...]


def find_columns(schema: "pa.Schema", features: dict[str, Any], path: str) -> Columns:
    """Find the columns of one file.

    Args:
        schema: of the file; what is published in it comes first.
        features: what the card says of the columns, see `read_features`.
        path: the file, for messages.

    Raises:
        InputError: there is no column of pictures, or none of labels.
    """
    published = _published_features(schema)
    image = _image_column(schema, [*published["image"], *features["image"]], path)
    label = _label_column(schema, [*published["names"], *features["names"]], path)
    names = published["names"].get(label) or features["names"].get(label) or ()
    kind = schema.field(image).type
    pictures = f"{image}.bytes" if has_field(kind, "bytes") else image
    return Columns(pictures, f"{image}.path" if has_field(kind, "path") else "", label, tuple(names))


def read_features(card: dict[str, Any], config: str) -> dict[str, Any]:
    """Return what a card says of the columns: {"image": their names, "names": {label column: class names}}."""
    infos = card.get("dataset_info")
    infos = [info for info in (infos if isinstance(infos, list) else [infos]) if isinstance(info, dict)]
    info = min(infos, key=lambda info: info.get("config_name") != config, default={})
    image, names = [], {}
    for feature in info.get("features") or []:
        dtype = feature.get("dtype") if isinstance(feature, dict) else None
        if dtype == "image":
            image.append(str(feature.get("name")))
        if isinstance(dtype, dict) and isinstance(dtype.get("class_label"), dict):
            listed = dtype["class_label"].get("names") or []
            listed = list(listed.values()) if isinstance(listed, dict) else listed
            names[str(feature.get("name"))] = [str(name) for name in listed]
    return {"image": image, "names": names}


def _published_features(schema: "pa.Schema") -> dict[str, Any]:
    """Return what the library `datasets` wrote into a file about its columns, as `read_features` does."""
    try:
        found = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        kinds = {name: value.get("_type") for name, value in found.items() if isinstance(value, dict)}
        image = [name for name in kinds if kinds[name] == "Image"]
        labels = [name for name in kinds if kinds[name] == "ClassLabel"]
        return {"image": image, "names": {name: [str(title) for title in found[name]["names"]] for name in labels}}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"image": [], "names": {}}  # other programs write Parquet too


def has_field(kind: "pa.DataType", name: str) -> bool:
    """Whether a column is a struct with a field of this name."""
    import pyarrow as pa

    return pa.types.is_struct(kind) and kind.get_field_index(name) >= 0


def _image_column(schema: "pa.Schema", published: Sequence[str], path: str) -> str:
    import pyarrow as pa

    def is_binary(kind: pa.DataType) -> bool:
        return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

    kinds = {field.name: field.type for field in schema}
    able = [
        name
        for name, kind in kinds.items()
        if is_binary(kind) or (has_field(kind, "bytes") and is_binary(kind.field("bytes").type))
    ]
    return _pick((*published, *IMAGE_NAMES, *able), able, schema, path, "of pictures, binary or {bytes, path}")


def _label_column(schema: "pa.Schema", published: Sequence[str], path: str) -> str:
    import pyarrow as pa

    tests = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_boolean)
    kinds = {field.name: field.type for field in schema if not pa.types.is_nested(field.type)}
    values = {name: getattr(kind, "value_type", kind) for name, kind in kinds.items()}  # of a dictionary: its values
    able = [name for name, kind in values.items() if any(test(kind) for test in tests)]
    wanted = (*sorted(published, key=lambda name: name not in LABEL_NAMES), *LABEL_NAMES)
    return _pick(wanted, able, schema, path, "'label' of whole numbers or class names")


def _pick(wanted: Sequence[str], able: Sequence[str], schema: "pa.Schema", path: str, what: str) -> str:
    """Return the first wanted column that is able to be it."""
    found = next((name for name in wanted if name in able), None)
    if found is None:
        got = ", ".join(f"{field.name} ({str(field.type)[:40]})" for field in schema)[:300] or "no columns"
        raise InputError(f"Expected a column {what}, in {path}; got {got}.")
    return found
