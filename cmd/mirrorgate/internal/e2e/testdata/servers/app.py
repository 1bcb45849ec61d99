# What gunicorn and waitress serve: it appends a line for each request to the log, and responds with its status and id.
import hashlib, os

log = os.open("%LOG%", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

def app(env, start):
    body = env["wsgi.input"].read(int(env.get("CONTENT_LENGTH") or 0))
    path, id = env["PATH_INFO"], env["HTTP_X_ID"]
    os.write(log, f"{env['REQUEST_METHOD']} {path} {id} {len(body)} {hashlib.sha1(body).hexdigest()}\n".encode())
    start(path.split("/")[1] + " Status", [("Content-Type", "text/plain"), ("Content-Length", str(len(id))), ("X-Id", id)])
    return [id.encode()]
