"""GoogLeNet, against what its publishers state and against a network written in plain PyTorch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.fakes import random_pictures
from vision_app.errors import InputError
from vision_app.models.catalog import build_model
from vision_app.models.inception import MODULES, auxiliary_logits

if TYPE_CHECKING:
    from keras import Model

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def network() -> "Model":
    return build_model("inception_v1", (224, 224, 3), 1000)


def test_it_has_the_parameters_that_torchvision_states(network: "Model") -> None:
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == 6_624_904


def test_feature_maps_have_the_sizes_of_the_paper(network: "Model") -> None:
    # Szegedy et al. 2014, table 1.
    expected = {
        "conv1_relu": (112, 112, 64), "maxpool1": (56, 56, 64), "conv3_relu": (56, 56, 192), "maxpool2": (28, 28, 192),
        "inception3a": (28, 28, 256), "inception3b": (28, 28, 480), "maxpool3": (14, 14, 480),
        "inception4a": (14, 14, 512), "inception4d": (14, 14, 528), "inception4e": (14, 14, 832), "maxpool4": (7, 7, 832),
        "inception5a": (7, 7, 832), "inception5b": (7, 7, 1024),
    }  # fmt: skip
    assert {name: network.get_layer(name).output.shape[1:] for name in expected} == expected


@pytest.mark.parametrize("size", [28, 32, 64, 111, 112, 113])
def test_small_pictures_keep_a_map_worth_explaining(size: int) -> None:
    from keras import KerasTensor

    small = build_model("inception_v1", (size, size, 1), 3)
    assert min(small.get_layer("inception5b").output.shape[1:3]) >= 4
    enlarged = [layer.output for layer in small.layers if layer.name == "enlarged"]
    assert [isinstance(map_, KerasTensor) and map_.shape[1] for map_ in enlarged] == ([112] if size < 112 else [])


def test_further_classifiers_see_the_modules_of_the_paper(network: "Model") -> None:
    answers = auxiliary_logits(network, 7)
    assert [answer.shape for answer in answers] == [(None, 7), (None, 7)]
    sources = {answer._keras_history.operation.name: module_before(answer) for answer in answers}
    assert sources == {"aux1_logits": "inception4a", "aux2_logits": "inception4d"}
    assert not any(layer.name.startswith("aux") for layer in network.layers)


def module_before(tensor: Any) -> str:
    """Return the first module of the network on the way back from a tensor."""
    name = tensor._keras_history.operation.name
    while name.removeprefix("inception") not in MODULES:
        tensor = tensor._keras_history.operation.input
        name = tensor._keras_history.operation.name
    return name


def make_reference(num_classes: int) -> Any:
    """Return torchvision's googlenet, written from its description: the same names, also in the state dict."""
    torch = pytest.importorskip("torch", reason="the reference needs PyTorch: pip install torch")
    nn = torch.nn

    class Convolution(nn.Module):
        def __init__(self, channels: int, filters: int, **options: Any) -> None:
            super().__init__()
            self.conv = nn.Conv2d(channels, filters, bias=False, **options)
            self.bn = nn.BatchNorm2d(filters, eps=0.001)

        def forward(self, x: Any) -> Any:
            return torch.relu(self.bn(self.conv(x)))

    def reduced(channels: int, reduce: int, filters: int) -> Any:
        return nn.Sequential(
            Convolution(channels, reduce, kernel_size=1), Convolution(reduce, filters, kernel_size=3, padding=1)
        )

    class Module(nn.Module):
        def __init__(self, channels: int, a: int, b0: int, b: int, c0: int, c: int, d: int) -> None:
            super().__init__()
            self.branch1 = Convolution(channels, a, kernel_size=1)
            self.branch2, self.branch3 = reduced(channels, b0, b), reduced(channels, c0, c)
            pool = nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True)
            self.branch4 = nn.Sequential(pool, Convolution(channels, d, kernel_size=1))

        def forward(self, x: Any) -> Any:
            return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)

    class GoogLeNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = Convolution(3, 64, kernel_size=7, stride=2, padding=3)
            self.conv2 = Convolution(64, 64, kernel_size=1)
            self.conv3 = Convolution(64, 192, kernel_size=3, padding=1)
            self.inception3a = Module(192, 64, 96, 128, 16, 32, 32)
            self.inception3b = Module(256, 128, 128, 192, 32, 96, 64)
            self.inception4a = Module(480, 192, 96, 208, 16, 48, 64)
            self.inception4b = Module(512, 160, 112, 224, 24, 64, 64)
            self.inception4c = Module(512, 128, 128, 256, 24, 64, 64)
            self.inception4d = Module(512, 112, 144, 288, 32, 64, 64)
            self.inception4e = Module(528, 256, 160, 320, 32, 128, 128)
            self.inception5a = Module(832, 256, 160, 320, 32, 128, 128)
            self.inception5b = Module(832, 384, 192, 384, 48, 128, 128)
            self.fc = nn.Linear(1024, num_classes)

        def forward(self, x: Any) -> Any:
            third, half = nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(2, 2, ceil_mode=True)
            # `transform_input`: from ImageNet's mean and deviation, which users of torchvision apply, to -1..1.
            mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_DEVIATION))
            x = x * (deviation / 0.5) + (mean - 0.5) / 0.5
            x = third(self.conv3(self.conv2(third(self.conv1(x)))))
            x = third(self.inception3b(self.inception3a(x)))
            x = self.inception4d(self.inception4c(self.inception4b(self.inception4a(x))))
            x = self.inception5b(self.inception5a(half(self.inception4e(x))))
            return self.fc(x.mean((2, 3)))

    torch.manual_seed(0)
    reference = GoogLeNet().eval()
    for name, values in reference.state_dict().items():
        if name.endswith("running_var") or ".bn.weight" in name:
            values.uniform_(0.5, 2)
        elif "bn" in name and values.is_floating_point():
            values.normal_(0.1, 0.3)
    return reference


