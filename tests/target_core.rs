//! The target's core, likeness by likeness: no sockets, no clock. The clients' side of Digest is the `digest_auth`
//! crate, so that the target's own code is not its only judge.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::sync::Arc;
use std::time::Duration;

use bootstorm::auth::{Algorithm, Credentials};
use bootstorm::phone::{Chance, Moment};
use bootstorm::target::{Accounts, AuthenticatedUser, Documents, Site, Store};
use bootstorm::workload::{EmbeddedTarget, Likeness, Offer, Protects, TargetAuth};
use bytes::Bytes;
use digest_auth::{AuthContext, HttpMethod, WwwAuthenticateHeader};
use http::{Method, Request, Response};

const USER: &str = "2001";
const PASSWORD: &str = "s3cret";

fn config(likeness: Likeness, offers: &[Offer]) -> EmbeddedTarget {
    EmbeddedTarget {
        auth: TargetAuth {
            offers: offers.to_vec(),
            realm: "phones".into(),
            protects: Protects::Everything,
            nonce_lifetime: Duration::from_secs(300),
            ..TargetAuth::of(likeness)
        },
        tls: None,
        prefilled: true,
        accept_loops: 1,
        ..EmbeddedTarget::of(likeness)
    }
}

fn site_of(config: &EmbeddedTarget) -> Site {
    let mut accounts = Accounts::none();
    accounts.admit(Credentials::new(USER, PASSWORD));
    accounts.admit(Credentials::new("Jürgen", "Straße"));
    Site::new(config, accounts, Documents::of(&[], true, Chance::new(1)), Chance::new(1)).unwrap()
}

fn open(likeness: Likeness) -> Site {
    site_of(&config(likeness, &[]))
}

fn at(seconds: u64) -> Moment {
    Moment::ZERO + Duration::from_secs(seconds)
}

fn request(method: &str, path: &str, body: &str, authorization: Option<&str>) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn send(site: &Site, method: &str, path: &str, body: &str) -> Response<Bytes> {
    site.respond(at(1), &request(method, path, body, None))
}

fn header<'r>(response: &'r Response<Bytes>, name: &str) -> Option<&'r str> {
    response.headers().get(name).map(|v| v.to_str().unwrap())
}

fn challenge_of(response: &Response<Bytes>) -> WwwAuthenticateHeader {
    assert_eq!(response.status(), 401);
    // What this parser does not take from IIS, and what it takes only quoted, is no part of the answer.
    let line =
        header(response, "www-authenticate").unwrap().replace("charset=utf-8,", "").replace(", charset=UTF-8", "");
    WwwAuthenticateHeader::parse(&line).unwrap()
}

fn answer(challenge: &mut WwwAuthenticateHeader, password: &str, method: &str, path: &str, body: &str) -> String {
    let body = (!body.is_empty()).then(|| body.as_bytes().to_vec());
    let context = AuthContext::new_with_method(USER, password, path, body, HttpMethod::from(method.to_owned()));
    challenge.respond(&context).unwrap().to_header_string()
}

#[test]
fn files_by_likeness() {
    // PUT new, PUT again, POST new, DELETE, DELETE again, OPTIONS, TRACE, an unheard-of method.
    let table = [
        (Likeness::Iis, [201, 204, 200, 204, 404, 200, 405, 405]),
        (Likeness::Apache, [201, 204, 200, 204, 404, 200, 405, 501]),
        (Likeness::Nginx, [201, 204, 405, 204, 404, 405, 405, 405]),
        (Likeness::Lighttpd, [201, 204, 200, 204, 404, 200, 405, 501]),
        (Likeness::Strict, [201, 204, 201, 204, 404, 200, 405, 501]),
    ];
    let steps = [
        ("PUT", "/a.txt"),
        ("PUT", "/a.txt"),
        ("POST", "/report.xml"),
        ("DELETE", "/a.txt"),
        ("DELETE", "/a.txt"),
        ("OPTIONS", "*"),
        ("TRACE", "/a.txt"),
        ("BREW", "/a.txt"),
    ];
    for (likeness, statuses) in table {
        let site = open(likeness);
        for ((method, path), status) in steps.into_iter().zip(statuses) {
            let response = send(&site, method, path, "x=1");
            assert_eq!(response.status().as_u16(), status, "{likeness:?} {method} {path}");
            assert!(header(&response, "server").unwrap().starts_with("bootstorm ("));
            let tells = response.status() == 405 && likeness != Likeness::Nginx;
            assert_eq!(response.headers().contains_key("allow"), tells || (method == "OPTIONS" && status == 200));
        }
    }
}

