"""The usual script: a WSGI application that hands an update to knsupdate.

The path is /HOST/SECRET/ADDRESS below where the script is mounted.
"""

import os
import subprocess

KEY = os.path.join(os.path.dirname(__file__), "nsupdate.key")
SECRET = "bench"


def application(environ, start_response):
    try:
        _, host, secret, address = environ["PATH_INFO"].split("/")
        if secret != SECRET:
            raise ValueError("secret")
        zone = environ["UPDATE_ZONE"]
        lines = [
            f"server 127.0.0.1 {environ['UPDATE_PORT']}",
            f"zone {zone}.",
            f"update delete {host}.{zone}. A",
            f"update add {host}.{zone}. 60 A {address}",
            "send",
            "quit",
        ]
        subprocess.run(
            ["knsupdate", "-k", KEY],
            input="\n".join(lines) + "\n",
            encoding="ascii",
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        body = b"SUCCESS"
        start_response("200 OK", [("Content-Type", "text/plain")])
    except Exception:
        body = b"FAIL"
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
    return [body]
