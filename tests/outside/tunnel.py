#!/usr/bin/env python3
"""The tunnel of deploy/tunnel at work: its own stunnel.conf, in which only addresses and folders are other ones, carries
curl to a server that speaks GOST TLS and wants a certificate. The server is OpenSSL's, the certificates live for two days.

Finds the folder in TUNNEL and has its own folder for files as its working directory."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

TUNNEL = Path(os.environ["TUNNEL"])
# OpenSSL's own commands read the file that is shipped; stunnel has to find the engine by itself.
WITH_ENGINE = {**os.environ, "OPENSSL_CONF": str(TUNNEL / "openssl.cnf")}
WITHOUT_ENGINE = {**os.environ, "OPENSSL_CONF": "/dev/null"}
HOST = "api.dom.gosuslugi.ru"
SUITES = (
    "LEGACY-GOST2012-GOST8912-GOST8912",
    "IANA-GOST2012-GOST8912-GOST8912",
    "GOST2012-KUZNYECHIK-KUZNYECHIKOMAC",
    "GOST2012-MAGMA-MAGMAOMAC",
)
PATIENCE_SECONDS = 20


def openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], env=WITH_ENGINE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)


def new_key(name: str) -> list[str]:
    key = ["-newkey", "gost2012_256", "-pkeyopt", "paramset:XA", "-nodes", "-keyout", f"{name}.key.pem"]
    return ["-config", "request.cnf", *key, "-subj", f"/CN={name}"]


def authority(name: str) -> None:
    openssl("req", "-x509", *new_key(name), "-days", "2", "-out", f"{name}.pem")


def certificate(name: str, issuer: str, host: str | None = None) -> None:
    Path("extensions.cnf").write_text(f"subjectAltName = DNS:{host}\n" if host else "")
    openssl("req", "-new", *new_key(name), "-out", f"{name}.csr")
    signed = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key.pem", "-CAcreateserial", "-days", "2"]
    openssl(
        "x509", "-req", "-in", f"{name}.csr", *signed, "-extfile", "extensions.cnf", "-out", f"{name}.cert.pem"
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path, env: dict[str, str]) -> Iterator[None]:
    """A program that listens at a port, for as long as it is needed."""
    with log.open("w") as output:
        # An open standard input: s_server ends when there is nothing more to read.
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=env)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert program.poll() is None, (command, log.read_text())
            assert time.monotonic() < deadline, (command, log.read_text())
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield
    finally:
        program.terminate()
        program.wait(timeout=PATIENCE_SECONDS)


def server(name: str, port: int, suite: str) -> contextlib.AbstractContextManager[None]:
    """Tells on a page what was agreed upon with whom; without a certificate of our authority it tells nothing."""
    own = ["-cert", f"{name}.cert.pem", "-key", f"{name}.key.pem"]
    wanted = ["-CAfile", "authority.pem", "-Verify", "1", "-verify_return_error"]
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", *own, *wanted, "-cipher", suite, "-www"]
    return running(command, port, Path("server.log"), WITH_ENGINE)


def shipped_configuration(listen: int, connect: int, client: str, pinned: str | None) -> Path:
    """The file as it is shipped, with other addresses; or with the change that it names, to trust one certificate alone."""
    text = (TUNNEL / "stunnel.conf").read_text()
    trusted = f"{pinned}.cert.pem" if pinned else "authority.pem"
    check = "verifyPeer" if pinned else "verifyChain"
    for shipped, ours in (
        ("accept = 127.0.0.1:8081\n", f"accept = 127.0.0.1:{listen}\n"),
        (f"connect = {HOST}:443\n", f"connect = 127.0.0.1:{connect}\n"),
        ("/etc/debtgate-tunnel/client.", f"{Path.cwd()}/{client}."),
        ("/etc/debtgate-tunnel/gis-ca.pem", f"{Path.cwd()}/{trusted}"),
        ("\nverifyChain = yes\n", f"\n{check} = yes\n"),
    ):
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    path = Path("stunnel.conf")
    path.write_text(text)
    return path


def ask(
    name: str, client: str, suite: str = ":".join(SUITES), pinned: str | None = None
) -> tuple[str | None, str]:
    """The page that came through the tunnel, if one came, and what the tunnel said."""
    listen, connect = free_port(), free_port()
    configuration = shipped_configuration(listen, connect, client, pinned)
    tunnel = running(["stunnel4", str(configuration)], listen, Path("tunnel.log"), WITHOUT_ENGINE)
    with server(name, connect, suite), tunnel:
        curl = ["curl", "--silent", "--show-error", "--max-time", "10", f"http://127.0.0.1:{listen}/"]
        got = subprocess.run(curl, capture_output=True, text=True, check=False)
    return (got.stdout if got.returncode == 0 else None), Path("tunnel.log").read_text()


def main() -> None:
    Path("request.cnf").write_text("[req]\ndistinguished_name = name\n[name]\n")
    authority("authority")
    authority("stranger")
    certificate("server", "authority", HOST)
    certificate("elsewhere", "authority", "other.example.ru")
    certificate("impostor", "stranger", HOST)
    certificate("client", "authority")
    certificate("unknown", "stranger")

    for suite in SUITES:
        page, log = ask("server", "client", suite)
        assert page is not None, (suite, log)
        for line in ("Protocol  : TLSv1.2", f"Cipher    : {suite}", "Subject: CN=client"):
            assert line in page, (suite, line, page)
        print(f"tunnel: {suite}")
    page, log = ask("server", "client")
    assert page is not None and f"Cipher    : {SUITES[0]}" in page, (page, log)

    page, log = ask("server", "client", pinned="server")
    assert page is not None, log

    for name, client, pinned, words in (
        ("impostor", "client", None, "CERT: Pre-verification error"),
        ("elsewhere", "client", None, "CERT: Subject checks failed"),
        ("server", "unknown", None, "unknown ca"),
        ("server", "client", "impostor", "CERT: Certificate not found in local repository"),
    ):
        page, log = ask(name, client, pinned=pinned)
        assert page is None and words in log, (name, client, page, log)
        print(f"tunnel: {words}")


if __name__ == "__main__":
    sys.exit(main())
