#!/usr/bin/env python3
"""Trains a network file's PyTorch module on Fashion-MNIST: the other side of the accuracies in README.md.

    VENV/bin/python tests/golden/accuracy_in_torch.py models/fashion_cnn.yaml [--seed S] [--threads N]

Network, optimizer, schedule, batch and epochs are the file's (torch_network.py, torch_optimizers.py); initial values are
PyTorch's, the order of the samples is another one each epoch, and the last part of a batch is trained on too. It prints
the test accuracy after each epoch and, as `sylvite train` does, that of the best epoch in the last line.
"""
import argparse
import gzip
import os
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "ops")]
import graph  # noqa: E402
import torch_losses  # noqa: E402
import yaml_subset  # noqa: E402
from torch_network import Network  # noqa: E402
from torch_optimizers import Training  # noqa: E402


def read_idx(name):
    """uint8 array of a gzipped IDX file of the data set."""
    folder = pathlib.Path(os.environ.get("SYLVITE_DATASETS", "/usr/share/datasets")) / "fashion-mnist"
    data = gzip.decompress((folder / f"{name}.gz").read_bytes())
    rank = data[3]
    shape = np.frombuffer(data, ">i4", rank, 4)
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape).copy())


def accuracy(net, images, labels):
    """Share of the labels that are the largest output."""
    net.eval()
    hits, last = 0, net.plan[-1].name
    with torch.no_grad():
        for x, y in zip(images.split(1000), labels.split(1000)):
            hits += int((net.run({"input": x.float()})[last].argmax(1) == y).sum())
    net.train()
    return hits / len(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    file = yaml_subset.load(options.network)
    images, test = (read_idx(f"{part}-images-idx3-ubyte")[..., None] for part in ("train", "t10k"))
    labels, test_labels = (read_idx(f"{part}-labels-idx1-ubyte") for part in ("train", "t10k"))
    batch, epochs = file["training"]["batch"], file["training"]["epochs"]
    file["training"]["steps_per_epoch"] = -(-len(images) // batch)
    net = Network(file)
    training, losses, best = Training(net, file), graph.losses(file), 0.0
    net.train()
    for epoch in range(1, epochs + 1):
        sum_ = 0.0
        for rows in torch.randperm(len(images)).split(batch):
            net.zero_grad()
            loss, _ = torch_losses.total(losses, net.plan[-1].name, net.run({"input": images[rows].float()}),
                                         {"target": labels[rows]})
            loss.backward()
            training.step()
            sum_ += float(loss.detach()) * len(rows)
        now = accuracy(net, test, test_labels)
        best = max(best, now)
        print(f"epoch {epoch}/{epochs}  train loss {sum_ / len(images):.4f}  test accuracy {100 * now:.2f}%", flush=True)
    print(f"test accuracy {100 * best:.2f}%")


if __name__ == "__main__":
    main()
