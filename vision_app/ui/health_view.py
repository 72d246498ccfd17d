"""What the page says about a dataset's health: findings with their reasons, and the corrections made."""

import html

from vision_app.data.dataset import Dataset
from vision_app.data.patch import read_patch
from vision_app.edits import Edit, Patch
from vision_app.errors import InputError
from vision_app.health.catalog import CHECKS, Check
from vision_app.health.findings import Finding, HealthReport, Item
from vision_app.readable import duration

NO_REPORT = (
    '<div class="vw-empty vw-empty-small"><strong>Not checked yet</strong><span>Broken files, copies, wrong labels: '
    "press Check this dataset.</span></div>"
)


def report_html(report: HealthReport | None) -> str:
    """Return all findings: those with something to see first, then in one line what was looked for in vain."""
    if report is None:
        return NO_REPORT
    found = [finding for finding in report.findings if finding.count]
    clean = [CHECKS[finding.kind].title.lower() for finding in report.findings if not finding.count]
    rows = "".join(_finding(CHECKS[finding.kind], finding) for finding in found)
    nothing = f'<p class="vw-note">Nothing of these: {html.escape(", ".join(clean))}.</p>' if clean else ""
    judged = f" Answers to the test split by {html.escape(report.model)}." if report.model else ""
    total = sum(report.counts.values())
    head = f"{total:,} images checked in {duration(report.seconds)}.{judged}"
    return f'<section class="vw-health"><p class="vw-note">{head}</p><ul>{rows}</ul>{nothing}</section>'


def finding_choices(report: HealthReport | None) -> list[tuple[str, str]]:
    """Return the findings that have pictures as (title with their number, kind), with all pictures first."""
    found = [finding for finding in report.findings if finding.items] if report else []
    return [("All pictures", ""), *((f"{CHECKS[row.kind].title} ({row.count:,})", row.kind) for row in found)]


def progress_html(share: float, words: str) -> str:
    """Return how far a look is."""
    return (
        f'<div class="vw-progress"><progress max="1" value="{share:.4f}" aria-label="Checking the dataset"></progress>'
        f"<span>{html.escape(words)}</span></div>"
    )


def suggested_edits(finding: Finding, items: tuple[Item, ...], kept: Patch) -> list[Edit]:
    """Return the corrections that a finding's button makes for some of its images, beside those already made.

    Of a pair of copies the one outside of the test split is left out, unless its partner has gone already.
    """
    check, edits = CHECKS[finding.kind], list(kept)
    gone = {(edit.split, edit.index) for edit in kept if edit.action == "exclude"}
    for item in items:
        if check.fix == "relabel" and item.suggested_label:
            edits.append(
                Edit(action="relabel", split=item.split, index=item.index, label=item.suggested_label, why=finding.kind)
            )
        elif check.fix == "exclude":
            place = (item.split, item.index)
            if item.partner is not None:
                partner = (item.partner.split, item.partner.index)
                if place in gone or partner in gone:
                    continue
                place = partner if item.split == "test" and item.partner.split != "test" else place
            gone.add(place)
            edits.append(Edit(action="exclude", split=place[0], index=place[1], why=finding.kind))
    return edits


def patch_html(dataset: Dataset) -> str:
    """Return how many corrections there are, and what they do."""
    try:
        edits = read_patch(dataset)
    except InputError as error:
        return f'<p class="vw-note" role="alert">{html.escape(str(error))}</p>'
    if not edits:
        return '<p class="vw-note">No corrections. The pictures themselves are never changed: corrections are kept beside them.</p>'
    words = {"exclude": "left out", "relabel": "relabelled", "move": "moved to another split"}
    counts = {said: sum(edit.action == action for edit in edits) for action, said in words.items()}
    said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f'<p role="status"><strong>{len(edits):,} corrections:</strong> {said}. New runs use them.</p>'


def history_html(edits: Patch, split: str, index: int, label: str) -> str:
    """Return what was done to one image, after its published label; nothing if it is as published."""
    words = {
        "exclude": lambda edit: "left out",
        "relabel": lambda edit: f"relabelled as {edit.label}",
        "move": lambda edit: f"moved to {edit.to}",
    }
    own = [edit for edit in edits if (edit.split, edit.index) == (split, index)]
    if not own:
        return ""
    why = [f" ({CHECKS[edit.why].title.lower()})" if edit.why in CHECKS else "" for edit in own]
    said = "; ".join(words[edit.action](edit) + reason for edit, reason in zip(own, why, strict=True))
    return f'<p class="vw-history"><strong>Published as {html.escape(label)};</strong> {html.escape(said)}.</p>'


def _finding(check: Check, finding: Finding) -> str:
    detail = f"<p>{html.escape(finding.detail)}</p>" if finding.detail else ""
    buttons = ""
    if finding.items:
        buttons = f'<button type="button" data-act="show" data-kind="{check.kind}">Show</button>'
        if check.fix:
            what = "Accept all suggestions" if check.fix == "relabel" else "Leave all out"
            buttons += f'<button type="button" data-act="fix" data-kind="{check.kind}">{what}</button>'
    return (
        f"<li><div><h4>{html.escape(check.title)}<span>{finding.count:,}</span></h4>{detail}"
        f'<p class="vw-note">{html.escape(check.why)} {html.escape(check.advice)}</p></div><div>{buttons}</div></li>'
    )
