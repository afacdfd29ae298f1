//! What befalls the target in the course of a run, and what its settings change: the pure core, by the moments it is
//! given.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

use std::time::Duration;

use bootstorm::auth::{Algorithm, Credentials};
use bootstorm::phone::{Chance, Moment};
use bootstorm::target::{Accounts, Documents, Mishap, Served, Site};
use bootstorm::workload::{
    Befalls, EmbeddedTarget, Faults, Likeness, Offer, Overload, Protects, TargetAuth, TargetEvent, Work,
};
use bytes::Bytes;
use digest_auth::{AuthContext, HttpMethod, WwwAuthenticateHeader};
use http::{Method, Request, Response, StatusCode};

fn config(likeness: Likeness, offers: &[Offer]) -> EmbeddedTarget {
    EmbeddedTarget {
        auth: TargetAuth {
            offers: offers.to_vec(),
            realm: "Old".into(),
            protects: Protects::Everything,
            ..TargetAuth::of(likeness)
        },
        ..EmbeddedTarget::of(likeness)
    }
}

fn site(config: &EmbeddedTarget) -> Site {
    let mut accounts = Accounts::none();
    for number in 0..100 {
        accounts.admit(Credentials::new(user(number), "s3cret"));
    }
    Site::new(config, accounts, Documents::of(&[], true, Chance::new(1)), Chance::new(1)).unwrap()
}

fn user(number: u32) -> String {
    (2000 + number).to_string()
}

fn at(seconds: u64) -> Moment {
    Moment::ZERO + Duration::from_secs(seconds)
}

fn event(seconds: u64, what: Befalls) -> TargetEvent {
    TargetEvent { at: at(seconds), what }
}

fn request(method: Method, path: &str, authorization: Option<&str>) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    request.body(Bytes::from_static(b"LOGACTIVE=1\n")).unwrap()
}

fn get(site: &Site, now: u64, authorization: Option<&str>) -> Response<Bytes> {
    site.respond(at(now), &request(Method::GET, "/2001_96xxdata.txt", authorization))
}

fn asked(response: &Response<Bytes>) -> Vec<&str> {
    response.headers().get_all("www-authenticate").iter().map(|v| v.to_str().unwrap()).collect()
}

fn answer(challenge: &str, user: &str) -> String {
    let mut challenge = WwwAuthenticateHeader::parse(&challenge.replace("charset=utf-8,", "")).unwrap();
    let context = AuthContext::new_with_method(user, "s3cret", "/2001_96xxdata.txt", None::<Vec<u8>>, HttpMethod::GET);
    challenge.respond(&context).unwrap().to_header_string()
}

#[test]
fn a_renamed_realm_is_renamed_at_its_moment_and_not_before() {
    let mut config = config(Likeness::Iis, &[Offer::Digest(Algorithm::Md5Sess)]);
    config.events =
        vec![event(60, Befalls::RenameRealm("New".into())), event(120, Befalls::RenameRealm("Newer".into()))];
    let site = site(&config);
    for (now, realm) in [(0, "Old"), (59, "Old"), (60, "New"), (119, "New"), (120, "Newer"), (9999, "Newer")] {
        let response = get(&site, now, None);
        assert!(asked(&response)[0].ends_with(&format!("realm=\"{realm}\"")), "{now}: {:?}", asked(&response));
    }
    // An answer for the old realm is right before, and worth a new challenge after: never stale, the secret is another.
    let old = answer(asked(&get(&site, 59, None))[0], "2001");
    assert_eq!(get(&site, 59, Some(&old)).status(), 200);
    let after = get(&site, 60, Some(&old));
    assert_eq!(after.status(), 401);
    assert!(!asked(&after)[0].contains("stale"));
    let new = answer(asked(&after)[0], "2001");
    assert_eq!(get(&site, 60, Some(&new)).status(), 200);
}

/// Basic does not carry a realm: who sends it unasked is not stranded by a new name.
#[test]
fn basic_outlives_a_renamed_realm() {
    let mut config = config(Likeness::Nginx, &[Offer::Basic]);
    config.events = vec![event(60, Befalls::RenameRealm("New".into()))];
    let site = site(&config);
    let basic = "Basic MjAwMTpzM2NyZXQ=";
    assert_eq!([59, 60].map(|now| get(&site, now, Some(basic)).status()), [200, 200]);
    assert_eq!(asked(&get(&site, 60, None)), ["Basic realm=\"New\""]);
}

#[test]
fn a_share_of_the_passwords_is_changed() {
    for (share, least, most) in [(0.0, 0, 0), (0.5, 30, 70), (1.0, 100, 100)] {
        let mut config = config(Likeness::Iis, &[Offer::Digest(Algorithm::Md5Sess)]);
        config.events = vec![event(60, Befalls::ChangePasswords(share))];
        let site = site(&config);
        let refused = |now: u64| {
            let users = (0..100).map(user);
            users
                .filter(|user| get(&site, now, Some(&answer(asked(&get(&site, now, None))[0], user))).status() == 401)
                .count()
        };
        assert_eq!(refused(59), 0);
        let after = refused(61);
        assert!((least..=most).contains(&after), "{share}: {after}");
        assert_eq!(after, refused(4000), "the same ones for good");
    }
}

