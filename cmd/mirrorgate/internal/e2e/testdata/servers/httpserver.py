# Python's http.server: it appends a line for each request to the log, and responds with its status and id. Like many a small
# program it sends a body to HEAD, too.
# run: python3 httpserver.py PROTOCOL ADDRESS
import hashlib, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

log = os.open("%LOG%", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

class Handler(BaseHTTPRequestHandler):
    protocol_version = sys.argv[1]

    def serve(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        id = self.headers["X-Id"]
        os.write(log, f"{self.command} {self.path} {id} {len(body)} {hashlib.sha1(body).hexdigest()}\n".encode())
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Content-Length", str(len(id)))
        self.send_header("X-Id", id)
        self.end_headers()
        self.wfile.write(id.encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def log_message(self, *args): pass

class Server(ThreadingHTTPServer):
    request_queue_size = 128  # with 5 the kernel resets some of 64 connections that come at once, whoever opens them

host, port = sys.argv[2].split(":")
Server((host, int(port)), Handler).serve_forever()
