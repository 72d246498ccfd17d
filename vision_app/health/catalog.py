"""The table of checks. To add one: a function in a file of its own and a row here."""

from collections.abc import Callable
from dataclasses import dataclass

from vision_app.health.appearance import find_blur, find_brightness, find_constant, find_grey, find_sizes
from vision_app.health.balance import find_imbalance, find_missing_classes
from vision_app.health.broken import find_broken, find_odd_files
from vision_app.health.copies import find_conflicts, find_exact, find_near
from vision_app.health.evidence import Evidence
from vision_app.health.findings import KEPT_ITEMS, Finding, Item
from vision_app.health.suspects import find_outliers, find_wrong_labels


@dataclass(frozen=True)
class Check:
    """One check.

    Args:
        kind: its name in the report and for --skip.
        title: what it finds, as a heading.
        why: why it matters.
        advice: what to do.
        fix: the correction that its button makes: "exclude" or "relabel"; empty: none.
        run: the evidence -> what was found.
    """

    kind: str
    title: str
    why: str
    advice: str
    fix: str
    run: Callable[[Evidence], Finding | tuple[Item, ...]]

    def __call__(self, evidence: Evidence) -> Finding:
        """Look, and return what was found."""
        found = self.run(evidence)
        if isinstance(found, Finding):
            return found
        return Finding(kind=self.kind, count=len(found), items=found[:KEPT_ITEMS])


CHECKS: dict[str, Check] = {
    row.kind: row
    for row in (
        Check(
            "broken",
            "Broken files",
            "They cannot be read, so a run leaves them out.",
            "Save them again from their source, or leave them out for good.",
            "exclude",
            lambda evidence: find_broken(evidence.look),
        ),
        Check(
            "class_missing",
            "Classes missing from a split",
            "A network cannot learn, or be tested on, what it never sees.",
            "Add pictures of the class, or divide the set anew.",
            "",
            lambda evidence: find_missing_classes(evidence.look),
        ),
        Check(
            "imbalance",
            "Rare classes",
            "A network tends to answer what it has seen most; accuracy hides that, macro F1 does not.",
            "Add pictures of the rare classes, or limit the others.",
            "",
            lambda evidence: find_imbalance(evidence.look),
        ),
        Check(
            "exact_duplicate",
            "Exact copies",
            "A copy of a test image among the training images makes the test too easy; other copies only count double.",
            "Leave one of the two out; of a pair across splits, the one in training.",
            "exclude",
            find_exact,
        ),
        Check(
            "near_duplicate",
            "Near copies",
            "The same shot cropped, scaled or recoloured leaks from training into the test as an exact copy does.",
            "Look at the pairs, and leave one of each out.",
            "exclude",
            find_near,
        ),
        Check(
            "conflicting_duplicate",
            "Copies with different labels",
            "At least one of the two labels is wrong.",
            "Give both the right label, or leave both out.",
            "exclude",
            find_conflicts,
        ),
        Check(
            "label_error",
            "Likely label errors",
            "Wrong labels in training confuse the network; in the test they make good answers count as wrong.",
            "Look at each, and accept the suggested label where it is right.",
            "relabel",
            find_wrong_labels,
        ),
        Check(
            "outlier",
            "Images that look like no class",
            "They teach nothing, and in the test nobody could get them right.",
            "Leave them out if they do not belong to the set.",
            "exclude",
            find_outliers,
        ),
        Check(
            "odd_file",
            "Odd files",
            "They can be read, but perhaps not as they were meant: a wrong extension, several frames, 16 bits, CMYK.",
            "Save them again as plain JPEG or PNG.",
            "exclude",
            lambda evidence: find_odd_files(evidence.look),
        ),
        Check(
            "constant",
            "Pictures of a single colour",
            "There is nothing in them to learn.",
            "Leave them out.",
            "exclude",
            lambda evidence: find_constant(evidence.look),
        ),
        Check(
            "grey",
            "Grey pictures in a colour set",
            "If one class has more of them, a network learns greyness instead of the class.",
            "Leave them out, or add grey pictures of every class.",
            "exclude",
            lambda evidence: find_grey(evidence.look),
        ),
        Check(
            "brightness",
            "Very dark or very light pictures",
            "Often failed shots.",
            "Leave out those on which nothing can be seen.",
            "exclude",
            lambda evidence: find_brightness(evidence.look),
        ),
        Check(
            "blur",
            "Blurred pictures",
            "Often failed shots.",
            "Leave out those on which nothing can be recognised.",
            "exclude",
            lambda evidence: find_blur(evidence.look),
        ),
        Check(
            "size",
            "Very small pictures",
            "They have to be enlarged, and a network can learn to tell classes by that.",
            "Replace them by larger ones, or leave them out.",
            "exclude",
            lambda evidence: find_sizes(evidence.look),
        ),
    )
}