/// Kerberos and NTLM are offered as IIS writes them, alone or with others, in any order, and nobody gets in by them.
#[test]
fn windows_authentication_is_offered_and_never_granted() {
    let site = site(&config(Likeness::Iis, &[Offer::Negotiate, Offer::Ntlm]));
    assert_eq!(asked(&get(&site, 0, None)), ["Negotiate", "NTLM"]);
    for token in ["Negotiate TlRMTVNTUAABAAAA", "NTLM TlRMTVNTUAABAAAA", "Basic MjAwMTpzM2NyZXQ="] {
        assert_eq!(get(&site, 0, Some(token)).status(), 401, "{token}");
    }
    let mixed = [Offer::Ntlm, Offer::Basic, Offer::Digest(Algorithm::Md5Sess), Offer::Negotiate];
    let site = self::site(&config(Likeness::Iis, &mixed));
    let response = get(&site, 0, None);
    let schemes: Vec<_> = asked(&response).iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(schemes, ["NTLM", "Basic", "Digest", "Negotiate"]);
}

#[test]
fn without_webdav_uploads_are_not_allowed() {
    for (likeness, allow) in [
        (Likeness::Iis, Some("GET, HEAD, OPTIONS, TRACE")),
        (Likeness::Apache, Some("GET, HEAD, POST, OPTIONS")),
        (Likeness::Nginx, None),
        (Likeness::Strict, Some("GET, HEAD, POST, OPTIONS")),
    ] {
        let site = site(&EmbeddedTarget { webdav: false, ..config(likeness, &[]) });
        for method in [Method::PUT, Method::DELETE] {
            let response = site.respond(at(0), &request(method, "/2001_96xxdata.txt", None));
            assert_eq!(response.status(), 405, "{likeness:?}");
            assert_eq!(response.headers().get("allow").map(|v| v.to_str().unwrap()), allow);
            if likeness == Likeness::Iis {
                assert_eq!(response.body().len(), 1293);
            }
        }
        assert_eq!(get(&site, 0, None).status(), 200);
    }
    // Credentials are asked for before anything is refused.
    let asking = site(&EmbeddedTarget { webdav: false, ..config(Likeness::Iis, &[Offer::Basic]) });
    assert_eq!(asking.respond(at(0), &request(Method::PUT, "/a.txt", None)).status(), 401);
}

/// As Apache's default table of about 12 entries does: it forgets the oldest, whose owners must ask again.
#[test]
fn a_nonce_table_that_is_too_small_makes_nonces_stale() {
    let mut config = config(Likeness::Apache, &[Offer::Digest(Algorithm::Md5)]);
    let stale_of_100 = |config: &EmbeddedTarget| {
        let site = site(config);
        // Everybody is asked, everybody answers; then everybody uses the nonce a second time.
        let mut challenges: Vec<_> = (0..100)
            .map(|number| {
                (user(number), WwwAuthenticateHeader::parse(asked(&get(&site, number.into(), None))[0]).unwrap())
            })
            .collect();
        let mut stale = [0, 0];
        for counted in &mut stale {
            for (user, challenge) in &mut challenges {
                let path = "/2001_96xxdata.txt";
                let context =
                    AuthContext::new_with_method(user.as_str(), "s3cret", path, None::<Vec<u8>>, HttpMethod::GET);
                let line = challenge.respond(&context).unwrap().to_header_string();
                let response = get(&site, 101, Some(&line));
                if response.status() == 401 {
                    assert!(asked(&response)[0].contains("stale=true"), "the password was right");
                    *counted += 1;
                }
            }
        }
        stale
    };
    assert_eq!(stale_of_100(&config), [0, 0]);
    config.auth.nonce_table = Some(1000);
    assert_eq!(stale_of_100(&config), [0, 0]);
    config.auth.nonce_table = Some(12);
    let [first, second] = stale_of_100(&config);
    assert_eq!((first, second), (0, 88), "the last twelve are remembered");
}

#[test]
fn userhash_is_offered_where_it_is_wanted() {
    for (likeness, usually) in [(Likeness::Lighttpd, false), (Likeness::Strict, true)] {
        for userhash in [false, true] {
            let mut config = config(likeness, &[Offer::Digest(Algorithm::Sha256)]);
            assert_eq!(config.auth.userhash, usually);
            config.auth.userhash = userhash;
            let response = get(&site(&config), 0, None);
            assert_eq!(asked(&response)[0].contains("userhash=true"), userhash, "{likeness:?}");
        }
    }
}

fn served(site: &Site, now: u64) -> Served {
    site.serve(at(now), &request(Method::GET, "/46xxsettings.txt", None))
}

#[test]
fn it_is_gone_while_it_is_down() {
    let mut config = config(Likeness::Iis, &[]);
    config.events =
        vec![event(10, Befalls::Down(Duration::from_secs(90))), event(90, Befalls::Down(Duration::from_secs(20)))];
    let site = site(&config);
    assert_eq!(site.outages(), [(at(10), at(110))], "two that overlap are one");
    for (now, down) in [(9, false), (10, true), (109, true), (110, false)] {
        assert_eq!(served(&site, now).mishap == Some(Mishap::Refused), down, "{now}");
    }
}