#[test]
fn what_is_put_comes_back() {
    for likeness in Likeness::ALL {
        let site = open(likeness);
        assert_eq!(send(&site, "GET", "/new_96xxdata.txt", "").status(), 404);
        send(&site, "PUT", "/backup/2001_96xxdata.txt", "LOGACTIVE=1\n");
        let got = send(&site, "GET", "/backup/2001_96xxdata.txt", "");
        assert_eq!((got.status().as_u16(), got.body().as_ref()), (200, &b"LOGACTIVE=1\n"[..]));
        assert_eq!(header(&got, "content-type"), Some("text/plain"));
        let head = send(&site, "HEAD", "/backup/2001_96xxdata.txt", "");
        assert_eq!((head.status().as_u16(), head.body().len(), header(&head, "content-length")), (200, 0, Some("12")));
        // Of two names that differ in case, only IIS sees one.
        let folded = send(&site, "GET", "/BACKUP/2001_96xxDATA.txt", "").body() == got.body();
        assert_eq!(folded, likeness == Likeness::Iis);
    }
}

#[test]
fn consent_is_read_without_credentials_and_written_with_them() {
    let file = "/bootstorm-consent.txt";
    for likeness in Likeness::ALL {
        let site = site_of(&config(likeness, &[Offer::Digest(Algorithm::Md5), Offer::Basic]));
        assert_eq!(send(&site, "GET", file, "").status(), 404, "{likeness:?}: there is none yet");
        for (method, path) in [("PUT", file), ("DELETE", file), ("GET", "/other/bootstorm-consent.txt")] {
            assert_eq!(send(&site, method, path, "allow-load-from: any").status(), 401, "{likeness:?} {method} {path}");
        }
        let mut challenge = challenge_of(&send(&site, "PUT", file, "allow-load-from: any"));
        let answer = answer(&mut challenge, PASSWORD, "PUT", file, "allow-load-from: any");
        let put = site.respond(at(1), &request("PUT", file, "allow-load-from: any", Some(&answer)));
        assert_eq!(put.status(), 201, "{likeness:?}");
        let got = send(&site, "GET", file, "");
        assert_eq!((got.status().as_u16(), got.body().as_ref()), (200, &b"allow-load-from: any"[..]), "{likeness:?}");
    }
}

#[test]
fn a_generated_file_can_be_overwritten_and_deleted() {
    let site = open(Likeness::Strict);
    assert_eq!(send(&site, "GET", "/2001_96xxdata.txt", "").status(), 200);
    assert_eq!(send(&site, "PUT", "/2001_96xxdata.txt", "a=1").status(), 204);
    assert_eq!(send(&site, "DELETE", "/2001_96xxdata.txt", "").status(), 204);
    assert_eq!(send(&site, "GET", "/2001_96xxdata.txt", "").status(), 404);
    assert_eq!(send(&site, "DELETE", "/2001_96xxdata.txt", "").status(), 404);
    assert_eq!(send(&site, "PUT", "/2001_96xxdata.txt", "a=1").status(), 201);
}

#[test]
fn a_missing_folder_by_likeness() {
    let table = [
        (Likeness::Iis, 409),
        (Likeness::Apache, 409),
        (Likeness::Nginx, 201),
        (Likeness::Lighttpd, 409),
        (Likeness::Strict, 409),
    ];
    for (likeness, status) in table {
        let home = tempfile::tempdir().unwrap();
        let mut config = config(likeness, &[]);
        config.folder = Some(home.path().to_owned());
        let stores = [site_of(&config), open(likeness).with_store(Store::memory(1000, Some(vec![])))];
        for site in stores {
            assert_eq!(send(&site, "PUT", "/none/a.txt", "x").status().as_u16(), status, "{likeness:?}");
            assert_eq!(send(&site, "PUT", "/a.txt", "x").status(), 201);
        }
    }
}

