"""What may stand in a saved model: Keras' own layers for pictures, of sizes that a model for pictures can have.

Everything else is refused by name before Keras sees it: whatever loads code, files or addresses is no layer for pictures.
"""

from collections.abc import Iterator
from typing import Any

from vision_app.errors import InputError

MODELS = {"Functional", "Sequential", "Model"}
LAYERS = {
    "InputLayer", "Dense", "Conv2D", "SeparableConv2D", "DepthwiseConv2D", "Conv2DTranspose", "Activation", "ReLU", "LeakyReLU",
    "PReLU", "ELU", "Softmax", "Identity", "BatchNormalization", "LayerNormalization", "GroupNormalization",
    "UnitNormalization", "Normalization", "Rescaling", "Resizing", "CenterCrop", "MaxPooling2D", "AveragePooling2D",
    "GlobalAveragePooling2D", "GlobalMaxPooling2D", "AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D", "Flatten", "Reshape",
    "Permute", "ZeroPadding2D", "Cropping2D", "UpSampling2D", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum",
    "Concatenate", "Dropout", "SpatialDropout2D", "ActivityRegularization",
}  # fmt: skip
# What only changes pictures or weights while a model learns; it is left out.
LEARNING_ONLY = {
    "GaussianNoise", "GaussianDropout", "AlphaDropout", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
    "RandomContrast", "RandomBrightness", "RandomErasing", "RandomShear", "RandomHue", "RandomSaturation",
}  # fmt: skip
PARTS = {
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Ones", "Orthogonal",
    "OrthogonalInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "L1", "L2", "L1L2",
    "MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm", "DTypePolicy", "Policy", "__keras_tensor__", "__tensor__", "__numpy__",
    "__slice__", "__ellipsis__", "TrueDivide", "GetItem", "Stack", "Unstack",
}  # fmt: skip
ACTIVATIONS = {
    "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "mish", "tanh", "sigmoid", "hard_sigmoid",
    "hard_silu", "hard_swish", "softplus", "softsign", "softmax", "linear", "exponential",
}  # fmt: skip
LARGEST = 1_000_000  # of any whole number in a description
MAX_LAYERS = 3000
FREE = {"seed", "shared_object_id"}  # whole numbers that are no sizes


def check_description(description: Any) -> None:
    """Refuse a description of a model that holds anything but layers for pictures.

    Args:
        description: what Keras' config.json, or the attribute model_config of an .h5 file, says.

    Raises:
        InputError: it is none, or holds something else; the message names it.
    """
    if not isinstance(description, dict) or description.get("class_name") not in MODELS:
        found = description.get("class_name") if isinstance(description, dict) else None
        raise InputError(
            f"Expected a model of Keras' layers (Sequential or Functional), got {_shown(found)}; rebuild it from layers."
        )
    count = 0
    kept = {
        key: value for key, value in description.items() if key != "compile_config"
    }  # loss and optimizer stay unread
    for key, value in _walk(kept):
        if isinstance(value, dict) and "class_name" in value:
            _check_object(value)
            count += 1
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST and key not in FREE:
            raise InputError(
                f"The model's {_shown(key)} is {value:,}, far beyond any model for pictures; it is not loaded."
            )
    if count > 20 * MAX_LAYERS:
        raise InputError(f"The model has more than {MAX_LAYERS:,} layers; it is not loaded.")


def _check_object(value: dict[str, Any]) -> None:
    name, module = value["class_name"], value.get("module")
    if name == "function":
        if value.get("config") in ACTIVATIONS:
            return
        raise InputError(
            f"The model uses the function {_shown(value.get('config'))}; only Keras' own activations are loaded."
        )
    own = module is None or module == "keras" or str(module).startswith("keras.")
    registered = value.get("registered_name")
    if name not in MODELS | LAYERS | LEARNING_ONLY | PARTS or not own or registered not in (None, "", name):
        raise InputError(
            f"The model holds {_shown(registered or name)}, which is none of Keras' own layers for pictures; "
            "rebuild the model without it and save it again."
        )


def _walk(description: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every value with the key that it stands under; without recursion, which a deep file would exhaust."""
    waiting: list[tuple[Any, Any]] = [(None, description)]
    while waiting:
        key, value = waiting.pop()
        yield key, value
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(key, item) for item in value]


def _shown(name: Any) -> str:
    return repr(str(name)[:80])
