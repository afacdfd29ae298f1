//! What to do about it, in words: by how an exchange or operation ended.

use crate::phone::Failure;

/// What to do about an exchange that failed below HTTP.
pub fn of_failure(failure: Failure) -> &'static str {
    match failure {
        Failure::ConnectRefused => "nothing listens there: start the server, or correct host and port",
        Failure::ConnectTimeout => {
            "no answer to the connect: is the server up, and nothing in between dropping packets?"
        }
        Failure::ConnectUnreachable | Failure::ConnectFailed => "the network has no way there: correct the address",
        Failure::LocalPorts | Failure::LocalFiles => "this machine has run out of ports or open files",
        Failure::TlsNotTls => "the server speaks no TLS on this port: write http://, or name its TLS port",
        Failure::TlsUnknownCa => {
            "the certificate's chain ends in no CA the phones trust: name the right CA file, or let the server send its \
             whole chain (leaf and intermediates)"
        }
        Failure::TlsExpired => "the certificate is not valid now: renew it, or set the clock right",
        Failure::TlsWrongName => {
            "the certificate is for another name: reach the server by a name in it, or give it one for this name"
        }
        Failure::TlsBadCertificate => "the certificate is unfit: have it made anew",
        Failure::TlsAlert => "the server refused the handshake: its log says why (a client certificate it demands?)",
        Failure::TlsIncompatible => {
            "no version, suite or group in common: allow TLS 1.2 with ECDHE and AES-GCM, and mind the kind of key"
        }
        Failure::TlsTimeout | Failure::TlsClosed | Failure::TlsFailed => {
            "the TLS handshake broke off: is this the TLS port, and what does the server's log say?"
        }
        Failure::TimeoutFirstByte | Failure::TimeoutExchange => {
            "the server took the request and did not answer in time"
        }
        Failure::Reset | Failure::Closed => {
            "the server cut the connection: let it read a refused request's body to the end (lingering close)"
        }
        Failure::MalformedResponse => "what came is no HTTP/1.1: is something else listening there?",
        Failure::ResponseTooLarge => "the answer is larger than a phone takes",
        Failure::Aborted => "it was ended from here",
    }
}

/// What to change on a server that ends something so; `why` is a word as cells have it.
pub fn of_word(why: &str) -> Option<&'static str> {
    if let Some(failure) = Failure::ALL.into_iter().find(|f| f.name() == why) {
        return Some(of_failure(failure));
    }
    Some(match why {
        "http-405" | "http-501" => {
            "it does not take this method there: switch uploads on (nginx: dav_methods PUT DELETE; Apache: Dav On; \
             lighttpd: mod_webdav with webdav.activate; IIS: WebDAV and an authoring rule)"
        }
        "http-404" => {
            "it takes no upload by that method there: switch uploads on, or let the phones send them by PUT (Cisco: \
             HTTP_Report_Method)"
        }
        "client-certificate-demanded" => {
            "it demands a client certificate and the phones have none: give them theirs (tls.device-certificates), or do \
             not demand one"
        }
        "client-certificate-refused" => "it does not trust the phones' certificates: give it the CA that issued them",
        "http-403" => "the account may not do this: give it the right to write in that folder",
        "http-409" => "the folder is missing: make it by hand, once",
        "http-413" => {
            "raise its body limit (nginx: client_max_body_size; Apache: LimitRequestBody; lighttpd: \
             server.max-request-size; IIS: maxAllowedContentLength)"
        }
        "http-417" => "it refuses Expect: 100-continue: see what stands between it and the phones",
        "http-400" => "it calls the request bad: its log says why (a client certificate it demands?)",
        "http-500" => "it fails inside: its log says why (a missing folder, no right to write on disk?)",
        "overload" => "it says it has too much to do: give it more workers, or look for what keeps them",
        "no-usable-scheme" => {
            "it offers no scheme the phones speak: offer Digest with MD5, or Basic over TLS, besides Negotiate and NTLM"
        }
        "malformed-challenge" => "its 401 has no challenge that can be read: look at WWW-Authenticate",
        "not-found" => "the file is not there: put it there, or correct the path",
        "content-mismatch" => "what it gives back is not what it was given: look for something that rewrites files",
        _ => return None,
    })
}
