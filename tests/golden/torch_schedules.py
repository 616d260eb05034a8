"""Learning-rate schedules of `training`, as torch.optim.lr_scheduler has them; a warm-up stands before any."""
import torch
from torch.optim import lr_scheduler


def _cosine(optimizer, s, total):
    if "restarts" in s:
        restarts = s["restarts"] if isinstance(s["restarts"], dict) else {"first": s["restarts"]}
        return lr_scheduler.CosineAnnealingWarmRestarts(optimizer, restarts["first"], restarts.get("factor", 1),
                                                        eta_min=s.get("min", 0.0))
    return lr_scheduler.CosineAnnealingLR(optimizer, total, eta_min=s.get("min", 0.0))


def _one_cycle(optimizer, s, total):
    keys = {key: s[key] for key in ("pct_start", "div_factor", "final_div_factor") if key in s}
    return lr_scheduler.OneCycleLR(optimizer, s["max"], total_steps=total, cycle_momentum=False, **keys)


def _polynomial(optimizer, s, total):
    """PolynomialLR; where it ends at another rate than 0, only what is above that falls."""
    if "end" not in s:
        return lr_scheduler.PolynomialLR(optimizer, total, s.get("power", 1.0))
    end = s["end"] / optimizer.param_groups[0]["lr"]
    return lr_scheduler.LambdaLR(optimizer,
                                 lambda t: end + (1 - end) * (1 - min(t, total) / total) ** s.get("power", 1.0))


# kind: function(optimizer, settings, total length in the schedule's unit)
SCHEDULES = {
    "constant": lambda optimizer, s, total: lr_scheduler.LambdaLR(optimizer, lambda _: 1.0),
    "reduce_on_plateau": lambda optimizer, s, total: lr_scheduler.LambdaLR(optimizer, lambda _: 1.0),  # in the loop
    "step": lambda optimizer, s, total: lr_scheduler.StepLR(optimizer, s["size"], s.get("gamma", 0.1)),
    "multistep": lambda optimizer, s, total: lr_scheduler.MultiStepLR(optimizer, s["milestones"], s.get("gamma", 0.1)),
    "exponential": lambda optimizer, s, total: lr_scheduler.ExponentialLR(optimizer, s["gamma"]),
    "polynomial": _polynomial,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
}


class Schedule:
    """Sets the rates of `optimizer`'s groups for the update of each number, from 0; `rate` is the unscaled rate."""

    def __init__(self, optimizer, rate, policy):
        self.optimizer, self.rate = optimizer, rate
        self.rates = [group["lr"] for group in optimizer.param_groups]
        entry = policy.get("schedule", "constant")
        (kind, settings), = ({entry: {}} if isinstance(entry, str) else entry).items()
        settings = settings or {}
        self.per_epoch = policy.get("steps_per_epoch", 1)
        self.unit = 1 if settings.get("per", "epoch") == "step" else self.per_epoch
        warmup = policy.get("warmup") or {}
        self.warmup = warmup.get("steps", warmup.get("epochs", 0) * self.per_epoch)
        self.start = warmup.get("start_factor", 1 / 3)  # as in LinearLR
        updates = policy.get("epochs", 1) * self.per_epoch - self.warmup
        total = settings.get("total", max(-(-updates // self.unit), 1))
        dummy = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
        self.dummy, self.scheduler = dummy, SCHEDULES[kind](dummy, settings, total)
        self.at = 0
        self.set(0)

    def set(self, update):
        """The rates for this update; updates come in order."""
        if update < self.warmup:
            factor = self.start + (1 - self.start) * update / self.warmup
        else:
            while self.at < (update - self.warmup) // self.unit:
                self.dummy.step()
                self.scheduler.step()
                self.at += 1
            factor = self.dummy.param_groups[0]["lr"] / self.rate
        for group, rate in zip(self.optimizer.param_groups, self.rates):
            group["lr"] = rate * factor
