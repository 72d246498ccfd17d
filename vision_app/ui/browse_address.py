"""What the Browse tab's address asks for, without what there is not."""

from vision_app.data.datasets import find_dataset
from vision_app.data.fetching import is_available
from vision_app.errors import InputError
from vision_app.health import jobs
from vision_app.ui import browse_view as view
from vision_app.ui.browse_choice import EVERYTHING, RIGHT, WRONG, Choice, Place, parse_region
from vision_app.ui.health_view import finding_choices
from vision_app.ui.pictures import ALL_CLASSES


def wanted_choice(name: str, wanted: dict[str, str], split: str) -> Choice:
    """Return what the address asks for, without what there is not."""
    row = find_dataset(name)
    splits = [value for _, value in view.split_choices(name)]
    kinds = [kind for _, kind in finding_choices(jobs.read_report(name))]
    return Choice(
        name,
        wanted["split"] if wanted.get("split") in splits else split,
        wanted["class"] if wanted.get("class") in row.classes else ALL_CLASSES,
        wanted["finding"] if wanted.get("finding") in kinds else EVERYTHING,
        wanted.get("search", "") if row.place else "",
        *_wanted_verdict(name, wanted),
        region=_wanted_region(name, wanted),
    )


def _wanted_region(name: str, wanted: dict[str, str]) -> str:
    """Return the region of the map that the address asks for, if there is a map."""
    region = wanted.get("region", "")
    try:
        parse_region(region)
    except InputError:
        return ""
    return region if jobs.read_map(name) is not None else ""


def _wanted_verdict(name: str, wanted: dict[str, str]) -> tuple[str, str | None]:
    """Return whether right or wrong answers of which model the address asks for."""
    model, verdict = wanted.get("model"), wanted.get("verdict")
    if verdict in (RIGHT, WRONG) and is_available(find_dataset(name)) and model in view.model_choices(name):
        return verdict, model
    return EVERYTHING, None


def wanted_place(choice: Choice, text: str) -> Place | None:
    """Return the picture that the address names, "train-5", or "5" of the split that is shown; None if there is none."""
    split, _, digits = text.rpartition("-")
    index = number(digits, None)
    place = Place(split or choice.split, index if index is not None else -1)
    return place if is_available(find_dataset(choice.dataset)) and view.has_image(choice.dataset, place) else None


def number(text: str | None, default: int | None) -> int | None:
    """Return a number from the address, or the default for anything else."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else default
