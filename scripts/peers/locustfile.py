"""What locust does in scripts/bench-peers: so many exchanges by all users together, each as soon as it can."""

import os

from locust import HttpUser, constant, task
from requests.auth import HTTPDigestAuth

URL, PUT = os.environ["URL"], os.environ.get("BODY")
EXCHANGES = left = int(os.environ["EXCHANGES"])
BODY = open(PUT, "rb").read() if PUT else None
done = failed = 0


class Peer(HttpUser):
    """`requests` underneath, whose Digest uses a nonce again on its own."""

    wait_time = constant(0)
    host = ""

    def on_start(self):
        if BODY is not None:
            self.client.auth = HTTPDigestAuth(os.environ["USER_NAME"], os.environ["PASSWORD"])
        if os.environ.get("CA"):
            self.client.verify = os.environ["CA"]

    @task
    def exchange(self):
        global left, done, failed
        if left <= 0:
            return
        left -= 1
        if BODY is not None:
            answer = self.client.put(f"{URL}{id(self)}.txt", BODY, name="put")
        else:
            answer = self.client.get(URL, name="get")
        done += 1
        failed += not answer.ok
        if done == EXCHANGES:
            print(f"done {done} failed {failed}", flush=True)
            os._exit(1 if failed else 0)
