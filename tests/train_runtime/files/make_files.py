#!/usr/bin/env python3
"""Writes the files of this folder: arrays and images as NumPy, safetensors and Pillow write them, and, beside each
image, the pixels that Pillow reads from it (NAME.rgb.npy, NAME.gray.npy) and resizes it to (NAME.resized.npy).

    python3 -m venv V && V/bin/pip install numpy==2.2.6 pillow==11.3.0 safetensors==0.6.2 && V/bin/python make_files.py

The tests read them; running it again writes the same bytes but for the times in .npz files.
"""
import pathlib

import numpy as np
import safetensors.numpy
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent


def arrays():
    x = np.arange(24, dtype=np.float32).reshape(4, 3, 2) / 4
    y = np.array([2, 0, 1, 2], dtype=np.int64)
    np.savez(HERE / "stored.npz", X=x, Y=y)
    np.savez_compressed(HERE / "compressed.npz", x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    safetensors.numpy.save_file({"input": x.astype(np.float16), "target": y.astype(np.uint16)},
                                HERE / "pair.safetensors")
    for name, dtype in (("b1", "?"), ("i1", "i1"), ("u2", "<u2"), ("u2big", ">u2"), ("i2", "<i2"), ("u4", "<u4"),
                        ("u8", "<u8"), ("f2", "<f2"), ("f8big", ">f8")):
        values = np.array([[0, 1, 2], [100, 1, 0]]).astype(dtype)
        np.save(HERE / f"{name}.npy", values)
        np.save(HERE / f"{name}_fortran.npy", np.asfortranarray(values))


def picture(width, height):
    """A colorful image with smooth and sharp parts."""
    y, x = np.mgrid[0:height, 0:width]
    red, green, blue = x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), (x * 5 + y * 3) % 256
    return np.stack([red, green, blue], axis=2).astype(np.uint8)


def images():
    rgb = Image.fromarray(picture(21, 13))
    rgb.save(HERE / "rgb.png")
    rgb.convert("L").save(HERE / "gray.png")
    rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=16).save(HERE / "palette.png")
    alpha = rgb.copy()
    alpha.putalpha(rgb.convert("L"))
    alpha.save(HERE / "alpha.png")
    rgb.convert("1").save(HERE / "bits.png")
    rgb.save(HERE / "color.jpg", quality=85)
    rgb.save(HERE / "progressive.jpg", quality=90, progressive=True)
    rgb.convert("L").save(HERE / "gray.jpg", quality=85)
    for path in sorted(HERE.glob("*.png")) + sorted(HERE.glob("*.jpg")):
        image = Image.open(path)
        np.save(path.with_suffix(path.suffix + ".rgb.npy"), np.asarray(image.convert("RGB")))
        if path.suffix == ".png":
            np.save(path.with_suffix(path.suffix + ".gray.npy"), np.asarray(image.convert("L"))[:, :, None])
    for name, size in (("smaller", (8, 5)), ("larger", (40, 30))):
        resized = rgb.resize(size, Image.Resampling.BILINEAR)
        np.save(HERE / f"rgb.png.{name}.npy", np.asarray(resized))
    rgb.convert("CMYK").save(HERE / "cmyk.jpg")


if __name__ == "__main__":
    arrays()
    images()
