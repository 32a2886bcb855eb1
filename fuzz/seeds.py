#!/usr/bin/env python3
"""Fills the corpora from a folder of test data: fuzz/seeds.py path/to/folder

The folder holds gis-zhkh-schemas and gost-vectors (see README.md in the root).
"""

import pathlib
import shutil
import sys

CONTAINER = ["header.key", "masks.key", "primary.key", "masks2.key", "primary2.key"]


def element(der: bytes, start: int) -> tuple[int, int]:
    """Where the content of the element at `start` begins, and where it ends."""
    first = der[start + 1]
    if first < 0x80:
        return start + 2, start + 2 + first
    content = start + 2 + (first & 0x7F)
    return content, content + int.from_bytes(der[start + 2 : content], "big")


def without_mac(pfx: bytes) -> bytes:
    """PFX ::= SEQUENCE { version, authSafe, macData OPTIONAL }: behind a MAC no mutation gets any further."""
    content, _ = element(pfx, 0)
    _, version_end = element(pfx, content)
    _, safe_end = element(pfx, version_end)
    kept = pfx[content:safe_end]
    return b"\x30\x82" + len(kept).to_bytes(2, "big") + kept


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
        if key.suffix in {".pfx", ".p12"}:
            (corpora / "key_files" / f"{key.name}.without-mac").write_bytes(without_mac(key.read_bytes()))
    for folder in vectors.rglob("*.000"):
        pieces = [(folder / name).read_bytes() for name in CONTAINER]
        joined = b"".join(len(piece).to_bytes(2, "big") + piece for piece in pieces)
        (corpora / "key_files" / f"{folder.name}.joined").write_bytes(joined)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
