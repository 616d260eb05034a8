"""Optimizers, gradient clipping, accumulation and averages of parameters, as torch has them."""
import torch
from torch import nn

from torch_schedules import Schedule

OPTIMIZERS = {
    "sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
}
# The network file's defaults, where torch's class has another or none.
LEARNING_RATE = {"rmsprop": 1e-2, "adagrad": 1e-2, "lion": 1e-4}


class Lion(torch.optim.Optimizer):
    """Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023, algorithm 2."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                moment = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                update = (beta1 * moment + (1 - beta1) * p.grad).sign()
                p.mul_(1 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * update)
                moment.mul_(beta2).add_(p.grad, alpha=1 - beta2)


OPTIMIZERS["lion"] = Lion


def parts(entry):
    """(kind, settings) of `kind` or {kind: settings}."""
    if isinstance(entry, str):
        return entry, {}
    (kind, settings), = entry.items()
    return kind, settings or {}


def groups(net, rate, decay, exempt):
    """Parameter groups: one for each pair of multipliers (a single one without); none for what is frozen."""
    multipliers, result = net.multipliers(), {}
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            of_rate, of_decay = multipliers[name]
            key = rate * of_rate, 0.0 if exempt and parameter.dim() <= 1 else decay * of_decay
            result.setdefault(key, []).append(parameter)
    return [{"params": parameters, "lr": lr, "weight_decay": weight_decay}
            for (lr, weight_decay), parameters in result.items()]


class Training:
    """One optimizer with its schedule and policies; step() takes the gradients of one micro-batch.

    `clip_value`, `clip_norm`: of the gradients as they are then; `accumulate: k`: the mean of k micro-batches;
    `ema`: averages of the parameters, which evaluation uses.
    """

    def __init__(self, net, network):
        kind, settings = parts(network["optimizer"])
        settings = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
        rate = settings.pop("learning_rate", LEARNING_RATE.get(kind, 1e-3))
        decay = settings.pop("weight_decay", 1e-2 if kind == "adamw" else 0.0)
        exempt = settings.pop("decay_exempt", False)
        self.net, self.policy = net, network.get("training", {})
        self.optimizer = OPTIMIZERS[kind](groups(net, rate, decay, exempt), lr=rate, **settings)
        self.schedule = Schedule(self.optimizer, rate, self.policy) if {"schedule", "warmup"} & set(self.policy) else None
        self.count, self.sums, self.averages = 0, {}, {}

    def step(self):
        """Takes net's gradients, which the caller keeps for itself before; may change them."""
        k = self.policy.get("accumulate", 1)
        named = [(n, p) for n, p in self.net.named_parameters() if p.grad is not None]
        self.count += 1
        if k > 1:
            if self.count % k == 1:
                self.sums = {}
            for name, p in named:
                self.sums[name] = self.sums.get(name, 0) + p.grad / k
            if self.count % k:
                return
            for name, p in named:
                p.grad = self.sums[name].clone()
        parameters = [p for _, p in named]
        if "clip_value" in self.policy:
            nn.utils.clip_grad_value_(parameters, self.policy["clip_value"])
        if "clip_norm" in self.policy:
            nn.utils.clip_grad_norm_(parameters, self.policy["clip_norm"])
        self.optimizer.step()
        if self.schedule:
            self.schedule.set(self.count // k)
        if "ema" in self.policy:
            decay = self.policy["ema"]
            for name, p in self.net.named_parameters():
                if not p.requires_grad:
                    continue  # is its own average
                value = p.detach()
                old = self.averages.get(name)
                self.averages[name] = value.clone() if old is None else old.lerp(value, 1 - decay)

    def slots(self):
        """Optimizer slots as {optimizer.<slot>.<parameter>: tensor}, averages as {ema.<parameter>: tensor}.

        `optimizer.accumulated` is the mean of an update's micro-batches so far.
        """
        result = {}
        for name, parameter in self.net.named_parameters():
            for slot, value in self.optimizer.state.get(parameter, {}).items():
                if slot != "step" and value is not None:
                    result[f"optimizer.{slot}.{name}"] = value
        result |= {f"optimizer.accumulated.{name}": value for name, value in self.sums.items()}
        return result | {f"ema.{name}": value for name, value in self.averages.items()}