@pytest.fixture
def reference() -> Any:
    return make_reference(5)


def answers_of(reference: Any, pixels: np.ndarray) -> np.ndarray:
    """Return its logits for raw pixel values, made ready as torchvision's users do."""
    import torch

    x = ((pixels / 255 - IMAGENET_MEAN) / IMAGENET_DEVIATION).astype(np.float32)
    with torch.no_grad():
        return reference(torch.from_numpy(x.transpose(0, 3, 1, 2))).numpy()


@pytest.mark.parametrize("size", [112, 150, 224, 225])
def test_answers_are_those_of_pytorch(reference: Any, tmp_path: Path, size: int) -> None:
    import keras
    import torch

    from vision_app.models.catalog import MODELS

    torch.save(reference.state_dict(), tmp_path / "googlenet.pth")
    model = build_model("inception_v1", (size, size, 3), 5, pretrained=True)
    MODELS["inception_v1"].load_pretrained(model, tmp_path / "googlenet.pth")
    pixels = random_pictures((2, size, size, 3)).astype(np.float32)
    logits = keras.Model(model.inputs, model.get_layer("logits").output).predict(pixels, verbose=0)
    expected = answers_of(reference, pixels)
    assert np.ptp(expected) > 0.05
    assert np.abs(logits - expected).max() < 1e-4


def test_with_other_classes_all_but_the_last_layer_is_taken(reference: Any, tmp_path: Path) -> None:
    import torch

    from vision_app.models.inception import load_inception_v1

    torch.save(reference.state_dict(), tmp_path / "googlenet.pth")
    model = build_model("inception_v1", (64, 64, 1), 9, pretrained=True)
    before = model.get_layer("logits").get_weights()
    load_inception_v1(model, tmp_path / "googlenet.pth")
    expected = reference.inception5b.branch3[1].conv.weight.detach().numpy()
    found = model.get_layer("inception5b_branch3_1_conv").get_weights()[0]
    assert np.array_equal(found.transpose(3, 2, 0, 1), expected)
    assert all(map(np.array_equal, model.get_layer("logits").get_weights(), before))


def test_other_files_are_told(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="reading a state dict needs PyTorch: pip install torch")
    from vision_app.models.inception import load_inception_v1

    model = build_model("inception_v1", (64, 64, 3), 3)
    code = b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR."
    (tmp_path / "code.pth").write_bytes(code)
    (tmp_path / "noise.pth").write_bytes(bytes(range(256)))
    for name in ("code.pth", "noise.pth"):
        with pytest.raises(InputError, match=f"{name} cannot be read; expected a state dict"):
            load_inception_v1(model, tmp_path / name)
    assert not (tmp_path / "ran").exists()
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(InputError, match=r"list\.pth is no state dict"):
        load_inception_v1(model, tmp_path / "list.pth")
    torch.save({"conv1.conv.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"in other\.pth do not fit conv1_conv; expected .* googlenet"):
        load_inception_v1(model, tmp_path / "other.pth")


def test_without_torch_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from vision_app.models.torch_weights import read_state

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"googlenet\.pth holds weights of PyTorch.* pip install torch"):
        read_state(tmp_path / "googlenet.pth")
