#!/usr/bin/env python3
"""Writes the golden files: what PyTorch computes for every case of tests/ops and for the three shipped networks.

    python3 -m venv VENV && VENV/bin/pip install -r tests/golden/requirements.txt
    VENV/bin/python tests/golden/make_golden.py [CASE-OR-OP...]

It is not part of the suite, and no test imports torch: the files are checked in. For each case it builds the network in
float32 and again in float64 with the same initial values, makes 10 steps on one batch, and writes to data/<op>/<case>/

    X.npy, Y.npy          the batch, images as N,H,W,C                       (not for the shipped networks: formula.py)
    state.safetensors     parameters and buffers before the first step       (not for the shipped networks: formula.py)
    expected.safetensors  after float32: `output`, `grad.*`, parameters, buffers and slots of the first step, `loss` of
                          all 10, `predict` in evaluation mode before the first step

A tensor of more than 1024 elements is stored as 256 samples at formula.sample_positions(). The metadata field `tensors`
gives each tensor's shape, the largest difference between float32 and float64, its sum and its sum of squares. Running
it again writes the same bytes.
"""
import collections
import json
import pathlib
import shutil
import sys

import numpy as np
import safetensors.torch
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ops"))
import cases  # noqa: E402
import formula  # noqa: E402
import tensors  # noqa: E402

STEPS = 10


def pair(value):
    return tuple(value) if isinstance(value, list) else (value, value)


class PaddedConv2d(nn.Conv2d):
    """conv2d with `padding: same` at any stride: ceil(size / stride) outputs, the odd pixel of padding at the end."""

    def forward(self, x):
        amounts = []
        for size, kernel, stride in reversed(list(zip(x.shape[2:], self.kernel_size, self.stride))):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            amounts += [total // 2, total - total // 2]
        return super().forward(nn.functional.pad(x, amounts))


def make_layer(kind, attributes, shape):
    """The torch module of one layer whose input has `shape` (C,H,W or C)."""
    if kind == "conv2d":
        padding = attributes.get("padding", 0)
        form = PaddedConv2d if padding == "same" else nn.Conv2d
        return form(shape[0], attributes["filters"], pair(attributes["kernel"]), pair(attributes.get("stride", 1)),
                    0 if padding in ("same", "valid") else pair(padding), bias=attributes.get("bias", True))
    if kind == "linear":
        return nn.Linear(shape[0], attributes["units"], bias=attributes.get("bias", True))
    if kind == "batch_norm":
        form = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
        return form(shape[0], eps=attributes.get("eps", 1e-5), momentum=attributes.get("momentum", 0.1),
                    affine=attributes.get("affine", True))
    if kind == "relu":
        return nn.ReLU()
    if kind == "max_pool2d":
        window = pair(attributes["window"])
        return nn.MaxPool2d(window, pair(attributes.get("stride", list(window))), pair(attributes.get("padding", 0)))
    if kind == "flatten":
        return nn.Flatten()
    raise ValueError(f"no layer '{kind}'")


def channels_first(x):
    """N,H,W,C to N,C,H,W; N,W,C to N,C,W; N,C as it is."""
    return x if x.dim() == 2 else x.movedim(-1, 1)


def preprocess(case, x):
    """The network's preprocessing of x (channels last), in x's type."""
    for step in case.network.get("preprocess", []):
        attributes = step["normalize"]
        mean = torch.tensor(attributes.get("mean", [0.0]), dtype=x.dtype)
        std = torch.tensor(attributes.get("std", [1.0]), dtype=x.dtype)
        x = (x / attributes.get("divide", 1) - mean) / std
    return x


def build(case):
    """The network as nn.Sequential whose keys are Sylvite's parameter names."""
    layers, x = collections.OrderedDict(), channels_first(torch.zeros(2, *case.input_shape))
    for name, kind, attributes in cases.named_layers(case.network):
        layers[name] = make_layer(kind, attributes, list(x.shape[1:]))
        x = layers[name](x)
    return nn.Sequential(layers)


def make_optimizer(case, net):
    (kind, attributes), = case.network["optimizer"].items()
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in attributes.items() if k != "learning_rate"}
    form = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[kind]
    return form(net.parameters(), lr=attributes["learning_rate"], **options)


def slots(net, optimizer):
    """Optimizer slots as {optimizer.<slot>.<parameter>: tensor}."""
    result = {}
    for name, parameter in net.named_parameters():
        for slot, value in optimizer.state.get(parameter, {}).items():
            if slot != "step" and value is not None:
                result[f"optimizer.{slot}.{name}"] = value
    return result


