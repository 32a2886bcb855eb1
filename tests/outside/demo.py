#!/usr/bin/env python3
"""Runs a command beside a demo of its own: `demo.py COMMAND [ARGUMENT…]`.

The command finds the address in DEMO_URL and the token in DEMO_TOKEN. The demo ends with the command, however that ends.
The program is taken from DEBTGATE.
"""

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

# Not port 0: the demo has to know its address for the links it gives.
PORTS = range(18080, 18100)
# A debug build has to invent its requests, sign its answers and have them delivered first.
PATIENCE_SECONDS = 180


def free_port() -> int:
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    sys.exit(f"demo: none of the ports {PORTS.start} to {PORTS.stop - 1} is free")


def read_token(demo: subprocess.Popen[str]) -> str:
    """Waits for the greeting. All the output is read, to the end, so that the demo never waits for a full pipe."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert demo.stdout is not None
        for line in demo.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (line := lines.get(timeout=PATIENCE_SECONDS)) is not None:
        if found := re.match(r"\s*TOKEN=(\S+)", line):
            return found[1]
    sys.exit(f"demo: it ended before it greeted, with {demo.wait()}")


def main(command: list[str]) -> int:
    # A check that is told to stop still ends the demo.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("demo: told to stop"))
    port = free_port()
    with tempfile.TemporaryFile("w+") as log:
        program = [os.environ["DEBTGATE"], "demo", "--listen", f"127.0.0.1:{port}"]
        demo = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            token = read_token(demo)
            env = {**os.environ, "DEMO_URL": f"http://127.0.0.1:{port}", "DEMO_TOKEN": token}
            code = subprocess.run(command, env=env, check=False).returncode
            if demo.poll() is not None:
                print(f"demo: it did not live as long as the check, {demo.returncode}", file=sys.stderr)
                code = code or 1
            return code
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read()[-4000:])
            raise
        finally:
            demo.terminate()
            try:
                demo.wait(timeout=30)
            except subprocess.TimeoutExpired:
                demo.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
