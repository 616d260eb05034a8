#!/usr/bin/env python3
"""Writes the golden files: what PyTorch computes for every case of tests/ops and for the three shipped networks.

    python3 -m venv VENV && VENV/bin/pip install -r tests/golden/requirements.txt
    VENV/bin/python tests/golden/make_golden.py [CASE-OR-OP...]

It is not part of the suite, and no test imports torch: the files are checked in. It needs the table of layers that a
build writes (tests/ops/graph.py). For each case it builds the network (torch_network.py) in float32 and again in float64
with the same initial values, makes 10 steps on one batch, and writes to data/<op>/<case>/

    X.npy, Y.npy          the batch, images as N,H,W,C                       (not for the shipped networks: formula.py)
    state.safetensors     parameters and buffers before the first step       (not for the shipped networks: formula.py)
    expected.safetensors  after float32: `output`, `grad.*`, parameters, buffers and slots of the case's step (the
                          first, unless it says otherwise), `loss` of all 10 (or that many), `predict` in evaluation
                          mode before the first step

    all.safetensors       of optimizers, policies and losses: parameters, buffers and slots after all steps, and `loss`
                          of all, in float64

Several inputs and targets are X_<name>.npy and Y_<name>.npy; several losses have `output.<value>`, `predict.<value>`.

A tensor of more than 1024 elements is stored as 256 samples at formula.sample_positions(). The metadata field `tensors`
gives each tensor's shape, the largest difference between float32 and float64, its sum and its sum of squares. Running
it again writes the same bytes.
"""
import json
import pathlib
import shutil
import sys

import numpy as np
import safetensors.torch
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "ops")]
import cases  # noqa: E402
import formula  # noqa: E402
import golden  # noqa: E402
import graph  # noqa: E402
import tensors  # noqa: E402
import torch_losses  # noqa: E402
from torch_network import Network  # noqa: E402
from torch_optimizers import Training  # noqa: E402
from torch_values import channels_last  # noqa: E402


def make_input(case, name):
    """One batch (channels last) of the data kind of this input."""
    (kind, limit), facts = case.data_of(name), case.inputs[name]
    shape = (case.n, *facts["shape"])
    kinds = {
        "normal": lambda: torch.randn(shape),
        "negative": lambda: -torch.randn(shape).abs() - 1,
        "integers": lambda: torch.randint(-8, 9, shape).float(),
        "ties": lambda: torch.randint(-1, 2, shape).float(),
        "zeros": lambda: torch.zeros(shape),
        "offset": lambda: torch.randn(shape) * 0.1 + 100,
        "large": lambda: torch.randn(shape) * 1000,
        "uint8": lambda: torch.randint(0, 256, shape, dtype=torch.uint8),
        "indices": lambda: torch.randint(0, limit, shape, dtype=torch.int32),
    }
    return kinds[kind]()


def named(what, names, values):
    """{what: value} of one value, {what.name: value} of several."""
    return {what: values[0]} if len(values) == 1 else {f"{what}.{n}": v for n, v in zip(names, values)}


def run(case, state, inputs, targets, dtype, at=None):
    """{name: tensor} of the case's steps in `dtype`, from `state`; what a step leaves is that of step `at`, by default
    the case's."""
    net = Network(case.network).to(dtype)
    net.load_state_dict({k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()})
    losses, last = graph.losses(case.network), net.plan[-1].name
    names = [source or last for _, _, source, _, _ in losses]
    inputs = {name: x if x.dtype == torch.int32 else x.to(dtype) for name, x in inputs.items()}
    expected = {}
    if case.predict and not at:
        with torch.no_grad():
            values = net.eval().run(inputs)
        expected |= named("predict", names, torch_losses.predictions(case.network, losses, last, values))
    net.train()
    training, history = Training(net, case.network), []
    for step in range(1, case.losses + 1):
        leaves = {name: x.detach().clone() for name, x in inputs.items()}
        for name, leaf in leaves.items():
            leaf.requires_grad_(case.inputs[name]["dtype"] == "float32")
        net.zero_grad()
        loss, outputs = torch_losses.total(losses, last, net.run(leaves), targets)
        loss.backward()
        history.append(loss.detach())
        if step == (at or case.steps):
            expected |= named("output", names, [channels_last(value).detach() for value in outputs])
            grads = {name: leaf.grad for name, leaf in leaves.items() if leaf.requires_grad}
            expected |= {f"grad.{name}": grad for name, grad in grads.items() if grad is not None}
            expected |= {f"grad.{k}": p.grad.clone() for k, p in net.named_parameters() if p.requires_grad}
        training.step()
        if step == (at or case.steps):
            expected |= {k: v.clone() for k, v in (net.state_dict() | training.slots()).items()}
    return expected | {"loss": torch.stack(history)}


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
    net = Network(case.network)
    if case.by_formula:
        shapes = {k: list(v.shape) for k, v in net.state_dict().items()}
        metadata = {"state": json.dumps(shapes)}
        facts = {"state": metadata["state"], "tensors": json.dumps({"output": {
            "shape": [case.n, net.shapes[net.plan[-1].name][0]]}})}
        state, inputs, targets = by_formula(case, facts)
    else:
        metadata = {}
        state, norms = {k: v.clone() for k, v in net.state_dict().items()}, net.normalization()
        for name, value in state.items():  # away from 0 and 1, so that every factor shows
            if name.rpartition(".")[0] in norms and value.is_floating_point():
                value += torch.rand_like(value) - 0.4
        inputs = {name: make_input(case, name) for name in case.inputs}
        targets = torch_losses.make_targets(graph.losses(case.network), net.plan[-1].name, net.shapes, case.n,
                                            case.target)
        for which, values in (("X", inputs), ("Y", targets)):
            for name, path in case.files(folder, which).items():
                np.save(path, values[name].numpy())
        safetensors.torch.save_file(state, folder / "state.safetensors")
        (folder / "state.safetensors").chmod(0o644)
    single, double = (run(case, state, inputs, targets, dtype) for dtype in (torch.float32, torch.float64))
    check_stable(case, single, double)
    write_expected(folder, single, double, metadata)
    if case.long_run:
        write_all(case, state, inputs, targets)
    return sum(file.stat().st_size for file in folder.iterdir())


def by_formula(case, metadata):
    """(state, {input: tensor}, {target: tensor}) as golden.formula_data() makes them."""
    inputs, targets, state = ({k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in arrays.items()}
                              for arrays in golden.formula_data(case, metadata))
    return state, inputs, targets


def write_expected(folder, single, double, metadata):
    """Writes expected.safetensors of the results in both precisions."""
    values, facts = {}, {}
    for name in sorted(single):
        values[name], facts[name] = describe(name, single[name], double[name])
    metadata = {"tensors": json.dumps(facts), "torch": torch.__version__.split("+")[0]} | metadata
    tensors.write(folder / "expected.safetensors", {k: v.numpy() for k, v in values.items()}, metadata)


def write_all(case, state, inputs, targets):
    """Writes all.safetensors: float64, with the largest difference of float32 as metadata."""
    single, double = (run(case, state, inputs, targets, dtype, case.losses) for dtype in (torch.float32, torch.float64))
    kept = [k for k in double if k != "output" and not k.startswith(("output.", "grad."))]
    difference = {k: float((single[k].double() - double[k].double()).abs().max()) if double[k].numel() else 0.0
                  for k in kept}
    tensors.write(case.golden / "all.safetensors", {k: double[k].double().numpy() for k in kept},
                  {"difference": json.dumps(difference), "torch": torch.__version__.split("+")[0]})


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
