"""LiteRT files answer as Keras does, for every network of the table."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes import random_pictures, randomize
from vision_app.errors import InputError
from vision_app.export.tflite import convert, convert_file
from vision_app.models.catalog import MODELS, build_model
from vision_app.models.parts import Scaling


def run_tflite(content: bytes, images: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    (entry,), (answer,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(entry["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(answer["index"])


# Converting a deep network takes most of a minute. These have what the others are made of: enlarging, depthwise convolutions,
# gates, shortcuts.
DEEP = ("efficientnet_b0", "inception_v1", "resnet18")


@pytest.mark.parametrize("name", [name for name, row in MODELS.items() if name in DEEP or not row.backbone])
def test_converted_networks_answer_as_keras_does(name: str) -> None:
    info = MODELS[name]
    size, channels = (info.smallest + info.default_size) // 2, info.channels
    scaling = Scaling((120.0, 110.0, 100.0)[:channels], (60.0, 70.0, 80.0)[:channels])
    network = build_model(name, (size, size, channels), 7, scaling)
    randomize(network)
    images = random_pictures((9, size, size, channels)).astype(np.float32)
    expected = network.predict(images, verbose=0)
    answers = run_tflite(convert(network), images)
    assert answers.dtype == np.float32 and np.ptp(expected, axis=0).max() > 0.01
    assert np.abs(answers - expected).max() < 1e-5


def test_batch_norm_behind_a_resizing_layer_answers_as_keras_does() -> None:
    from keras import Input, Model, layers

    image = Input((6, 6, 3))
    x = layers.BatchNormalization(name="norm")(layers.Resizing(9, 9)(image))
    network = Model(image, layers.GlobalAveragePooling2D()(x))
    network.get_layer("norm").set_weights([np.array(values, np.float32) for values in ([1, 2, 3],) * 4])
    images = random_pictures((4, 6, 6, 3)).astype(np.float32)
    assert np.allclose(run_tflite(convert(network), images), network.predict(images, verbose=0), rtol=1e-5)


def test_a_saved_network_is_converted(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    network = build_model("lenet5", (16, 16, 1), 3)
    network.save(tmp_path / "model.keras")
    images = random_pictures((2, 16, 16, 1)).astype(np.float32)
    capfd.readouterr()
    content = convert_file(tmp_path / "model.keras")
    assert capfd.readouterr().out == ""
    assert np.abs(run_tflite(content, images) - network.predict(images, verbose=0)).max() < 1e-5


@pytest.mark.parametrize("keep", [0, 100, 20_000, -100])
def test_a_damaged_network_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "some-run" / "model.keras"
    path.parent.mkdir()
    build_model("lenet5", (16, 16, 1), 3).save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"some-run/model.keras is damaged"):
        convert_file(path)
