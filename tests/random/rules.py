"""Random attributes of each kind of layer, for the generator of networks (generate.py).

A rule takes the random numbers and the channels-first shape [C, ...] of the layer's input, and gives attributes, or None
where the layer cannot follow such a value. Attributes that the compiler's table of layers does not have are left out
afterwards. A kind without a rule here is drawn with random flags and words and the defaults of all else, by by_type();
so a new layer takes part as soon as the table and PyTorch's side (tests/golden) know it.
"""
RULES = {}  # kind: (function(random, shape), weight in the draw)


def rule(*kinds, weight=1.0):
    def enter(function):
        RULES.update(dict.fromkeys(kinds, (function, weight)))
        return function
    return enter


def by_type(record):
    """A rule from the layer's record in the table; None where a required attribute has no obvious value."""
    if any(facts["required"] for facts in record["attributes"].values()):
        return None

    def draw(random, _shape):
        result = {}
        for name, facts in record["attributes"].items():
            if facts["type"] == "Flag" and random.random() < 0.5:
                result[name] = random.random() < 0.5
            elif facts.get("words") and random.random() < 0.5:
                result[name] = random.choice(facts["words"])
        return result
    return draw


def divisors(number):
    return [d for d in range(1, number + 1) if number % d == 0]


def some(random, rank, low, high):
    """One number for all axes or a list of one for each."""
    if rank == 1 or random.random() < 0.5:
        return random.randint(low, high)
    return [random.randint(low, high) for _ in range(rank)]


def maybe(random, chance, **attributes):
    return attributes if random.random() < chance else {}


def padding(random, rank, most):
    form = random.choice(("none", "number", "number", "same", "valid", "sides"))
    if form == "none":
        return {}
    if form == "number":
        return {"padding": some(random, rank, 0, most)}
    if form == "sides":
        return {"padding": [random.randint(0, most) for _ in range(2 * rank)]}
    return {"padding": form}


def windows(kind):
    """The three forms of a kind that has one for each number of axes."""
    return tuple(f"{kind}{rank}d" for rank in (1, 2, 3))


def rank_of(shape):
    return len(shape) - 1


@rule(*windows("conv"), weight=6.0)
def conv(random, shape):
    rank = rank_of(shape)
    if rank < 1:
        return None
    groups = random.choice(divisors(shape[0])) if random.random() < 0.3 else 1
    filters = groups * random.choice((1, 2, 3)) if groups > 1 else random.choice((1, 3, 5, 8, 17))
    return {"filters": filters, "kernel": some(random, rank, 1, 4)} | padding(random, rank, 2) | (
        maybe(random, 0.4, stride=some(random, rank, 1, 3)) | maybe(random, 0.2, dilation=some(random, rank, 1, 2))
        | maybe(random, 1.0 if groups > 1 else 0, groups=groups) | maybe(random, 0.3, bias=False)
        | maybe(random, 0.2, padding_mode=random.choice(("reflect", "replicate", "circular"))))


@rule(*windows("conv_transpose"), weight=1.5)
def conv_transpose(random, shape):
    rank = rank_of(shape)
    if rank < 1:
        return None
    groups = random.choice(divisors(shape[0])) if random.random() < 0.3 else 1
    return {"filters": groups * random.choice((1, 2, 3)), "kernel": some(random, rank, 1, 4)} | (
        maybe(random, 0.5, stride=some(random, rank, 1, 3)) | maybe(random, 0.4, padding=some(random, rank, 0, 1))
        | maybe(random, 0.2, dilation=some(random, rank, 1, 2)) | maybe(random, 1.0 if groups > 1 else 0, groups=groups)
        | maybe(random, 0.3, bias=False))


