"""Preprocessing steps on channels-last values, in the value's type (bytes become floats with the first step).

What is random in training draws as Sylvite does (torch_random.py), so that each image can be compared.
"""
import torch
from torch.nn import functional

import graph
import torch_random
from torch_values import channels_first, channels_last


def apply(steps, x):
    """x, [N, ..., C], after these steps."""
    for step in steps:
        kind, attributes = graph.parts(step)
        x = x if x.is_floating_point() else x.float()
        x = STEPS[kind](x, attributes)
    return x


def pair(value):
    return list(value) if isinstance(value, list) else [value, value]


def normalize(x, attributes):
    mean = torch.tensor(attributes.get("mean", [0.0]), dtype=x.dtype)
    std = torch.tensor(attributes.get("std", [1.0]), dtype=x.dtype)
    return (x / attributes.get("divide", 1) - mean) / std


def resize(x, attributes):
    height, width = x.shape[1:3]
    if "short_side" in attributes:
        short = attributes["short_side"]
        size = [short, int(short * width / height)] if height <= width else [int(short * height / width), short]
    else:
        size = pair(attributes["size"])
    mode = attributes.get("mode", "bilinear")
    if mode == "area":
        return channels_last(functional.adaptive_avg_pool2d(channels_first(x), size))
    return channels_last(functional.interpolate(channels_first(x), size, mode=mode))


def center_crop(x, attributes):
    """torchvision.transforms.functional.center_crop."""
    (height, width), (to_height, to_width) = x.shape[1:3], pair(attributes["size"])
    rows, columns = max(to_height - height, 0), max(to_width - width, 0)
    x = functional.pad(x, [0, 0, columns // 2, (columns + 1) // 2, rows // 2, (rows + 1) // 2])
    top, left = (int(round((x.shape[1] - to_height) / 2.0)), int(round((x.shape[2] - to_width) / 2.0)))
    return x[:, top:top + to_height, left:left + to_width]


def pad_to(x, attributes):
    height, width = x.shape[1:3]
    if "aspect" in attributes:
        aspect = attributes["aspect"]
        size = [max(height, -int(-width / aspect // 1)), max(width, -int(-height * aspect // 1))]
    else:
        size = pair(attributes["size"])
    rows, columns = size[0] - height, size[1] - width
    return functional.pad(x, [0, 0, columns // 2, columns - columns // 2, rows // 2, rows - rows // 2],
                          value=attributes.get("value", 0.0))


def gray(x):
    """torchvision.transforms.functional.rgb_to_grayscale, before rounding."""
    return (0.2989 * x[..., 0] + 0.587 * x[..., 1] + 0.114 * x[..., 2])[..., None]


def random_crop(x, attributes):
    size = pair(attributes.get("size", list(x.shape[1:3])))
    words, padding = torch_random.draw(x.shape[0], 1), attributes.get("padding", 0)
    padding = padding if isinstance(padding, list) else [padding]
    top, bottom, left, right = {1: padding * 4, 2: [p for p in padding for _ in range(2)]}.get(len(padding), padding)
    if words is None:
        return x if size == list(x.shape[1:3]) else center_crop(x, {"size": size})
    padded = functional.pad(x, [0, 0, left, right, top, bottom], value=attributes.get("value", 0.0))
    columns = torch_random.below(words[0][:, 0], padded.shape[2] - size[1] + 1)
    rows = torch_random.below(words[1][:, 0], padded.shape[1] - size[0] + 1)
    return torch.stack([image[r:r + size[0], c:c + size[1]] for image, r, c in zip(padded, rows, columns)])


def flip(dim):
    def step(x, attributes):
        words, p = torch_random.draw(x.shape[0], 1), attributes.get("p", 0.5)
        if words is None:
            return x
        flips = torch_random.happens(words[0][:, 0], p)
        return torch.stack([image.flip(dim) if flipped else image for image, flipped in zip(x, flips)])
    return step


def color_jitter(x, attributes):
    words = torch_random.draw(x.shape[0], 1)
    if words is None:
        return x
    ranges = attributes.get("brightness", 0.0), attributes.get("contrast", 0.0)
    bright, strong = (torch_random.uniform(word[:, 0], max(0.0, 1 - r), 1 + r, x.dtype) for word, r in zip(words, ranges))
    most, images = attributes.get("maximum", 255.0), []

    def contrasted(image, factor):
        mean = (gray(image) if image.shape[-1] == 3 else image).mean()
        return (factor * image + (1 - factor) * mean).clamp(0, most)
    for image, b, c, first in zip(x, bright, strong, torch_random.happens(words[2][:, 0], 0.5)):
        if first:
            images.append((contrasted(image, c) * b).clamp(0, most))
        else:
            images.append(contrasted((image * b).clamp(0, most), c))
    return torch.stack(images)


def cutout(x, attributes):
    words, (height, width) = torch_random.draw(x.shape[0], 1), pair(attributes["size"])
    if words is None:
        return x
    x = x.clone()
    places = zip(torch_random.below(words[0][:, 0], x.shape[2]), torch_random.below(words[1][:, 0], x.shape[1]))
    for n, (column, row) in enumerate(places):
        top, left = row - height // 2, column - width // 2
        x[n, max(top, 0):max(top + height, 0), max(left, 0):max(left + width, 0)] = attributes.get("value", 0.0)
    return x


STEPS = {"normalize": normalize, "resize": resize, "center_crop": center_crop, "pad_to": pad_to,
         "grayscale": lambda x, _: gray(x), "rgb": lambda x, _: x.expand(*x.shape[:-1], 3),
         "random_crop": random_crop, "horizontal_flip": flip(1), "vertical_flip": flip(0),
         "color_jitter": color_jitter, "cutout": cutout}
