"""A network file as a torch module: the graph of tests/ops/graph.py, executed over named values.

Values are channels-first inside ([N,C], [N,C,W], [N,C,H,W], [N,C,T,H,W]), and channels-last outside: inputs, outputs and
predictions. Parameters are called exactly as Sylvite calls them. What a layer is stands in torch_layers.py,
torch_windows.py and torch_shapes.py, what a preprocessing step is in torch_preprocess.py.
"""
import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ops"))
import graph  # noqa: E402
import torch_layers  # noqa: E402, F401
import torch_preprocess  # noqa: E402
import torch_random  # noqa: E402
import torch_shapes  # noqa: E402, F401
import torch_windows  # noqa: E402, F401
from torch_values import LAYERS, channels_first, channels_last  # noqa: E402

DTYPES = {"float32": torch.float32, "uint8": torch.uint8, "int32": torch.int32}


class Network(nn.Module):
    """The network of a file given as dicts and lists; `run` maps {input: tensor} to {value: tensor}."""

    def __init__(self, network):
        super().__init__()
        self.network, (self.plan, self.uses) = network, graph.expand(network)
        values, self.steps = {}, 0
        torch_random.begin(0, False)
        for name, facts in graph.inputs(network).items():
            x = torch.zeros(2, *facts["shape"], dtype=DTYPES[facts.get("dtype", "float32")])
            x = x.float() if x.dtype == torch.uint8 else x
            values[name] = self._prepare(name, x)
        for layer in self.plan:
            taken = [values[name] for name in layer.inputs]
            module = self._find(layer.weights)
            if module is None:
                if layer.kind not in LAYERS:
                    raise ValueError(f"no layer '{layer.kind}'")
                module = LAYERS[layer.kind](layer.attributes, [list(x.shape[1:]) for x in taken])
                self._add(layer.weights, module)
            for parameter in module.parameters():
                parameter.requires_grad_(parameter.requires_grad and layer.trainable)
            values[layer.name] = module(*taken)
        values |= {use: values[name] for use, name in self.uses.items()}
        self.shapes = {name: list(value.shape[1:]) for name, value in values.items()}

    def _find(self, path):
        module = self
        for part in path.split("."):
            if part not in module._modules:
                return None
            module = module._modules[part]
        return module

    def _add(self, path, module):
        at, (*blocks, last) = self, path.split(".")
        for part in blocks:
            if part not in at._modules:
                at.add_module(part, nn.Module())
            at = at._modules[part]
        at.add_module(last, module)

    def _prepare(self, name, x):
        """The input as the first layer sees it; whole numbers that no preprocessing has made floats stay whole."""
        facts = graph.inputs(self.network)[name]
        if facts.get("layout") == "chw":
            x = channels_last(x)
        return channels_first(torch_preprocess.apply(graph.preprocessing(self.network, name), x))

    def run(self, inputs):
        """{name: value, channels-first} of every input, layer and use of a block, for {input: tensor of the file's shape}."""
        self.steps += self.training
        torch_random.begin(self.steps, self.training)
        values = {name: self._prepare(name, x) for name, x in inputs.items()}
        for layer in self.plan:
            values[layer.name] = self._find(layer.weights)(*(values[name] for name in layer.inputs))
        return values | {use: values[name] for use, name in self.uses.items()}

    def multipliers(self):
        """{parameter: (of the learning rate, of the weight decay)}."""
        result = {}
        for layer in self.plan:
            for name, _ in self._find(layer.weights).named_parameters():
                result.setdefault(f"{layer.weights}.{name}", (layer.rate, layer.decay))
        return result

    def normalization(self):
        """Names under which the parameters of normalization layers stand."""
        return {layer.weights for layer in self.plan if layer.kind.endswith("_norm")}
