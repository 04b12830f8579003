"""Published sets: the real readers of torchvision, over tiny files of the same formats that the test writes."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from gan_core.data import DATASETS, DataError, DataMissing, celeba, places, published
from gan_core.engine.exchange.chores import Chores

CLASSES = {"emnist_letters": 26}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "_store", tmp_path)
    monkeypatch.setenv("GANSCOPE_DATA", str(tmp_path / "data"))
    published._load.cache_clear()
    celeba._celeba.cache_clear()
    return tmp_path / "data"


@pytest.fixture
def any_md5(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny files do not have the published checksums."""
    monkeypatch.setattr("torchvision.datasets.utils.check_md5", lambda *_, **__: True)


def images(n: int, shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def labels_of(name: str, n: int) -> np.ndarray:
    classes = CLASSES.get(name, 10)
    return (np.arange(n) % classes).astype(np.uint8)


def put(name: str, root: Path, packed: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Write the set's files; returns all images (N, C, H, W) and labels as they should be read."""
    n, m = 52, 26
    y = np.concatenate([labels_of(name, n), labels_of(name, m)])
    if name == "cifar10":
        x = np.concatenate([images(50, (3, 32, 32), 0), images(10, (3, 32, 32), 1)])
        y = np.arange(60) % 10
        for i in range(6):
            file = "test_batch" if i == 5 else f"data_batch_{i + 1}"
            part = slice(10 * i, 10 * i + 10)
            entry = {"data": x[part].reshape(10, -1), "labels": y[part].tolist()}
            write(root / "cifar-10-batches-py" / file, pickle.dumps(entry))
        meta = {"label_names": list(published.PUBLISHED[name].class_names)}
        write(root / "cifar-10-batches-py" / "batches.meta", pickle.dumps(meta))
        return x, y
    if name == "svhn":
        x = np.concatenate([images(n, (3, 32, 32), 0), images(m, (3, 32, 32), 1)])
        for split, part in (("train", slice(0, n)), ("test", slice(n, n + m))):
            stored = np.where(y[part] == 0, 10, y[part])[:, None]
            file = io.BytesIO()
            savemat(file, {"X": x[part].transpose(2, 3, 1, 0), "y": stored})
            write(root / "SVHN" / f"{split}_32x32.mat", file.getvalue())
        return x, y
    x = np.concatenate([images(n, (28, 28), 0), images(m, (28, 28), 1)])
    if name.startswith("emnist"):
        split = name.removeprefix("emnist_")
        names = [f"EMNIST/raw/emnist-{split}-{half}" for half in ("train", "test")]
        stored_x, stored_y = x.transpose(0, 2, 1), y + (split == "letters")
    else:
        folder = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}[name]
        names, stored_x, stored_y = [f"{folder}/raw/train", f"{folder}/raw/t10k"], x, y
    for base, part in zip(names, (slice(0, n), slice(n, n + m)), strict=True):
        for kind, array in (("images-idx3", stored_x[part]), ("labels-idx1", stored_y[part].astype(np.uint8))):
            content = idx(np.ascontiguousarray(array))
            if packed:
                write(root / f"{base}-{kind}-ubyte.gz", gzip.compress(content))
            else:
                write(root / f"{base}-{kind}-ubyte", content)
    return x[:, None], y


@pytest.mark.usefixtures("any_md5")
@pytest.mark.parametrize("name", published.PUBLISHED)
def test_the_files_become_one_tensor_with_the_official_split(name: str, root: Path) -> None:
    assert DATASETS[name].missing()
    x, y = put(name, root)
    assert DATASETS[name].missing() is None
    source = DATASETS[name].load()
    assert np.array_equal(source.x.numpy(), x)
    assert np.array_equal(source.y.numpy(), y)
    assert source.num_classes == len(set(y.tolist())) == len(published.PUBLISHED[name].class_names)
    assert source.train_index.tolist() == list(range(len(source.train_index)))
    assert len(source.heldout_index) in (10, 26)
    assert source.name == name
    assert DATASETS[name].load() is source, "decoded once"
    published.remove(name)
    with pytest.raises(DataMissing):
        DATASETS[name].load()


@pytest.mark.usefixtures("any_md5")
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_packed_files_are_unpacked_without_a_network(name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", no_network)
    x, _ = put(name, root, packed=True)
    assert DATASETS[name].missing() is None
    assert np.array_equal(DATASETS[name].load().x.numpy(), x)


def no_network(*_: Any, **__: Any) -> None:
    raise OSError("Network is unreachable")


@pytest.mark.parametrize("name", [*published.PUBLISHED, "celeba"])
def test_what_is_missing_is_one_sentence_with_file_and_folder(name: str, root: Path) -> None:
    with pytest.raises(DataMissing) as error:
        DATASETS[name].load()
    sentence = str(error.value)
    assert sentence == DATASETS[name].missing()
    assert "\n" not in sentence
    assert str(root) in sentence
    files = published.PUBLISHED[name].archives if name != "celeba" else ["000001.jpg"]
    assert all(Path(file).name in sentence for file in files)


@pytest.mark.usefixtures("any_md5")
@pytest.mark.parametrize("cut", [0, 3, 20, 1000])
def test_a_damaged_file_is_a_sentence(cut: int, root: Path) -> None:
    put("mnist", root)
    file = root / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"MNIST in .* cannot be read"):
        DATASETS["mnist"].load()


def test_another_file_under_the_name_of_a_pickle_is_not_opened(root: Path) -> None:
    """Only what has the published MD5 is unpickled."""
    put("cifar10", root)
    with pytest.raises(DataError, match=r"CIFAR-10 in .* cannot be read"):
        DATASETS["cifar10"].load()


# --- downloads ---


def test_a_download_without_a_network_says_what_to_do(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", no_network)
    chore = Chores(tmp_path).download("cifar10")
    chore.wait(60)
    assert chore.result is None
    assert chore.error.startswith("CIFAR-10 could not be downloaded (Network is unreachable).")
    assert f"put cifar-10-python.tar.gz into the folder {root}" in chore.error
    assert DATASETS["cifar10"].missing()


@pytest.mark.usefixtures("any_md5")
def test_a_download_shows_its_bytes_and_comes_into_place_whole(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("mnist", tmp_path / "elsewhere", packed=True)
    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", lambda url, **_: url)

    def fetch(url: str, filename: str, **_: Any) -> None:
        assert not (root / "MNIST").exists(), "nothing is in place before all of it has come"
        content = (tmp_path / "elsewhere" / "MNIST" / "raw" / Path(filename).name).read_bytes()
        Path(filename).write_bytes(content)
        seen.append(published.downloaded_bytes("mnist"))

    seen: list[int] = []
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", fetch)
    chore = Chores(tmp_path).download("mnist")
    chore.wait(60)
    assert chore.error is None
    assert chore.result == "mnist"
    assert len(seen) == 4
    assert seen == sorted(seen)
    assert seen[0] > 0
    assert not list((root / "incoming").iterdir())
    assert len(DATASETS["mnist"].load().x) == 78


# --- CelebA ---


def test_celeba_is_a_folder_of_faces(root: Path) -> None:
    for i in range(1, 21):
        file = io.BytesIO()
        Image.new("RGB", (178, 218), (10 * i, 0, 255 - 10 * i)).save(file, "JPEG", quality=95)
        write(root / celeba.FOLDER / f"{i:06}.jpg", file.getvalue())
    write(root / celeba.FOLDER / "notes.txt", b"x")
    source = DATASETS["celeba"].load(size=32, images=100)
    assert source.x.shape == (20, 3, 32, 32)
    assert source.y is None
    assert source.judged is None
    assert source.x[:, 0].float().mean((1, 2)).tolist() == pytest.approx([10 * i for i in range(1, 21)], abs=4)
    celeba._celeba.cache_clear()
    assert (DATASETS["celeba"].load(size=32, images=100).x == source.x).all(), "kept decoded"
    write(root / celeba.FOLDER / "000003.jpg", b"not a picture")
    with pytest.raises(DataError, match=r"000003\.jpg"):
        DATASETS["celeba"].load(size=16, images=100)


def test_the_readers_are_those_of_torchvision() -> None:
    assert {name for name in published.PUBLISHED if name.startswith("emnist")} == {"emnist_letters", "emnist_digits"}
    from torchvision import datasets  # seconds of importing, which no other test needs

    for resource, archive in zip(datasets.MNIST.resources, published.PUBLISHED["mnist"].archives, strict=True):
        assert archive.endswith(resource[0])
