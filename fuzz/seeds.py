#!/usr/bin/env python3
"""Fills the corpora from a folder of test data: fuzz/seeds.py path/to/folder

The folder holds gis-zhkh-schemas and gost-vectors (see README.md in the root).
"""

import pathlib
import shutil
import sys

CONTAINER = ["header.key", "masks.key", "primary.key", "masks2.key", "primary2.key"]


def main(data: pathlib.Path) -> None:
    corpora = pathlib.Path(__file__).parent / "corpus"
    for target in ["replies", "simulator", "key_files"]:
        (corpora / target).mkdir(parents=True, exist_ok=True)
    for example in (data / "gis-zhkh-schemas" / "examples").glob("*.xml"):
        shutil.copy(example, corpora / "replies")
        shutil.copy(example, corpora / "simulator")
    vectors = data / "gost-vectors"
    for key in vectors.rglob("*"):
        if key.is_file() and key.suffix in {".pem", ".der", ".pfx", ".p12", ".cer"}:
            shutil.copy(key, corpora / "key_files")
    for folder in vectors.rglob("*.000"):
        pieces = [(folder / name).read_bytes() for name in CONTAINER]
        joined = b"".join(len(piece).to_bytes(2, "big") + piece for piece in pieces)
        (corpora / "key_files" / f"{folder.name}.joined").write_bytes(joined)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
