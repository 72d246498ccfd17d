"""Networks in fewer passes over memory: the same answers, gradients and statistics as Keras' own layers give."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from vision_app.export import fused as fused_layers
from vision_app.export.fused import fuse
from vision_app.models.catalog import MODELS, build_model

# The deepest are left out: there a change of a millionth of the weights moves some gradients as far as their length.
NORMALIZED = ("custom_cnn", "cifar_cnn", "resnet_small", "resnet18", "fast_cnn")


def learn(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return logits in training and the gradients of their loss, by the path of the variable."""
    model = keras.Model(network.inputs, network.get_layer("logits").output)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        value = loss(labels, logits)
    gradients = tape.gradient(value, [variable.value for variable in model.trainable_variables])
    paths = [variable.path for variable in model.trainable_variables]
    return logits.numpy(), {path: gradient.numpy() for path, gradient in zip(paths, gradients, strict=True)}


def assert_close(found: np.ndarray, expected: np.ndarray, share: float) -> None:
    """Compare arrays by their largest value, which is what rounding in a sum goes by."""
    np.testing.assert_allclose(found, expected, atol=share * max(1e-3, np.abs(expected).max()))


@pytest.mark.parametrize("name", NORMALIZED)
def test_a_step_is_that_of_keras_own_layers(name: str) -> None:
    keras.utils.set_random_seed(1)
    size = MODELS[name].smallest
    network = build_model(name, (size, size, 3), 4, dropout=0.0 if MODELS[name].takes_dropout else None)
    fused = fuse(network)
    kinds = {type(layer).__name__ for layer in fused.layers}
    assert "FusedBatchNormalization" in kinds and "BatchNormalization" not in kinds
    assert [layer.name for layer in fused.layers] == [layer.name for layer in network.layers]
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (32, size, size, 3)).astype(np.float32), random.integers(0, 4, 32)
    before = [values.copy() for values in network.get_weights()]
    for found, expected in zip(fused.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    (logits, gradients), (expected_logits, expected_gradients) = (
        learn(one, images, labels) for one in (fused, network)
    )
    assert_close(logits, expected_logits, 5e-3)
    assert gradients.keys() == expected_gradients.keys()
    for path, expected in expected_gradients.items():  # a pixel that rounding takes across zero changes its own share
        assert np.linalg.norm(gradients[path] - expected) <= 0.1 * np.linalg.norm(expected) + 1e-6, path
    # Training has moved the statistics of both alike, and with these they answer alike.
    assert any((new != old).any() for new, old in zip(network.get_weights(), before, strict=True))
    for found, expected in zip(fused.get_weights(), network.get_weights(), strict=True):
        assert_close(found, expected, 1e-3)
    assert_close(fused(images, training=False).numpy(), network(images, training=False).numpy(), 5e-3)


@pytest.mark.parametrize("name", MODELS)
def test_every_network_is_copied_whole(name: str) -> None:
    keras.utils.set_random_seed(1)
    info = MODELS[name]
    network = build_model(name, (info.smallest, info.smallest, 3), 4, pretrained=info.load_pretrained is not None)
    fused = fuse(network)
    assert [(layer.name, layer.trainable) for layer in fused.layers] == [
        (one.name, one.trainable) for one in network.layers
    ]
    for found, expected in zip(fused.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    images = np.random.default_rng(0).integers(0, 256, (3, info.smallest, info.smallest, 3)).astype(np.float32)
    assert_close(fused([images], training=False).numpy(), network([images], training=False).numpy(), 1e-3)


def test_without_the_compiler_gelu_stays_keras_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: object, **_options: object) -> object:
        def refuse(*_values: object) -> None:
            raise tf.errors.UnimplementedError(None, None, "no compiler")

        return lambda function: refuse

    monkeypatch.setattr(tf, "function", broken)
    network = build_model("fast_cnn", (20, 20, 1), 3, options={"width": 8})
    kinds = {type(layer).__name__ for layer in fuse(network).layers}
    assert {"Activation", "FusedBatchNormalization"} <= kinds and "FusedGelu" not in kinds
    assert "does not work here" in caplog.text


@pytest.mark.parametrize("shape", [(8, 2, 2, 16), (1, 4, 4, 3), (32, 8, 8, 64)])
@pytest.mark.parametrize("options", [{}, {"scale": False, "momentum": 0.6}, {"center": False, "epsilon": 1e-5}])
def test_the_layer_alone_is_exact(shape: tuple[int, ...], options: dict) -> None:
    image = keras.Input(shape[1:])
    network = keras.Model(image, keras.layers.BatchNormalization(**options)(image))
    fused, random = fuse(network), np.random.default_rng(0)
    images, upstream = (tf.constant(random.normal(3, 2, shape), tf.float32) for _ in range(2))
    found = []
    for one in (fused, network):
        with tf.GradientTape() as tape:
            tape.watch(images)
            values = one(images, training=True)
        slopes = tape.gradient(values, [images, *(v.value for v in one.trainable_variables)], output_gradients=upstream)
        found.append([values, *slopes, *one.get_weights()])
    for one, other in zip(*found, strict=True):
        assert_close(np.asarray(one), np.asarray(other), 2e-4)


@pytest.mark.parametrize(
    ("kernel", "options", "is_ours"),
    [
        (3, {}, True),
        ((2, 5), {"use_bias": False}, True),
        (3, {"strides": 2}, False),
        (3, {"padding": "valid"}, False),
        (3, {"dilation_rate": 2}, False),
        (1, {}, False),
    ],
)
def test_wide_kernels_learn_the_same_where_matrices_of_16_bits_are_fast(
    monkeypatch: pytest.MonkeyPatch, kernel: int | tuple[int, int], options: dict, is_ours: bool
) -> None:
    monkeypatch.setattr(fused_layers, "cpu_features", lambda: frozenset({"amx_bf16"}))
    monkeypatch.setattr(fused_layers, "WIDE", 6)
    random = np.random.default_rng(0)
    image = keras.Input((5, 7, 6))
    layer = keras.layers.Conv2D(4, kernel, **{"padding": "same", "dtype": "mixed_bfloat16"} | options)
    network = keras.Model(image, layer(image))
    fused = fuse(network)
    images = tf.constant(random.normal(size=(9, 5, 7, 6)), tf.float32)
    upstream, found = None, []
    for one in (fused, network):
        with tf.GradientTape() as tape:
            tape.watch(images)
            values = one(images, training=True)
        upstream = tf.cast(random.normal(size=values.shape), values.dtype) if upstream is None else upstream
        slopes = tape.gradient(values, [images, *(v.value for v in one.trainable_variables)], output_gradients=upstream)
        found.append([tf.cast(each, "float32").numpy() for each in (values, *slopes)])
    for one, other in zip(*found, strict=True):
        assert_close(one, other, 0.02)  # sums of numbers of 8 bits
    # Ours says so in the graph: the kernel's gradient is made of products, not of a convolution's operation.
    graph = tf.function(lambda x: _kernel_slope(fused, x)).get_concrete_function(images).graph
    kinds = {operation.type for operation in graph.get_operations()}
    assert ("MatMul" in kinds, "Conv2DBackpropFilter" in kinds) == (is_ours, not is_ours)


def _kernel_slope(network: keras.Model, images: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        values = network(images, training=True)
    return tape.gradient(values, network.trainable_variables[0].value)


def test_on_other_processors_convolutions_stay_keras_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_layers, "cpu_features", frozenset)
    network = build_model("fast_cnn", (20, 20, 1), 3, options={"width": 8})
    assert {type(layer) for layer in fuse(network).layers if "conv" in layer.name} == {keras.layers.Conv2D}


def test_frozen_statistics_stay_and_pass_gradients_on() -> None:
    keras.utils.set_random_seed(2)
    network = build_model("fast_cnn", (20, 20, 1), 3, options={"width": 8})
    fused = fuse(network)
    random = np.random.default_rng(0)
    for one in (network, fused):
        for layer in one.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
                layer.set_weights([np.full_like(values, 0.5) for values in layer.get_weights()])
    images, labels = random.integers(0, 256, (16, 20, 20, 1)).astype(np.float32), random.integers(0, 3, 16)
    before = fused.get_weights()
    (_, found), (_, expected) = (learn(one, images, labels) for one in (fused, network))
    for path in expected:
        assert_close(found[path], expected[path], 1e-3)
    for new, old in zip(fused.get_weights(), before, strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize(("policy", "share"), [("float32", 1e-5), ("mixed_bfloat16", 1e-2)])
def test_gelu_and_its_slope(policy: str, share: float) -> None:
    from scipy.stats import norm

    keras.mixed_precision.set_global_policy(policy)
    try:
        image = keras.Input((3, 3, 2))
        fused = fuse(keras.Model(image, keras.layers.Activation("gelu")(image)))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert [type(layer).__name__ for layer in fused.layers] == ["InputLayer", "FusedGelu"]
    points = tf.constant(np.linspace(-6, 6, 18).reshape(1, 3, 3, 2), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(points)
        values = fused(points)
    assert values.dtype == fused.layers[-1].compute_dtype
    x = points.numpy()
    assert_close(tf.cast(values, "float32").numpy(), x * norm.cdf(x), share)
    assert_close(tape.gradient(values, points).numpy(), norm.cdf(x) + x * norm.pdf(x), share)