def make_input(case):
    """One batch (channels last) of the case's data kind."""
    shape = (case.n, *case.input_shape)
    kinds = {
        "normal": lambda: torch.randn(shape),
        "negative": lambda: -torch.randn(shape).abs() - 1,
        "integers": lambda: torch.randint(-8, 9, shape).float(),
        "ties": lambda: torch.randint(-1, 2, shape).float(),
        "zeros": lambda: torch.zeros(shape),
        "offset": lambda: torch.randn(shape) * 0.1 + 100,
        "large": lambda: torch.randn(shape) * 1000,
        "uint8": lambda: torch.randint(0, 256, shape, dtype=torch.uint8),
    }
    return kinds[case.data]()


def run(case, state, x, y, dtype):
    """{name: tensor} of 10 steps in `dtype`, from `state`."""
    net = build(case).to(dtype)
    net.load_state_dict({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()})
    expected = {}
    if case.predict:
        with torch.no_grad():
            logits = net.eval()(channels_first(preprocess(case, x.to(dtype))))
            expected["predict"] = logits.softmax(1) if case.network["output"] == "softmax" else logits
    net.train()
    optimizer, losses = make_optimizer(case, net), []
    for step in range(STEPS):
        leaf = x.to(dtype, copy=True).requires_grad_(x.is_floating_point())
        optimizer.zero_grad()
        output = net(channels_first(preprocess(case, leaf)))
        loss = nn.functional.cross_entropy(output, y.long())
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            expected["output"] = output.detach()
            if leaf.grad is not None:
                expected["grad.input"] = leaf.grad
            expected |= {f"grad.{k}": p.grad.clone() for k, p in net.named_parameters()}
            optimizer.step()
            expected |= {k: v.clone() for k, v in (net.state_dict() | slots(net, optimizer)).items()}
        else:
            optimizer.step()
    return expected | {"loss": torch.stack(losses)}


def describe(name, single, double):
    """What is stored of a tensor: (values, facts)."""
    flat, wide = single.reshape(-1).contiguous(), double.reshape(-1).double().numpy()
    facts = {"shape": list(single.shape), "difference": float(np.max(np.abs(flat.double().numpy() - wide), initial=0)),
             "sum": float(wide.sum()), "squares": float((wide * wide).sum())}
    if flat.numel() > tensors.STORED_WHOLE:
        facts["largest"] = tensors.largest(flat.numpy())
        return flat[torch.from_numpy(formula.sample_positions(name, flat.numel()))], facts
    return single.contiguous(), facts


def check_stable(case, single, double):
    """Refuses data at a kink, where float32 and float64 take different sides."""
    scale = max(float(v.abs().max()) for k, v in double.items() if k.startswith("grad."))
    for name, value in single.items():
        if name.startswith("grad."):
            difference = float((value.double() - double[name]).abs().max())
            if difference > 1e-4 * scale:
                raise SystemExit(f"{case.name}: {name} differs by {difference:.2e} of {scale:.2e} from float64: "
                                 "the data has near-ties, choose another seed")


def write_case(case):
    """Writes the folder of one case; returns its size in bytes."""
    folder = case.golden
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(formula.hashes(case.name, 1)[0] >> np.uint64(33))
    net = build(case)
    if case.op == "models":
        shapes = {k: list(v.shape) for k, v in net.state_dict().items()}
        state = {k: torch.from_numpy(v) for k, v in formula.state(shapes).items()}
        x = torch.from_numpy(formula.images(case.name + ".X", (case.n, *case.input_shape)))
        y = torch.from_numpy(formula.labels(case.name + ".Y", case.n, case.classes))
    else:
        state = {k: v.clone() for k, v in net.state_dict().items()}
        for name, value in state.items():  # away from 0 and 1, so that every factor shows
            if name.startswith("batch_norm") and value.is_floating_point():
                value += torch.rand_like(value) - 0.4
        x, y = make_input(case), torch.randint(0, case.classes, (case.n,), dtype=getattr(torch, case.target))
        np.save(folder / "X.npy", x.numpy())
        np.save(folder / "Y.npy", y.numpy())
        safetensors.torch.save_file(state, folder / "state.safetensors")
        (folder / "state.safetensors").chmod(0o644)
    single, double = run(case, state, x, y, torch.float32), run(case, state, x, y, torch.float64)
    check_stable(case, single, double)
    values, facts = {}, {}
    for name in sorted(single):
        values[name], facts[name] = describe(name, single[name], double[name])
    metadata = {"tensors": json.dumps(facts), "torch": torch.__version__.split("+")[0]}
    if case.op == "models":
        metadata["state"] = json.dumps(shapes)
    tensors.write(folder / "expected.safetensors", {k: v.numpy() for k, v in values.items()}, metadata)
    return sum(file.stat().st_size for file in folder.iterdir())


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    chosen, total = set(sys.argv[1:]), 0
    for case in cases.load_all():
        if not chosen or chosen & {case.name, case.op}:
            total += write_case(case)
    print(f"{total / 2**20:.2f} MiB of golden files")


if __name__ == "__main__":
    main()
