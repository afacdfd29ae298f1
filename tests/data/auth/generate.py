#!/usr/bin/env python3
"""Writes generated.toml: Digest vectors from hashlib alone, as a check on the Rust code that shares none of it.

Run it in this folder; it needs an OpenSSL with SHA-512/256. The formulas are those of RFC 7616 3.4, and of
RFC 2069 2.1.2 where there is no qop.
"""
import hashlib
import itertools
import json

NONCE_IIS = "+Upgraded+v1" + hashlib.sha512(b"iis").hexdigest()[:112]
FUNCTIONS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def digest(algorithm, *parts):
    h = hashlib.new(FUNCTIONS[algorithm.removesuffix("-sess")])
    h.update(b":".join(p if isinstance(p, bytes) else p.encode() for p in parts))
    return h.hexdigest()


def answer(algorithm, qop, nonce, cnonce, nc, method, uri, body, user, realm, password, charset):
    user, password = user.encode(charset), password.encode(charset)
    key = digest(algorithm, user, realm, password)
    if algorithm.endswith("-sess"):
        key = digest(algorithm, key, nonce, cnonce)

    def proof(method, body):
        a2 = [method, uri] + ([digest(algorithm, body)] if qop == "auth-int" else [])
        middle = [f"{nc:08x}", cnonce, qop] if qop else []
        return digest(algorithm, key, nonce, *middle, digest(algorithm, *a2))

    return proof(method, body), proof("", b"the answer")


def vector(name, challenge, *args):
    algorithm, qop, nonce, cnonce, nc, method, uri, body, user, realm, password, charset = args
    response, rspauth = answer(*args)
    fields = dict(name=name, challenge=challenge, user=user, password=password, cnonce=cnonce, nc=nc, method=method,
                  uri=uri, body=body.decode(), response=response, rspauth=rspauth)
    return "[[vector]]\n" + "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in fields.items())


def vectors():
    realm, cnonce = "Digest", "9a2b5c6d7e8f9a0b"
    challenge = f'Digest qop="auth",algorithm=MD5-sess,nonce="{NONCE_IIS}",charset=utf-8,realm="{realm}"'
    for nc in 1, 2:
        yield vector(f"the whole challenge of IIS 10, request {nc}", challenge, "MD5-sess", "auth", NONCE_IIS, cnonce,
                     nc, "PUT", "/backup/2001_96xxdata.txt", b"LOGACTIVE=1\r\n", "DOMAIN\\2001", realm, "20\"01",
                     "utf-8")
    people = [("2001", "secret", "ascii"), ("J\u00e4s\u00f8n Doe", "Stra\u00dfe", "utf-8"),
              ("J\u00e4s\u00f8n Doe", "Stra\u00dfe", "latin-1")]
    cases = itertools.product(FUNCTIONS, ("", "-sess"), ("", "auth", "auth-int"), people)
    for i, (function, sess, qop, (user, password, charset)) in enumerate(cases):
        algorithm, realm, nonce, nc = function + sess, f"realm {i}", f"nonce/{i}=", i % 3 + 1
        challenge = f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}'
        challenge += f', qop="{qop}"' if qop else ""
        challenge += ", charset=UTF-8" if charset == "utf-8" else ""
        yield vector(f"{algorithm}, qop {qop or 'absent'}, {charset}", challenge, algorithm, qop, nonce, f"cnonce{i}",
                     nc, "PUT" if i % 2 else "GET", f"/a%20b/{i}?x=1,y=2", b"x=1\n" * (i % 4), user, realm, password,
                     charset)


with open("generated.toml", "w", encoding="utf-8") as f:
    f.write("# Written by generate.py.\n\n" + "\n".join(vectors()))
