"""Networks of several inputs and losses through the command: step, train, evaluate, predict, weights, summary."""
import re
import shutil

import numpy as np

import formula
import tensors

NETWORK = """\
name: branches
inputs:
  image: {shape: [8, 8, 1]}
  meta: {shape: [7]}
network:
  - conv2d: {name: stem, from: image, filters: 16, kernel: 3, padding: same}
  - relu
  - flatten
  - linear: {name: a, units: 16}
  - linear: {name: b, from: meta, units: 16, trainable: false}
  - linear: {name: kind, from: a, units: 4}
  - linear: {name: colour, from: b, units: 3}
loss:
  - cross_entropy: {from: kind, target: kinds}
  - cross_entropy: {from: colour, weight: 0.5, target: colours}
metrics: [accuracy, top_2, per_class]
optimizer: {sgd: {learning_rate: 0.05, momentum: 0.9}}
training: {batch: 16, epochs: 6, seed: 1}
"""
ARRAYS = ("image", "meta", "kinds", "colours")


def write_data(folder):
    """96 training and 32 test samples whose classes can be learned, and the first 16 as step's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, rows in (("", 96), ("_test", 32)):
        kinds, colours = formula.labels(f"kinds{suffix}", rows, 4), formula.labels(f"colours{suffix}", rows, 3)
        image = formula.images(f"image{suffix}", (rows, 8, 8, 1)).astype(np.float32) / 255
        meta = formula.images(f"meta{suffix}", (rows, 7)).astype(np.float32) / 255
        image[np.arange(rows), kinds, 0, 0] += 3
        meta[np.arange(rows), colours] += 3
        for name, array in zip(ARRAYS, (image, meta, kinds, colours)):
            np.save(folder / f"{name}{suffix}.npy", array)
            if not suffix:
                np.save(folder / f"{name}_16.npy", array[:16])


def mean_loss(logits, labels):
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels])


def check_step(sylvite, net, data, folder):
    options = [word for name in ARRAYS for word in ("--input" if name in ARRAYS[:2] else "--target",
                                                    f"{name}={data / f'{name}_16.npy'}")]
    sylvite.run("step", net, *reversed_pairs(options), "--dump", folder / "dump.safetensors")
    dump = tensors.read(folder / "dump.safetensors")[0]
    expected = mean_loss(dump["output.kind"], np.load(data / "kinds_16.npy")) \
        + 0.5 * mean_loss(dump["output.colour"], np.load(data / "colours_16.npy"))
    failures = []
    if abs(dump["loss"][0] - expected) > 1e-5:
        failures.append(f"step: the loss is {dump['loss'][0]}, expected {expected}: the weighted sum of both")
    if dump["grad.image"].shape != (16, 8, 8, 1) or dump["grad.meta"].shape != (16, 7):
        failures.append("step: the inputs' gradients have other shapes than the inputs")
    return failures


def reversed_pairs(options):
    """The same options, the last first: their order does not matter."""
    return [word for i in range(len(options) - 2, -1, -2) for word in options[i:i + 2]]


def check_train(sylvite, net, data, folder):
    run, failures = folder / "run", []
    shutil.rmtree(run, ignore_errors=True)
    printed = sylvite.run("train", net, "--data", data, "--out", run).stdout
    best = run / "best.safetensors"
    evaluated = sylvite.run("evaluate", net, "--data", data, "--checkpoint", best).stdout
    sylvite.run("predict", net, "--data", data, "--checkpoint", best, "--out", folder / "p.npy")
    for output, target in (("kind", "kinds"), ("colour", "colours")):
        rows, labels = np.load(folder / f"p_{output}.npy"), np.load(data / f"{target}_test.npy")
        accuracy = f"test {output} accuracy {100 * np.mean(rows.argmax(axis=1) == labels):.2f}%"
        if accuracy not in evaluated:
            failures.append(f"evaluate: expected '{accuracy}', as predict has it:\n{evaluated}")
        second = np.sort(rows, axis=1)[:, -2]
        top = f"test {output} top-2 accuracy {100 * np.mean(rows[np.arange(len(rows)), labels] >= second):.2f}%"
        if top not in evaluated:
            failures.append(f"evaluate: expected '{top}':\n{evaluated}")
    last = printed.strip().splitlines()[-1]
    if not re.fullmatch(r"test kind accuracy \d+\.\d\d%", last) or last not in evaluated:
        failures.append(f"train: the last line is '{last}', expected the best epoch's accuracy of the first loss")
    if "class    samples   accuracy" not in evaluated:
        failures.append(f"evaluate: printed no table of the classes:\n{evaluated}")
    return failures


def check_weights(sylvite, net, data, folder):
    """A network with other names takes what a prefix maps, from a file that its network file names."""
    renamed = folder / "renamed.yaml"
    renamed.write_text(NETWORK.replace("name: stem", "name: trunk").replace("units: 4", "units: 5")
                       .replace("name: kind,", "name: sort,").replace("from: kind,", "from: sort,")
                       + "weights: {file: run/best.safetensors, prefix: {stem.: trunk.}}\n", encoding="utf-8")
    printed = sylvite.run("train", renamed, "--data", data, "--out", folder / "renamed", "--epochs", 1).stdout
    expected = ["took 8 of 10 tensors", "starts anew: sort.weight F32 [5, 16]", "left over: kind.weight F32 [4, 16]"]
    return [f"train: expected '{line}':\n{printed}" for line in expected if line not in printed]


def check_policies(sylvite, data, folder):
    """Early stopping and a rate that follows the loss, as the network file asks for them."""
    net = folder / "policies.yaml"
    net.write_text(NETWORK.replace("training: {", "training: {early_stopping: {patience: 2, min_delta: 100, monitor: loss}, "
                                   "schedule: {reduce_on_plateau: {patience: 0, factor: 0.5, threshold: 0.9}}, "),
                   encoding="utf-8")
    shutil.rmtree(folder / "policies", ignore_errors=True)
    printed = sylvite.run("train", net, "--data", data, "--out", folder / "policies").stdout
    expected = ["stopped after epoch 3 of 6: no better for 2 epochs", "learning rate 0.025\n", "learning rate 0.0125\n"]
    return [f"train: expected '{line}':\n{printed}" for line in expected if line not in printed]


def check_summary(sylvite, net):
    printed = sylvite.run("summary", net).stdout
    rows = {line.split()[0]: line.split() for line in printed.splitlines() if line.strip()}
    expected = {"stem": ["conv2d", "8x8x16", "160", "9,216"], "a": ["linear", "16", "16,400", "16,384"],
                "b": ["linear", "16", "128", "112"], "total": ["16,807", "25,824"], "trained": ["16,679"]}
    failures = [f"summary: {name}: found {rows.get(name)}, expected {words}" for name, words in expected.items()
                if rows.get(name, [])[1:1 + len(words)] != words]
    if rows["b"][-1] != "frozen" or int(rows["stem"][5].replace(",", "")) < 16 * 8 * 8 * 16 * 4:
        failures.append(f"summary: the marks or the saved bytes are wrong:\n{printed}")
    return failures


def check(sylvite, folder):
    net, data = folder / "branches.yaml", folder / "data"
    net.write_text(NETWORK, encoding="utf-8")
    write_data(data)
    return check_step(sylvite, net, data, folder) + check_train(sylvite, net, data, folder) \
        + check_weights(sylvite, net, data, folder) + check_policies(sylvite, data, folder) + check_summary(sylvite, net)
