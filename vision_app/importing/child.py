"""The process that opens a model from elsewhere: `python -m vision_app.importing.child REQUEST`, with little memory and no secrets.

It writes model.keras and probe.npz into a folder, says what it found on standard output, and why it could not on standard error.
"""

import contextlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_app.errors import InputError
from vision_app.importing.allowed import check_description
from vision_app.importing.files import read_description
from vision_app.importing.scalings import SCALINGS

if TYPE_CHECKING:
    from keras import Model

MEMORY_BYTES = 4 << 30  # of which Keras and TensorFlow take nearly one
BAD_MODEL = 2  # exit code
MEMORY_WORDS = ("OOM when allocating", "RESOURCE_EXHAUSTED", "bad_alloc", "Unable to allocate")


@dataclass(frozen=True)
class Request:
    """What to import.

    Args:
        file: the model.
        folder: where the results go.
        num_classes: how many it is said to know.
        scaling: a row of SCALINGS; empty where the model is to scale the pixels itself.
        size: pixels a side, for a model that takes any.
    """

    file: str
    folder: str
    num_classes: int
    scaling: str = ""
    size: int | None = None

    def to_json(self) -> str:
        """Return the request as a command line carries it."""
        return json.dumps(asdict(self))


def main(request: Request) -> dict[str, Any]:
    """Open, check, rebuild and save a model; return its facts.

    Raises:
        InputError: it cannot be used; the message says why.
    """
    file, folder = Path(request.file), Path(request.folder)
    check_description(read_description(file))
    import numpy as np

    from vision_app.explain.catalog import choose_layer
    from vision_app.importing.rebuild import input_shape, rebuild, starts_with_scaling

    model = _load(file)
    if not request.scaling and not starts_with_scaling(model):
        ways = "; ".join(f"{row.name}: {row.hint}" for row in SCALINGS.values())
        raise InputError(f"Say with --scaling which pixel values the model learned from ({ways}).")
    shape = input_shape(model, request.size)
    scaling = SCALINGS[request.scaling or "raw"]
    if len(scaling.scaling.mean) not in (1, shape[2]):
        raise InputError(
            f"The scaling '{scaling.name}' is for colour pictures, but the model takes grey ones; choose another."
        )
    rebuild(model, shape, request.num_classes, scaling).save(folder / "model.keras")
    made = _load(folder / "model.keras")
    pictures = np.random.default_rng(1).integers(0, 256, (4, *shape)).astype(np.uint8)
    np.savez(
        folder / "probe.npz", pictures=pictures, probabilities=made.predict(pictures.astype(np.float32), verbose=0)
    )
    return {
        "input_size": shape[0],
        "channels": shape[2],
        "parameters": made.count_params(),
        "scaling": scaling.name,
        "explained_layer": choose_layer(made),
    }


def _load(file: Path) -> "Model":
    import keras

    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
    except MemoryError:
        raise
    except Exception as error:  # a file can be wrong in every way
        if any(words in str(error) for words in MEMORY_WORDS):
            raise MemoryError from error
        first = (str(error).strip().splitlines() or [type(error).__name__])[0].split(". ")[0].rstrip(".")
        raise InputError(f"Keras cannot load {file.name}: {first[:200]}.") from error
    if not model.built or not model.layers:
        raise InputError(
            f"{file.name} was saved before it was built, so it has no weights; call it once and save it again."
        )
    return model


def _limit_memory() -> None:
    """Take no more than a model for pictures needs; where the system knows no such limit (Windows) there is none."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    _limit_memory()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            found = main(Request(**json.loads(sys.argv[1])))
    except InputError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.exit(BAD_MODEL)
    except MemoryError:
        print(
            f"Loading the model takes more than {MEMORY_BYTES >> 30} GB of memory; use a smaller one.", file=sys.stderr
        )
        sys.exit(BAD_MODEL)
    print(json.dumps(found))
