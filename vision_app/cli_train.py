"""The commands that train and keep what was trained: train, resume, stop, publish."""

from typing import TYPE_CHECKING, Annotated

import typer

from vision_app import readable
from vision_app.cli_data import REFERENCES
from vision_app.config import RunConfig
from vision_app.console import Answer, AsJson, document, facts, parse_changes, progress_bar, say
from vision_app.follow import Interruptions, follow, how_to_stop, training_answer, wait
from vision_app.runs import resolve

if TYPE_CHECKING:
    from vision_app.training.plan import Plan


def train(
    dataset: Annotated[str | None, typer.Option(help=f"The images to learn from. {REFERENCES}")] = None,
    model: Annotated[str | None, typer.Option(help="The network to train.")] = None,
    epochs: Annotated[int | None, typer.Option(help="How often each training image is seen.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same run.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set any other field; may be repeated.")
    ] = None,
    like: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Start from the settings of a checkpoint or run.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Time to spend: choose epochs, and fewer images if it must be, to fit.")
    ] = None,
    tune: Annotated[
        bool, typer.Option("--tune", help="First measure whether 16 bits train faster here, and use what does.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only measure a few steps, and say what the run would take.")
    ] = False,
    averaging: Annotated[
        bool, typer.Option("--averaging", help="In the end also test over shifted, and where it fits mirrored, copies.")
    ] = False,
    publish: Annotated[
        str | None, typer.Option(metavar="NAME", help="Copy the finished run to checkpoints/NAME.")
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Train a network and wait for it; Ctrl-C stops it and keeps the best epoch, or the last (monitor)."""
    from vision_app.training import jobs
    from vision_app.training.recipe import make_config

    if publish:
        jobs.check_name(publish)
    base = resolve(like).config() if like else None
    options = {"dataset": dataset, "model": model, "epochs": epochs, "seed": seed}
    fields = parse_changes(changes or []) | {field: value for field, value in options.items() if value is not None}
    start = base or RunConfig()
    dataset, model = fields.pop("dataset", start.dataset), fields.pop("model", start.model)
    config, plan = make_config(dataset, model, fields, base), None
    if tune or estimate or minutes is not None:
        config, plan = _measured(config, tune, minutes)
    if estimate:
        return _estimate_answer(config, plan, as_json)
    with Interruptions() as interruptions:
        run = jobs.start(config)
        say(f"Run {run.name}: {model} on {dataset}. {how_to_stop(config)}")
        follow(run, interruptions)
    if publish and run.report() is not None:
        say(f"Published as {jobs.publish(run, publish).path}")
    return training_answer(run, as_json, averaging)


def _measured(config: RunConfig, tune: bool, minutes: float | None) -> tuple[RunConfig, "Plan"]:
    """Measure a few steps of a run; return it, changed to be faster and to fit if asked for, and what was measured."""
    from vision_app.data.datasets import find_dataset
    from vision_app.data.fetching import fetch_missing, is_available
    from vision_app.training.plan import check_minutes, fit_budget, plan_run
    from vision_app.training.recipe import make_config
    from vision_app.training.tune import tune_precision

    if minutes is not None:
        check_minutes(minutes, f"{minutes:g}")
    data = find_dataset(config.dataset)
    if not is_available(data):
        with progress_bar("Downloading") as show:
            fetch_missing(data, show)
    if tune:
        say("Measuring a few steps in 32 and in 16 bits")
        config, plan, said = tune_precision(config)
        say(said)
    else:
        say("Measuring a few steps")
        plan = plan_run(config)
    if minutes:
        changes, said = fit_budget(config, plan, 60 * minutes)
        say(said)
        config = make_config(config.dataset, config.model, changes, config)
    return config, plan


def resume(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, its folder, or `latest`.")],
    dataset: Annotated[
        str | None, typer.Option(help=f"Where its images are now, such as on another machine. {REFERENCES}")
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Let a run that ended early go on after its last whole epoch, and wait for it; Ctrl-C stops it again."""
    found = resolve(run)
    from vision_app.training import jobs

    with Interruptions() as interruptions:
        jobs.resume(found, dataset)
        say(f"Run {found.name} goes on. {how_to_stop(found.config())}")
        follow(found, interruptions)
    return training_answer(found, as_json)


def stop(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, or `latest`.")],
    after_epoch: Annotated[bool, typer.Option("--after-epoch", help="Let it finish the epoch that it is in.")] = False,
    as_json: AsJson = False,
) -> Answer:
    """Ask a run to stop, keep its best model, and wait until it has."""
    found = resolve(run)
    from vision_app.training import jobs

    (jobs.stop_after_epoch if after_epoch else jobs.stop)(found)
    wait(found)
    return training_answer(found, as_json)


def publish(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, its folder, or `latest`.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the checkpoint; one of that name is replaced.")],
    half: Annotated[
        bool, typer.Option("--half", help="Store the weights in 16 bits: files of half the size, tested anew.")
    ] = False,
    as_json: AsJson = False,
) -> Answer:
    """Copy a finished run to checkpoints/NAME: its settings, its history, its model and its test report."""
    found = resolve(run)
    from vision_app.training import jobs

    return training_answer(jobs.publish(found, name, half), as_json)


def _estimate_answer(config: RunConfig, plan: "Plan", as_json: bool) -> Answer:
    """Return what a run would take, in words or as a document; times in seconds."""
    found = {
        "seconds": plan.expected(config),
        "seconds_per_epoch": plan.epoch(plan.share(config)),
        "epochs": config.epochs,
        "images": round(plan.num_train * plan.share(config)),
        "parameters": plan.parameters,
        "memory_bytes": plan.memory_bytes,
        "device": plan.device,
    }
    if as_json:
        return document(found)
    shown = {
        "time": f"about {readable.duration(found['seconds'])}",
        "an_epoch": f"{readable.duration(found['seconds_per_epoch'])}, of {found['images']:,} images",
        "epochs": config.epochs,
        "parameters": readable.count(plan.parameters),
        "memory": readable.file_size(plan.memory_bytes),
        "device": plan.device,
    }
    return Answer(facts(shown))


TRAIN_COMMANDS = (train, resume, stop, publish)
