"""A receiver of webhooks that keeps what is posted, and fails where the path says so.

    hook.py DIRECTORY [PORT [CERTIFICATE KEY]]

Says its port. /500 is refused, /redirect leads to /elsewhere, /slow does not answer, and
/liar takes the document and hangs up.
"""

import http.server
import json
import os
import ssl
import sys
import time

directory = sys.argv[1]


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        document = {"path": self.path, "headers": dict(self.headers), "body": body}
        name = os.path.join(directory, f"{time.time_ns():020}")
        with open(name + ".part", "x") as file:
            json.dump(document, file)
        os.rename(name + ".part", name)
        if self.path == "/slow":
            time.sleep(60)
        if self.path == "/liar":
            self.close_connection = True
            return
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
        else:
            self.send_response(500 if self.path == "/500" else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Receiver)
if len(sys.argv) > 3:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*sys.argv[3:5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
