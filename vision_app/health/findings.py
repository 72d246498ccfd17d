"""What a health report says: plain numbers, JSON in and out."""

from pydantic import BaseModel, ConfigDict

from vision_app.edits import Split

KEPT_ITEMS = 5_000  # of each kind; more help nobody


class Place(BaseModel):
    """An image by its place in the published split."""

    model_config = ConfigDict(frozen=True)

    split: Split
    index: int


class Item(Place):
    """One image that a check found.

    Args:
        file: its name, where it has one.
        score: higher is more suspicious.
        suggested_label: the class that it should perhaps have.
        partner: the image that it is a copy of, or is in conflict with.
        detail: what was found, in words.
    """

    file: str | None = None
    score: float = 1.0
    suggested_label: str | None = None
    partner: Place | None = None
    detail: str = ""


class Finding(BaseModel):
    """Everything that one check found.

    Args:
        kind: the check's name, such as "near_duplicate".
        count: how many images, or classes where there are no images to show.
        items: the images, most suspicious first, at most 5,000.
        detail: what was found on the whole, in words.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    count: int
    items: tuple[Item, ...] = ()
    detail: str = ""


class HealthReport(BaseModel):
    """What is wrong with a dataset in the state `identity`.

    `seconds` is how long the look took, `skipped` what was not looked for.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    seconds: float
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    skipped: tuple[str, ...] = ()
    model: str | None = None
    identity: str = ""

    def find(self, kind: str) -> Finding | None:
        """Return what a check found, or None."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return self.model_dump_json(indent=1)