#[test]
fn no_request_reads_or_writes_outside_the_folder() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("root");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(home.path().join("secret.txt"), "secret").unwrap();
    let mut config = config(Likeness::Strict, &[]);
    config.folder = Some(root);
    let site = site_of(&config);
    let paths = [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/x/../../secret.txt",
        "/..%5csecret.txt",
        "//../secret.txt",
        "/%2fetc/passwd",
        "/secret.txt%00",
    ];
    for path in paths {
        for method in ["GET", "PUT", "POST", "DELETE", "HEAD"] {
            let status = send(&site, method, path, "x").status().as_u16();
            assert!(matches!(status, 400 | 404), "{method} {path}: {status}");
        }
    }
    assert_eq!(std::fs::read_to_string(home.path().join("secret.txt")).unwrap(), "secret");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2);
}

#[test]
fn a_body_beyond_the_limit_by_likeness() {
    // Without credentials, with them.
    let table = [
        (Likeness::Iis, 404, 404),
        (Likeness::Apache, 401, 413),
        (Likeness::Nginx, 413, 413),
        (Likeness::Lighttpd, 413, 413),
        (Likeness::Strict, 413, 413),
    ];
    for (likeness, anonymous, known) in table {
        let mut config = config(likeness, &[Offer::Basic]);
        config.body_limit = Some(3);
        let site = site_of(&config);
        for (authorization, status) in [(None, anonymous), (Some("Basic MjAwMTpzM2NyZXQ="), known)] {
            let large = request("PUT", "/a.txt", "1234", authorization);
            assert_eq!(site.respond(at(1), &large).status().as_u16(), status, "{likeness:?}");
            let (head, _) = large.into_parts();
            assert_eq!(site.respond_unread(at(1), &head).status().as_u16(), status, "{likeness:?}");
        }
        let fits = request("PUT", "/a.txt", "123", Some("Basic MjAwMTpzM2NyZXQ="));
        assert_eq!(site.respond(at(1), &fits).status(), 201);
    }
}

#[test]
fn basic_by_likeness() {
    for likeness in Likeness::ALL {
        let site = site_of(&config(likeness, &[Offer::Basic]));
        let ask = |authorization| site.respond(at(1), &request("GET", "/46xxsettings.txt", "", authorization));
        let refused = ask(None);
        assert_eq!(refused.status(), 401);
        assert!(header(&refused, "www-authenticate").unwrap().starts_with("Basic realm=\"phones\""));
        let let_in = ask(Some("Basic MjAwMTpzM2NyZXQ="));
        assert_eq!(let_in.status(), 200);
        assert_eq!(let_in.extensions().get(), Some(&AuthenticatedUser(USER.into())));
        // A wrong password, an unknown user, another scheme.
        for wrong in ["Basic MjAwMTpub3Q=", "Basic eDp5", "Bearer abc"] {
            assert_eq!(ask(Some(wrong)).status(), 401, "{likeness:?} {wrong}");
        }
        let unreadable = if matches!(likeness, Likeness::Lighttpd | Likeness::Strict) { 400 } else { 401 };
        assert_eq!(ask(Some("Basic ***")).status().as_u16(), unreadable, "{likeness:?}");
    }
}

#[test]
fn digest_is_verified_for_every_likeness_and_algorithm() {
    for likeness in Likeness::ALL {
        for algorithm in
            [Algorithm::Md5, Algorithm::Md5Sess, Algorithm::Sha256, Algorithm::Sha256Sess, Algorithm::Sha512_256]
        {
            let site = site_of(&config(likeness, &[Offer::Digest(algorithm)]));
            let path = "/backup/2001_96xxdata.txt?x=1";
            for (method, body) in [("GET", ""), ("PUT", "LOGACTIVE=1\n"), ("GET", "")] {
                let mut challenge = challenge_of(&send(&site, method, path, body));
                let right = answer(&mut challenge, PASSWORD, method, path, body);
                let let_in = site.respond(at(2), &request(method, path, body, Some(&right)));
                assert!(let_in.status().is_success(), "{likeness:?} {algorithm} {method}: {}", let_in.status());
                assert_eq!(let_in.extensions().get(), Some(&AuthenticatedUser(USER.into())));
                // The same nonce again: the client counts on.
                let again = answer(&mut challenge, PASSWORD, method, path, body);
                assert!(site.respond(at(3), &request(method, path, body, Some(&again))).status().is_success());
                let wrong = answer(&mut challenge, "not-it", method, path, body);
                let refused = site.respond(at(3), &request(method, path, body, Some(&wrong)));
                assert!(!challenge_of(&refused).stale, "{likeness:?}: a wrong password is not stale");
                // Another method, or another path, than the one that was signed.
                let moved = answer(&mut challenge, PASSWORD, method, path, body);
                assert_eq!(site.respond(at(3), &request("DELETE", path, body, Some(&moved))).status(), 401);
                assert_eq!(site.respond(at(3), &request(method, "/other.txt", body, Some(&moved))).status(), 400);
            }
        }
    }
}

