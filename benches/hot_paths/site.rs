//! The embedded site's answer to one request with right Digest credentials.

use bootstorm::auth::{Credentials, Session, parse_challenges};
use bootstorm::phone::Moment;
use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};

use super::{HotPath, scene};

/// The backup of the first phone, which the site has from the start.
const PATH: &str = "/20000_96xxdata.txt";
/// Octets of an upload.
const UPLOAD: usize = 10_000;
const NOW: Moment = Moment::from_micros(1_000_000);

/// A backup fetched.
pub(crate) fn get() -> HotPath<Request<Bytes>, Response<Bytes>> {
    respond(&Method::GET, Bytes::new())
}

/// A backup stored over the former one.
pub(crate) fn put() -> HotPath<Request<Bytes>, Response<Bytes>> {
    respond(&Method::PUT, Bytes::from(vec![b'x'; UPLOAD]))
}

fn respond(method: &Method, body: Bytes) -> HotPath<Request<Bytes>, Response<Bytes>> {
    let site = scene::site(&scene::plan(2, "\"at-once\""));
    let request = Request::builder().method(method).uri(PATH).body(body).unwrap();
    let refusal = site.respond(NOW, &request);
    assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
    let lines = refusal.headers().get_all(WWW_AUTHENTICATE);
    let challenge = parse_challenges(lines.iter().map(|line| line.as_bytes())).unwrap().remove(0);
    let mut session = Session::open(&challenge, &Credentials::new("20000", "pw-20000"), "c0ffee").unwrap();
    let prepare = move || {
        let mut request = request.clone();
        let answer = session.authorize(request.method().as_str(), PATH, request.body());
        request.headers_mut().insert(AUTHORIZATION, answer);
        request
    };
    HotPath::new(prepare, move |request| {
        let response = site.respond(NOW, request);
        assert!(response.status().is_success(), "{} {PATH}: {}", request.method(), response.status());
        response
    })
}