/// IIS: "kernel queue of 1,000, then 503 from `Server: Microsoft-HTTPAPI/2.0`, `Connection: close`, no Retry-After,
/// 326-byte HTML" (file-servers.md), by a name that does not claim to be Microsoft's.
#[test]
fn a_full_queue_turns_requests_away() {
    let second = Duration::from_secs(1);
    let work = Work { service: (second, second), workers: Some(10), ..Work::of(Likeness::Iis) };
    let mut config = EmbeddedTarget { work, ..config(Likeness::Iis, &[]) };
    let busy = site(&config);
    for number in 0..1010 {
        let expected = at(1 + number / 10);
        let served = served(&busy, 0);
        assert_eq!((served.response.status(), served.at), (StatusCode::OK, Some(expected)), "{number}");
    }
    let refused = served(&busy, 0);
    assert_eq!((refused.at, refused.mishap, refused.response.status().as_u16()), (None, None, 503));
    let header = |name: &str| refused.response.headers().get(name).map(|v| v.to_str().unwrap());
    assert_eq!(header("server"), Some("bootstorm (IIS-like HTTPAPI)"));
    assert_eq!((header("connection"), header("retry-after")), (Some("close"), None));
    assert_eq!(refused.response.body().len(), 326);
    assert_eq!(served(&busy, 1).response.status(), 200, "a second later there is room for ten");
    config.work.overload = Overload::Reset;
    let reset = site(&config);
    let mishaps = (0..1011).map(|_| served(&reset, 0).mishap);
    assert_eq!(mishaps.filter(|m| *m == Some(Mishap::Reset)).count(), 1);
}

#[test]
fn answers_go_wrong_at_their_shares() {
    let status_code = StatusCode::BAD_GATEWAY;
    let faults = Faults { stall: 0.1, cut: 0.1, reset: 0.1, status: 0.1, status_code };
    let site = site(&EmbeddedTarget { faults, ..config(Likeness::Strict, &[]) });
    let all: Vec<_> = (0..2000).map(|_| served(&site, 0)).collect();
    let count = |of: &dyn Fn(&Served) -> bool| all.iter().filter(|s| of(s)).count();
    for n in [
        count(&|s| s.mishap == Some(Mishap::Stall)),
        count(&|s| s.mishap == Some(Mishap::Cut)),
        count(&|s| s.mishap == Some(Mishap::Reset)),
        count(&|s| s.response.status() == status_code),
    ] {
        assert!((150..250).contains(&n), "a tenth of 2,000: {n}");
    }
    assert!((1100..1300).contains(&count(&|s| s.mishap.is_none() && s.response.status() == 200)));
}

/// What befalls a target is part of the effective workload, which reads back as the same workload.
#[test]
fn trouble_survives_the_manifest() {
    use bootstorm::workload::{Overrides, Target, parse};
    let text = r#"
[target.embedded]
webdav = false
auth = { offers = ["ntlm", "negotiate"], nonce-table = 12, userhash = true }
tls = { client-certificates = "asked" }
work = { service = "1ms..5ms", workers = 4, queue = 10, overload = "reset" }
faults = { stall = "1%", cut = 0.02, status = 0.5, status-code = 503 }
event = [
  { at = "2m", password-change = "10%" },
  { at = "1m", rename-realm = "New" },
  { at = "3m", down-for = "90s" },
  { at = "4m", rotate-ticket-keys = true },
  { at = "5m", swap-certificate = "other-ca" },
]
[tls]
device-certificates = "derived"
[[fleet]]
family = "avaya-96xx"
count = 1
[[phase]]
does = "power-up"
"#;
    let read = |text: &str| {
        let plan = parse(text, "w.toml", std::path::Path::new(""), &Overrides::default());
        plan.unwrap_or_else(|e| panic!("{e}"))
    };
    let (first, again) = (read(text), read(&read(text).effective));
    let (Target::Embedded(was), Target::Embedded(is)) = (&first.target, &again.target) else { panic!("embedded") };
    assert_eq!(was, is);
    assert_eq!(first.tls, again.tls);
    assert_eq!(was.events.iter().map(|e| e.at.as_secs_f64()).collect::<Vec<_>>(), [60.0, 120.0, 180.0, 240.0, 300.0]);
    for (wrong, told) in [
        ("{ at = \"1m\" }", "nothing happens"),
        ("{ rename-realm = \"x\" }", "at: is missing"),
        ("{ at = \"1m\", rename-realm = \"x\", down-for = \"1s\" }", "several things happen"),
        ("{ at = \"1m\", password-change = \"200%\" }", "is no share"),
    ] {
        let text = text.replace("{ at = \"1m\", rename-realm = \"New\" }", wrong);
        let error = parse(&text, "w.toml", std::path::Path::new(""), &Overrides::default()).unwrap_err().to_string();
        assert!(error.contains(told), "{wrong}: {error}");
    }
}
