"""One prediction through our path against the raw runtimes and against Keras, on the same weights.

    python benchmarks/prediction.py [MODEL ...]

Without names: a fresh simple_cnn and all checkpoints. Prints median and 99th percentile of single calls, rounds interleaved, and the ratio to raw LiteRT. Preprocessing (a
photo or drawing made ready) is a row of its own. ONNX Runtime needs `pip install tf2onnx onnxruntime`; without them its
row says so.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np

from vision_app.predict import load_classifier
from vision_app.runs import Run, list_checkpoints, resolve

ROUNDS, CALLS, SLOW_CALLS = 5, 200, 20


def raw_litert(run: Run) -> Callable[[np.ndarray], np.ndarray]:
    """LiteRT alone: set, invoke, get."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(run.tflite_file), num_threads=os.cpu_count())
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def call(image: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source, image)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    return call


def raw_onnx(model: object) -> Callable[[np.ndarray], np.ndarray]:
    """ONNX Runtime alone."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model.export(path, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(path.read_bytes())
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]


def keras_ways(run: Run) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """The ways that Keras and TensorFlow offer."""
    import keras
    import tensorflow as tf

    model = keras.saving.load_model(run.model_file, compile=False)
    model(np.zeros((1, *model.input_shape[1:]), np.float32))  # the ONNX export wants a model that has been called
    graph = tf.function(lambda image: model(image, training=False))
    ways = {
        "tf.function": lambda image: graph(tf.constant(image)).numpy(),
        "model.predict": lambda image: model.predict(image, verbose=0),
    }
    try:
        return {"ONNX Runtime, raw": raw_onnx(model), **ways}
    except Exception as error:  # tf2onnx is missing, or does not know an operation (the exact GELU of fast_cnn, say)
        print(f"{run.name}: ONNX Runtime left out: {str(error).splitlines()[0][-120:]}")
        return ways


def time_calls(call: Callable[[np.ndarray], np.ndarray], image: np.ndarray, count: int) -> list[float]:
    """Return the milliseconds of single calls."""
    times = []
    for _ in range(count):
        began = time.perf_counter_ns()
        call(image)
        times.append((time.perf_counter_ns() - began) / 1e6)
    return times


def measure(run: Run) -> None:
    """Print the table of one model."""
    classifier = load_classifier(run)
    size, channels = classifier.config.input_size, classifier.config.channels
    received = np.random.default_rng(0).integers(0, 256, (1, size, size, channels)).astype(np.float32)
    picture = np.full((280, 280, 3), 255, np.uint8)
    picture[60:220, 130:150] = 0
    ways = {
        "LiteRT, raw": raw_litert(run),
        "ours, the model call": classifier.probabilities,
        "ours, preprocessing of a 280 x 280 picture": lambda _: classifier.receive(picture),
        **keras_ways(run),
    }
    reference = ways["LiteRT, raw"](received)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for call in ways.values():
        call(received)
    for _ in range(ROUNDS):
        for name, call in ways.items():
            times[name] += time_calls(call, received, SLOW_CALLS if name == "model.predict" else CALLS)
    base = float(np.median(times["LiteRT, raw"]))
    print(f"\n{run.name} ({size} x {size} x {channels}), milliseconds a call")
    print(f"{'':44}{'p50':>9}{'p99':>9}{'x LiteRT':>10}{'largest difference':>20}")
    for name, values in times.items():
        median, tail = np.percentile(values, [50, 99])
        same = "" if "preprocessing" in name else f"{np.abs(ways[name](received) - reference).max():.1e}"
        print(f"{name:44}{median:9.4f}{tail:9.4f}{median / base:10.2f}{same:>20}")


def train_simple_cnn() -> Run:
    """Return a small network that every runtime can run, after an epoch on the embedded digits."""
    from vision_app.training import jobs
    from vision_app.training.recipe import make_config

    run = jobs.start(make_config("digits", "simple_cnn", {"epochs": 1}))
    jobs.wait(run)
    return run


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VISION_APP_RUNS"] = folder
        for chosen in [resolve(name) for name in sys.argv[1:]] or [train_simple_cnn(), *list_checkpoints()]:
            measure(chosen)
