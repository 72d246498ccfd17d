"""The PyTorch side of `benchmarks/training.py`: an eager loop as a person would write it. Needs torch, and torchvision for mobilenet_v2.

python benchmarks/support/training_torch.py MODEL IMAGES.npz BATCH EPOCHS
"""

import sys
import time
from statistics import median

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def conv(inputs: int, filters: int) -> nn.Conv2d:
    """Return a 3 x 3 convolution that keeps the size and has no bias."""
    return nn.Conv2d(inputs, filters, 3, padding="same", bias=False)


def simple_cnn(classes: int) -> nn.Module:
    """Return the network of `models/small.py`."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, classes),
    )  # fmt: skip


def fast_cnn(classes: int, width: int = 64) -> nn.Module:
    """Return the network of `models/fast.py`."""
    whitening = nn.Conv2d(3, 24, 2, bias=False)
    whitening.requires_grad_(False)
    layers: list[nn.Module] = [whitening, nn.GELU()]
    inputs = 24
    for filters in (width, 4 * width, 4 * width):
        layers += [conv(inputs, filters), nn.MaxPool2d(2), nn.BatchNorm2d(filters), nn.GELU()]
        layers += [conv(filters, filters), nn.BatchNorm2d(filters), nn.GELU()]
        inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


def mobilenet_v2(classes: int) -> nn.Module:
    """Return torchvision's network of width 0.35 with the head of `models/transfer.py`."""
    from torchvision.models import mobilenet_v2 as build

    network = build(width_mult=0.35)
    network.classifier = nn.Sequential(
        nn.Linear(network.last_channel, 512), nn.ReLU(), nn.Dropout(0.6), nn.Linear(512, classes)
    )
    return network


def pixels(images: np.ndarray) -> torch.Tensor:
    """Return uint8 images (n, h, w, c) as (n, c, h, w), in the layout that PyTorch's convolutions are fastest in."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def main(model: str, file: str, batch_size: int, epochs: int) -> None:
    """Train, and print the images a second of the epochs after the first, validation included."""
    with np.load(file) as found:
        x, val_x = pixels(found["x"]), pixels(found["val_x"])
        y, val_y = (torch.from_numpy(found[name].astype(np.int64)) for name in ("y", "val_y"))
    network = {"simple_cnn": simple_cnn, "fast_cnn": fast_cnn, "mobilenet_v2": mobilenet_v2}[model](int(y.max()) + 1)
    network = network.to(memory_format=torch.channels_last)
    learned = [values for values in network.parameters() if values.requires_grad]
    optimizer = torch.optim.SGD(learned, 0.01, momentum=0.9, nesterov=True)
    seconds = []
    for _ in range(epochs):
        began = time.perf_counter()
        network.train()
        order = torch.randperm(len(x))
        for start in range(0, len(x) - batch_size + 1, batch_size):
            chosen = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = functional.cross_entropy(network(x[chosen].float() / 255), y[chosen])
            loss.backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for start in range(0, len(val_x), 500):
                functional.cross_entropy(network(val_x[start : start + 500].float() / 255), val_y[start : start + 500])
        seconds.append(time.perf_counter() - began)
    print(len(x) / median(seconds[1:]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
