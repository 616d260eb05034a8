"""What the modules of the golden files share: the table of layers, the order of axes, lists of sizes."""
from torch import nn

LAYERS = {}  # kind: function(attributes, [channels-first shape of each input, without N]) -> nn.Module


def layer(*kinds):
    """Enters a function into LAYERS under these kinds."""
    def enter(function):
        LAYERS.update(dict.fromkeys(kinds, function))
        return function
    return enter


class Apply(nn.Module):
    """A layer without parameters: a function of its inputs."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *values):
        return self.function(*values)


def channels_first(x):
    """[N, ..., C] to [N, C, ...]."""
    return x.movedim(-1, 1) if x.dim() > 2 else x


def channels_last(x):
    """[N, C, ...] to [N, ..., C]."""
    return x.movedim(1, -1) if x.dim() > 2 else x


def axis(number, rank):
    """The dimension of a channels-first tensor that axis `number` of a sample of this rank is; axes of a sample are
    counted in the file's order (H, W, C), from the end where negative."""
    number %= rank
    return 1 if number == rank - 1 else number + 2


def sizes(value, rank):
    """One size for all axes, or a list of one for each, as a tuple."""
    return tuple(value) if isinstance(value, list) else (value,) * rank


def same_padding(size, kernel, stride, dilation):
    """(before, after) of `padding: same`: ceil(size / stride) outputs, the odd one at the end."""
    total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def sides(padding, rank, same):
    """[(before, after)] of each axis for a `padding` attribute; `same` is what the word stands for."""
    if padding == "same":
        return same
    if padding in ("valid", None):
        return [(0, 0)] * rank
    if not isinstance(padding, list):
        return [(padding, padding)] * rank
    if len(padding) == 2 * rank:
        return list(zip(padding[::2], padding[1::2]))
    return [(amount, amount) for amount in padding]


def flat_sides(amounts):
    """What torch.nn.functional.pad takes: last axis first."""
    return [number for before_after in reversed(amounts) for number in before_after]