#[test]
fn a_nonce_grows_stale_and_says_so_only_to_those_who_know_the_password() {
    for likeness in Likeness::ALL {
        let site = site_of(&config(likeness, &[Offer::Digest(Algorithm::Md5)]));
        let ask =
            |time, authorization: &str| site.respond(at(time), &request("GET", "/a.txt", "", Some(authorization)));
        let mut challenge = challenge_of(&send(&site, "GET", "/a.txt", ""));
        let right = answer(&mut challenge, PASSWORD, "GET", "/a.txt", "");
        let wrong = answer(&mut challenge, "not-it", "GET", "/a.txt", "");
        assert_eq!(ask(300, &right).status(), 404, "{likeness:?}: young enough");
        let mut next = challenge_of(&ask(301, &answer(&mut challenge, PASSWORD, "GET", "/a.txt", "")));
        assert!(next.stale, "{likeness:?}");
        assert_eq!(ask(302, &answer(&mut next, PASSWORD, "GET", "/a.txt", "")).status(), 404);
        // lighttpd tests the age first.
        assert_eq!(challenge_of(&ask(303, &wrong)).stale, likeness == Likeness::Lighttpd, "{likeness:?}");
        // A nonce of another server.
        let other = Site::new(
            &config(likeness, &[Offer::Digest(Algorithm::Md5)]),
            Accounts::none(),
            Documents::of(&[], false, Chance::new(9)),
            Chance::new(9),
        );
        let mut foreign = challenge_of(&send(&other.unwrap(), "GET", "/a.txt", ""));
        if likeness != Likeness::Strict {
            assert!(challenge_of(&ask(2, &answer(&mut foreign, PASSWORD, "GET", "/a.txt", ""))).stale);
        }
    }
}

#[test]
fn a_replay_is_refused_where_the_original_would() {
    for likeness in Likeness::ALL {
        let site = site_of(&config(likeness, &[Offer::Digest(Algorithm::Md5)]));
        let mut challenge = challenge_of(&send(&site, "PUT", "/a.txt", "x"));
        let once = answer(&mut challenge, PASSWORD, "PUT", "/a.txt", "x");
        assert_eq!(site.respond(at(2), &request("PUT", "/a.txt", "x", Some(&once))).status(), 201);
        let twice = site.respond(at(2), &request("PUT", "/a.txt", "x", Some(&once)));
        if matches!(likeness, Likeness::Apache | Likeness::Lighttpd) {
            assert_eq!(twice.status(), 204, "{likeness:?}");
        } else {
            assert!(challenge_of(&twice).stale, "{likeness:?}");
        }
    }
}

#[test]
fn authentication_info_by_likeness() {
    for likeness in Likeness::ALL {
        let site = site_of(&config(likeness, &[Offer::Digest(Algorithm::Md5)]));
        let mut challenge = challenge_of(&send(&site, "GET", "/46xxsettings.txt", ""));
        let mut info = |time| {
            let right = answer(&mut challenge, PASSWORD, "GET", "/46xxsettings.txt", "");
            let response = site.respond(at(time), &request("GET", "/46xxsettings.txt", "", Some(&right)));
            assert_eq!(response.status(), 200);
            header(&response, "authentication-info").unwrap_or("").to_owned()
        };
        let (early, late) = (info(2), info(280));
        let proves = matches!(likeness, Likeness::Apache | Likeness::Strict);
        assert_eq!(early.contains("rspauth=\"") && early.contains("nc=00000001"), proves, "{likeness:?}: {early}");
        let renews = proves || likeness == Likeness::Lighttpd;
        assert_eq!(late.contains("nextnonce=\""), renews, "{likeness:?}: {late}");
        assert!(!early.contains("nextnonce"), "{likeness:?}: {early}");
    }
}

