"""Serves the folder named first over TLS, to those alone who show the certificate named second.

Prints the port, then a line for each request: who asked, by the certificate, and for what.
"""

import functools
import http.server
import ssl
import sys

folder, certificate = sys.argv[1:]


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_request(self, code="-", size="-"):
        subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])
        print(subject["commonName"], self.path, flush=True)

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
context.load_verify_locations(certificate)
context.verify_mode = ssl.CERT_REQUIRED
server = http.server.ThreadingHTTPServer(
    ("127.0.0.1", 0), functools.partial(Handler, directory=folder)
)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