@rule(*windows("max_pool"), *windows("avg_pool"), weight=1.5)
def pool(random, shape):
    rank = rank_of(shape)
    if rank < 1:
        return None
    window = random.randint(1, min(3, *shape[1:]))
    return {"window": window} | (
        maybe(random, 0.5, stride=some(random, rank, 1, 3)) | maybe(random, 0.4, padding=random.randint(0, window // 2))
        | maybe(random, 0.3, ceil_mode=True) | maybe(random, 0.3, count_include_pad=False))


@rule("global_avg_pool", "global_max_pool", weight=0.3)
def global_pool(_random, shape):
    return {} if rank_of(shape) >= 1 else None


@rule("adaptive_avg_pool", *windows("adaptive_avg_pool"), weight=0.5)
def adaptive_avg_pool(random, shape):
    return {"size": some(random, rank_of(shape), 1, 3)} if rank_of(shape) >= 1 else None


@rule("linear", weight=1.5)
def linear(random, shape):
    if rank_of(shape) > 1:
        return None
    return {"units": random.choice((1, 3, 5, 8, 17))} | maybe(random, 0.3, bias=False)


@rule("flatten", weight=0.3)
def flatten(_random, _shape):
    return {}


@rule("batch_norm", weight=2.0)
def batch_norm(random, _shape):
    return maybe(random, 0.2, momentum=0.3) | maybe(random, 0.3, eps=1e-3) | maybe(random, 0.2, affine=False)


@rule("layer_norm", "instance_norm")
def norm(random, shape):
    return maybe(random, 0.5, affine=random.random() < 0.5) | maybe(random, 0.3, eps=1e-3)


@rule("group_norm")
def group_norm(random, shape):
    return {"groups": random.choice(divisors(shape[0]))} | norm(random, shape)


@rule("prelu", weight=0.4)
def prelu(random, shape):
    return maybe(random, 0.5, num_parameters=shape[0])


@rule("leaky_relu", weight=0.4)
def leaky_relu(random, _shape):
    return maybe(random, 0.5, negative_slope=0.2)


@rule("elu", weight=0.4)
def elu(random, _shape):
    return maybe(random, 0.5, alpha=0.5)


@rule("softplus", weight=0.4)
def softplus(random, _shape):
    return maybe(random, 0.5, beta=2.0)


@rule("softmax", "log_softmax", weight=0.5)
def softmax(random, shape):
    return maybe(random, 0.5, axis=random.randrange(-len(shape), len(shape)))


@rule("dropout", weight=0.5)
def dropout(random, _shape):
    return {"p": random.choice((0.1, 0.5))}


@rule("spatial_dropout", weight=0.3)
def spatial_dropout(random, shape):
    return {"p": 0.3} if rank_of(shape) >= 1 else None


@rule("gelu", weight=0.4)
def gelu(random, _shape):
    return maybe(random, 0.5, approximate="tanh")


@rule("learned_position")
def learned_position(_random, shape):
    return {} if rank_of(shape) == 1 else None


@rule("reshape", weight=0.5)
def reshape(random, shape):
    size = 1
    for number in shape:
        size *= number
    channels = random.choice(divisors(size))
    height = random.choice(divisors(size // channels))
    return {"shape": random.choice(([size], [size // channels, channels], [height, size // channels // height,
                                                                          channels]))}


@rule("permute", weight=0.5)
def permute(random, shape):
    return {"axes": random.sample(range(len(shape)), len(shape))} if len(shape) > 1 else None


@rule("slice", weight=0.7)
def slice_(random, shape):
    axis = random.randrange(len(shape))
    size = shape[0] if axis == len(shape) - 1 else shape[axis + 1]
    begin = random.randrange(size)
    return {"axis": axis, "begin": begin, "end": random.randint(begin + 1, size)}


@rule("pad", weight=0.5)
def pad(random, shape):
    rank = rank_of(shape)
    return {"padding": some(random, rank, 0, 2)} if rank >= 1 else None


@rule("crop", weight=0.5)
def crop(random, shape):
    rank = rank_of(shape)
    if rank < 1 or min(shape[1:]) < 3:
        return None
    return {"margin": some(random, rank, 0, 1)}


@rule("upsample", weight=0.5)
def upsample(random, shape):
    rank = rank_of(shape)
    return {"scale": some(random, rank, 1, 2)} | maybe(random, 0.5, mode="bilinear") if rank == 2 else None


@rule("pixel_shuffle", weight=2.0)
def pixel_shuffle(_random, shape):
    return {"factor": 2} if rank_of(shape) == 2 and shape[0] % 4 == 0 else None


@rule("attention", weight=1.5)
def attention(random, shape):
    if len(shape) != 2 or shape[0] % 3:
        return None
    return {"heads": random.choice(divisors(shape[0] // 3))} | maybe(random, 0.5, causal=True)


@rule("add", "subtract", "multiply", "concat", "embedding", weight=0.0)
def joins(_random, _shape):
    return None  # made by generate.py itself
