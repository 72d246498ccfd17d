"""One correction of one image of a dataset."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Split = Literal["train", "validation", "test"]


class Edit(BaseModel):
    """One correction of one image, which is named by its place in the published split.

    Args:
        action: leave the image out, give it another class, or put it into another split.
        label: the new class of a relabelled image.
        to: the new split of a moved image.
        why: what it was found by, such as "label_error".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["exclude", "relabel", "move"]
    split: Split
    index: Annotated[int, Field(ge=0)]
    label: str | None = None
    to: Split | None = None
    why: str = ""


Patch = tuple[Edit, ...]