#[test]
fn protects_as_told() {
    // GET settings, GET backup, PUT backup, OPTIONS.
    let table = [
        (Protects::Everything, [401, 401, 401, 401]),
        (Protects::AllButSettings, [200, 401, 401, 401]),
        (Protects::Writes, [200, 200, 401, 200]),
    ];
    for (protects, statuses) in table {
        let mut config = config(Likeness::Apache, &[Offer::Basic]);
        config.auth.protects = protects;
        let site = site_of(&config);
        let steps =
            [("GET", "/46xxsettings.txt"), ("GET", "/1_96xxdata.txt"), ("PUT", "/1_96xxdata.txt"), ("OPTIONS", "*")];
        for ((method, path), status) in steps.into_iter().zip(statuses) {
            assert_eq!(send(&site, method, path, "").status().as_u16(), status, "{protects:?} {method} {path}");
        }
    }
}

#[test]
fn offers_come_in_their_order_one_line_each() {
    let offers = [Offer::Digest(Algorithm::Sha256), Offer::Digest(Algorithm::Md5), Offer::Basic];
    let response = send(&site_of(&config(Likeness::Lighttpd, &offers)), "GET", "/a", "");
    let lines: Vec<_> = response.headers().get_all("www-authenticate").iter().map(|v| v.to_str().unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].contains("algorithm=SHA-256") && lines[1].contains("algorithm=MD5") && lines[2].starts_with("Basic")
    );
    // An algorithm that was not offered is not taken.
    let md5_only = site_of(&config(Likeness::Lighttpd, &offers[1..]));
    let mut challenge = WwwAuthenticateHeader::parse(&lines[0].replace("charset=\"UTF-8\", ", "")).unwrap();
    let sha = answer(&mut challenge, PASSWORD, "GET", "/a", "");
    assert_eq!(md5_only.respond(at(1), &request("GET", "/a", "", Some(&sha))).status(), 401);
}

#[test]
fn the_same_seed_gives_the_same_conversation_and_another_seed_another() {
    let line = |seed| {
        let config = config(Likeness::Iis, &[Offer::Digest(Algorithm::Md5Sess)]);
        let documents = Documents::of(&[], true, Chance::new(seed));
        let site = Site::new(&config, Accounts::none(), documents, Chance::new(seed)).unwrap();
        header(&send(&site, "GET", "/", ""), "www-authenticate").unwrap().to_owned()
    };
    assert_eq!(line(1), line(1));
    assert_ne!(line(1), line(2));
    let nonce = line(1);
    let nonce = nonce.split('"').nth(3).unwrap();
    let digits = nonce.strip_prefix("+Upgraded+v1").unwrap();
    assert!(
        digits.len() == 112 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
        "{digits}"
    );
}

#[test]
fn a_realm_with_a_line_break_is_refused_before_anything_starts() {
    let mut config = config(Likeness::Iis, &[Offer::Basic]);
    config.auth.realm = "a\r\nSet-Cookie: x".into();
    let error = Site::for_fleets(&config, &[], Chance::new(1)).unwrap_err();
    assert!(error.to_string().contains("realm"), "{error}");
}

#[test]
fn many_threads_share_a_site() {
    let site = Arc::new(site_of(&config(Likeness::Iis, &[Offer::Digest(Algorithm::Md5Sess)])));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let site = Arc::clone(&site);
            scope.spawn(move || {
                for n in 0..20 {
                    let path = format!("/{thread}-{n}.txt");
                    let mut challenge = challenge_of(&send(&site, "PUT", &path, "x"));
                    let right = answer(&mut challenge, PASSWORD, "PUT", &path, "x");
                    let stored = site.respond(at(2), &request("PUT", &path, "x", Some(&right)));
                    assert_eq!(stored.status(), 201);
                }
            });
        }
    });
}

#[test]
fn connect_and_other_targets_without_a_path_are_refused() {
    let site = open(Likeness::Strict);
    let mut connect = Request::new(Bytes::new());
    *connect.method_mut() = Method::CONNECT;
    *connect.uri_mut() = "example.com:443".parse().unwrap();
    assert!(matches!(site.respond(at(1), &connect).status().as_u16(), 400 | 405));
    assert_eq!(send(&site, "GET", "*", "").status(), 400);
    assert_eq!(send(&site, "GET", "http://example.com/46xxsettings.txt", "").status(), 200);
}
