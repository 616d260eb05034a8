"""Convolutions and pooling as torch modules, in one, two and three dimensions."""
import torch
from torch import nn
from torch.nn import functional

from torch_values import Apply, flat_sides, layer, same_padding, sides, sizes

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
CONV_TRANSPOSE = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOL = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
AVG_POOL = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}
ADAPTIVE = {1: functional.adaptive_avg_pool1d, 2: functional.adaptive_avg_pool2d, 3: functional.adaptive_avg_pool3d}


def padded_form(form, amounts, mode):
    """The class of modules `form` (no padding of its own) that pads its input first."""
    class Padded(form):
        def forward(self, x):
            return super().forward(functional.pad(x, flat_sides(amounts), mode))
    return Padded


def cropped_form(form, amounts):
    """The class of modules `form` that cuts its output at each side."""
    class Cropped(form):
        def forward(self, x):
            y = super().forward(x)
            for dim, (before, after) in enumerate(amounts, 2):
                y = y.narrow(dim, before, y.shape[dim] - before - after)
            return y
    return Cropped


@layer("conv1d", "conv2d", "conv3d")
def conv(attributes, shapes):
    (channels, *image), = shapes
    rank = len(image)
    kernel, stride, dilation = (sizes(attributes.get(key, 1), rank) for key in ("kernel", "stride", "dilation"))
    same = [same_padding(*facts) for facts in zip(image, kernel, stride, dilation)]
    padding, mode = attributes.get("padding", 0), attributes.get("padding_mode", "zeros")
    amounts = sides(padding, rank, same)
    arguments = (channels, attributes["filters"], kernel, stride)
    options = {"dilation": dilation, "groups": attributes.get("groups", 1), "bias": attributes.get("bias", True)}
    if padding != "same" and mode == "zeros" and all(before == after for before, after in amounts):
        return CONV[rank](*arguments, tuple(before for before, _ in amounts), **options)
    return padded_form(CONV[rank], amounts, "constant" if mode == "zeros" else mode)(*arguments, **options)


@layer("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(attributes, shapes):
    (channels, *image), = shapes
    rank = len(image)
    kernel, stride, dilation = (sizes(attributes.get(key, 1), rank) for key in ("kernel", "stride", "dilation"))
    extra = sizes(attributes.get("output_padding", 0), rank)
    # `same`: size * stride outputs, the transpose of the convolution that has `same`.
    same = [same_padding(size * step, *facts) for size, step, *facts in zip(image, stride, kernel, stride, dilation)]
    amounts = sides(attributes.get("padding", 0), rank, same)
    # torch cuts both sides alike: the smaller amount; what one side has more is cut after it.
    common = tuple(min(amount) for amount in amounts)
    rest = [(before - least, after - least) for (before, after), least in zip(amounts, common)]
    return cropped_form(CONV_TRANSPOSE[rank], rest)(
        channels, attributes["filters"], kernel, stride, common, extra, attributes.get("groups", 1),
        attributes.get("bias", True), dilation)


@layer("max_pool1d", "max_pool2d", "max_pool3d")
def max_pool(attributes, shapes):
    return pool(attributes, shapes, MAX_POOL, float("-inf"))


@layer("avg_pool1d", "avg_pool2d", "avg_pool3d")
def avg_pool(attributes, shapes):
    return pool(attributes, shapes, AVG_POOL, 0.0)


def pool(attributes, shapes, forms, border):
    """Padding that differs between sides is put there first: by what never wins a maximum; of an average, by zeros whose
    share is taken out where they do not count."""
    (_, *image), = shapes
    rank = len(image)
    window = sizes(attributes["window"], rank)
    stride = sizes(attributes.get("stride", list(window)), rank)
    same = [same_padding(size, kernel, step, 1) for size, kernel, step in zip(image, window, stride)]
    amounts = sides(attributes.get("padding", 0), rank, same)
    ceil, count = attributes.get("ceil_mode", False), attributes.get("count_include_pad", True)
    form, average = forms[rank], forms is AVG_POOL
    options = {"stride": stride, "ceil_mode": ceil}
    if all(before == after for before, after in amounts):
        options["padding"] = tuple(before for before, _ in amounts)
        if average:
            options["count_include_pad"] = count
        return Apply(lambda x: form(x, window, **options))

    def padded(x):
        y = form(functional.pad(x, flat_sides(amounts), value=border), window, **options)
        if average and not count:
            y = y / form(functional.pad(torch.ones_like(x), flat_sides(amounts)), window, **options)
        return y
    return Apply(padded)


@layer("global_max_pool")
def global_max_pool(_attributes, _shapes):
    return Apply(lambda x: functional.adaptive_max_pool1d(x.flatten(2), 1).flatten(1))  # the first of equal ones


@layer("global_avg_pool")
def global_avg_pool(_attributes, _shapes):
    return Apply(lambda x: x.flatten(2).mean(2))


@layer("adaptive_avg_pool", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")
def adaptive_avg_pool(attributes, shapes):
    rank = len(shapes[0]) - 1
    return Apply(lambda x: ADAPTIVE[rank](x, sizes(attributes["size"], rank)))
