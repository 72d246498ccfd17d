"""The health report: every check in turn, over all published splits of a dataset."""

import logging
import time
from collections.abc import Collection

from vision_app.data.dataset import Dataset
from vision_app.data.datasets import find_dataset
from vision_app.data.download import Progress
from vision_app.errors import InputError
from vision_app.health.catalog import CHECKS
from vision_app.health.evidence import Evidence
from vision_app.health.findings import Finding, HealthReport
from vision_app.health.look import Look
from vision_app.lookup import find
from vision_app.runs import Run, list_checkpoints, list_models, resolve

log = logging.getLogger(__name__)
# Of models of other datasets, those whose features describe images best, by number of channels.
DESCRIBERS = {1: ("mnist", "fashion_mnist", "digits"), 3: ("cifar10", "shapes")}


def check_health(
    name: str, skip: Collection[str] = (), model: str | None = None, progress: Progress | None = None
) -> tuple[HealthReport, Evidence]:
    """Look for everything that is wrong with a dataset; return the report and what was found out for it.

    Args:
        name: as for `find_dataset`.
        skip: kinds of findings not to look for.
        model: a model of the same classes that never saw the test split; by default the best one there is.
        progress: called with the share done and a sentence.

    Raises:
        InputError: unknown dataset, kind or model, or a model of other classes.
    """
    began = time.perf_counter()
    for kind in skip:
        find(CHECKS, kind, "kind of finding")
    say = progress or (lambda share, words: None)
    dataset = find_dataset(name, say)
    chosen = find_model_of(dataset, model)
    look = Look(dataset, say)
    # A network's features take most of the time; edges alone find nearly as many copies.
    describer = None if "label_error" in skip else find_describer(dataset, chosen)
    evidence = Evidence(look, chosen, describer, say)
    findings: list[Finding] = [check(evidence) for kind, check in CHECKS.items() if kind not in skip and len(look.good)]
    if not len(look.good):
        findings = [CHECKS["broken"](evidence)]
    report = HealthReport(
        dataset=dataset.name,
        seconds=round(time.perf_counter() - began, 2),
        counts=dataset.counts,
        findings=tuple(findings),
        skipped=tuple(skip),
        model=chosen.name if chosen else None,
        identity=dataset.identity,
    )
    return report, evidence


def find_model_of(dataset: Dataset, name: str | None) -> Run | None:
    """Return the model whose answers to the test split are asked for: the one named, else the best of this dataset.

    Raises:
        InputError: the model named knows other classes.
    """
    if name is not None:
        run = resolve(name)
        if tuple(run.config().classes) != tuple(dataset.classes):
            raise InputError(f"'{run.name}' knows other classes than {dataset.title}; choose a model of this dataset.")
        return run
    tested = []
    for run in list_models():
        try:
            config, report = run.config(), run.report()
        except InputError:
            continue
        if report and config.dataset == dataset.name and tuple(config.classes) == tuple(dataset.classes):
            tested.append((report.get("accuracy", 0.0), run))
    return max(tested, key=lambda item: item[0])[1] if tested else None


def find_describer(dataset: Dataset, model: Run | None) -> Run | None:
    """Return the model whose features describe the images: the dataset's own if it is shipped, else one for such pictures.

    A person's own model learned from the very labels that are in doubt, and would defend them.
    """
    if model is not None and model.is_checkpoint:
        return model
    shipped = {run.name: run for run in list_checkpoints()}
    channels = dataset.image_shape[2] if dataset.image_shape else 3
    return next((shipped[name] for name in DESCRIBERS[channels] if name in shipped), None)
