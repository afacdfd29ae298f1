//! The seed's rows, credentials and screens; the rest by subject.

mod reports;
mod rules;
mod timers;

use http::{Method, header};

use super::*;
use crate::phone::bench::{Bench, challenge, fleet, guarded, status};
use crate::phone::{Answer, Input, Moment, People, Request, SizeRange, Standing};

const QUICK: &str = "resync-random-delay = \"1s\"";

fn play(settings: &str, server: impl FnMut(&Request) -> Answer) -> Bench {
    let mut bench = Bench::new(fleet("cisco-mpp", &format!("{QUICK}\n{settings}")));
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), server);
    bench
}

fn credentials_header(request: &Request) -> bool {
    request.headers.iter().any(|(name, _)| name == header::AUTHORIZATION)
}

/// The six rows of the table, each under the seed's own words. `rule` is what the profile rule holds.
#[test]
fn the_six_rows_of_profile_authentication() {
    struct Row {
        quote: &'static str,
        rule: &'static str,
        null: f64,
        wrong: f64,
        outcome: &'static str,
        screen: bool,
    }
    const RIGHT: &str = "[--uid 2001 --pwd right] /$MA.xml";
    const WRONG: &str = "[--uid 2001 --pwd wrong] /$MA.xml";
    let rows = [
        Row {
            quote: "When you provide an incorrect URL in the Profile Rule field, sign-in always fails.",
            rule: "/nowhere/$MA.xml",
            null: 0.0,
            wrong: 0.0,
            outcome: "not-found",
            screen: false,
        },
        Row {
            quote: "When the HTTP or HTTPs 401 authentication error occurs during first-time provisioning after \
                    the phone reboots; When the profile account username and password are empty; When there are \
                    no username and password in the Profile Rule",
            rule: "/$MA.xml",
            null: 1.0,
            wrong: 0.0,
            outcome: "prompt-profile-account",
            screen: true,
        },
        Row {
            quote: "With the correct profile account, authentication passes.",
            rule: "/$MA.xml",
            null: 0.0,
            wrong: 0.0,
            outcome: "ok",
            screen: false,
        },
        Row {
            quote: "With an incorrect profile account, authentication fails.",
            rule: "/$MA.xml",
            null: 0.0,
            wrong: 1.0,
            outcome: "credentials-rejected",
            screen: false,
        },
        Row {
            quote: "a correct URL ... with a correct username and password ... The profile account is not used \
                    for phone resynchronization. Sign-in is successful.",
            rule: RIGHT,
            null: 0.0,
            wrong: 1.0,
            outcome: "ok",
            screen: false,
        },
        Row {
            quote: "a correct URL ... with an incorrect username and password ... The profile account isn't used \
                    for phone resynchronization. Sign-in always fails.",
            rule: WRONG,
            null: 0.0,
            wrong: 0.0,
            outcome: "credentials-rejected",
            screen: false,
        },
    ];
    for row in rows {
        let mut fleet = fleet("cisco-mpp", &format!("{QUICK}\nprofile-rule = \"{}\"", row.rule));
        (fleet.account.null, fleet.account.wrong) = (row.null, row.wrong);
        let mut bench = Bench::new(fleet);
        let mut server = guarded("/", "files", "2001", "right");
        let until = Moment::from_micros(30_000_000);
        bench.play(Input::Trigger(Trigger::PowerUp), until, |r| {
            let answer = server(r);
            // Even a wrong URL may be challenged first; nothing is there all the same.
            if r.path.contains("nowhere") && answer.status == 200 { status(404) } else { answer }
        });
        let story = bench.story();
        assert!(story.contains(&format!("resync: {}", row.outcome)), "{}: {story:#?}", row.quote);
        assert_eq!(story.contains(&"screen profile-account".to_owned()), row.screen, "{}", row.quote);
        let used_account = story.iter().any(|s| s.ends_with(if row.wrong > 0.0 { "not-right" } else { ":right" }));
        if row.rule == RIGHT || row.rule == WRONG {
            assert_eq!(used_account, row.rule == RIGHT && row.wrong == 0.0, "{}: {story:#?}", row.quote);
        }
        bench.assert_ledger();
    }
}

/// "When you disable the feature, the Profile account setup screen doesn't display on the phone."
#[test]
fn no_screen_when_the_feature_is_disabled() {
    let mut fleet = fleet("cisco-mpp", &format!("{QUICK}\nprofile-authentication-type = \"disabled\""));
    fleet.account.null = 1.0;
    let mut bench = Bench::new(fleet);
    bench.play(
        Input::Trigger(Trigger::PowerUp),
        Moment::from_micros(30_000_000),
        guarded("/", "files", "2001", "right"),
    );
    assert!(bench.story().contains(&"resync: no-credentials".to_owned()));
    assert_eq!(bench.standing(), Standing::Failed);
}

/// The screen is for first-time provisioning after a reboot; later resyncs fail without one.
#[test]
fn no_screen_once_the_phone_was_provisioned() {
    let mut fleet = fleet("cisco-mpp", QUICK);
    fleet.account.null = 1.0;
    let mut bench = Bench::new(fleet);
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| status(200));
    assert_eq!(bench.standing(), Standing::Provisioned);
    bench.play(Input::Due, Moment::from_micros(5_000_000_000), guarded("/", "files", "2001", "right"));
    bench.actions.clear();
    bench.play(Input::Trigger(Trigger::Resync), bench.now, guarded("/", "files", "2001", "right"));
    assert!(bench.story().contains(&"resync: no-credentials".to_owned()), "{:?}", bench.story());
    assert_eq!(bench.standing(), Standing::Provisioned);
}

/// What is typed at the setup screen goes into the profile account, right or wrong.
#[test]
fn the_setup_screen_writes_the_profile_account() {
    for (right, outcome, standing) in
        [(1.0, "resync: ok", Standing::Provisioned), (0.0, "resync: credentials-rejected", Standing::Failed)]
    {
        let mut fleet = fleet("cisco-mpp", QUICK);
        fleet.account.null = 1.0;
        fleet.people =
            People { come: 1.0, think: (Duration::from_secs(5), Duration::from_secs(10)), right, attempts: 1 };
        let mut bench = Bench::new(fleet);
        bench.play(
            Input::Trigger(Trigger::PowerUp),
            Moment::from_micros(30_000_000),
            guarded("/", "files", "2001", "right"),
        );
        let story = bench.story();
        let typed = story.iter().position(|s| s.starts_with("typed")).unwrap();
        assert_eq!(story[typed + 1], "stored");
        assert!(story[typed..].contains(&outcome.to_owned()), "{story:#?}");
        assert_eq!(bench.standing(), standing);
        bench.assert_ledger();
    }
}

#[test]
fn redirects_are_followed_at_once_and_never_elsewhere() {
    for (location, outcome) in [("/moved.xml", "resync: ok"), ("https://elsewhere/x", "resync: redirect-refused")] {
        let mut bench = Bench::new(fleet("cisco-mpp", QUICK));
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |r| {
            let mut answer = status(if r.path == "/moved.xml" { 200 } else { 302 });
            answer.headers.insert(header::LOCATION, HeaderValue::from_str(location).unwrap());
            answer
        });
        assert!(bench.story().contains(&outcome.to_owned()), "{:?}", bench.story());
    }
    let mut bench = Bench::new(fleet("cisco-mpp", QUICK));
    let mut asked = 0;
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| {
        asked += 1;
        let mut answer = status(301);
        answer.headers.insert(header::LOCATION, HeaderValue::from_static("/loop.xml"));
        answer
    });
    assert_eq!(asked, 6, "a loop ends");
}

/// A server that calls every answer stale (as one that tests staleness before the password) is not asked for ever.
#[test]
fn stale_for_ever_ends() {
    let mut bench = Bench::new(fleet("cisco-mpp", QUICK));
    let mut asked = 0;
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| {
        asked += 1;
        challenge(&[&format!("Digest realm=\"files\", nonce=\"n{asked}\", qop=\"auth\", stale=TRUE")])
    });
    assert_eq!(asked, 3);
    assert!(bench.story().contains(&"resync: credentials-rejected".to_owned()), "{:?}", bench.story());
}

#[test]
fn the_agent_is_the_documented_one() {
    let mut bench = Bench::new(fleet("cisco-mpp", "resync-random-delay = \"0s\""));
    let request = bench.give(Input::Trigger(Trigger::PowerUp)).unwrap();
    assert_eq!(request.headers[0].1, "Cisco-CP-8841-3PCC/11.0 (00562b040001)");
}

/// "XSI Authentication (same exchange, credentials from XSI)" [doc]
#[test]
fn xsi_credentials_are_used_with_xsi_authentication() {
    let xsi = "xsi-user = \"x{ext}\"\nxsi-password = \"xp\"";
    for (kind, user, password) in [
        ("xsi-authentication", "x2001", "xp"),
        ("basic-http-authentication", "2001", "right"),
        ("disabled", "2001", "right"),
    ] {
        let bench =
            play(&format!("profile-authentication-type = \"{kind}\"\n{xsi}"), guarded("/", "files", user, password));
        assert_eq!(bench.standing(), Standing::Provisioned, "{kind}: {:?}", bench.story());
    }
    let in_rule = "profile-rule = \"[--uid r --pwd rp] /x\"\nprofile-authentication-type = \"xsi-authentication\"";
    let bench = play(&format!("{in_rule}\n{xsi}"), guarded("/", "files", "r", "rp"));
    assert_eq!(bench.standing(), Standing::Provisioned, "the rule comes first");
}

/// "If the Profile account setup screen is missed or ignored, the user can also access the setup screen through the
/// phone screen menu, or the Setup softkey" [seed]
#[test]
fn a_missed_setup_screen_can_be_opened_by_menu() {
    for (kind, null, wrong, opens) in [
        ("basic-http-authentication", 1.0, 0.0, true),
        ("basic-http-authentication", 0.0, 1.0, true),
        ("disabled", 1.0, 0.0, false),
        ("disabled", 0.0, 1.0, false),
    ] {
        for (share, opens) in [(1.0, opens), (0.0, false)] {
            let settings = format!(
                "{QUICK}\nprofile-authentication-type = \"{kind}\"\nsetup-by-menu = {share:?}\nsetup-by-menu-after = \"20m\""
            );
            let mut fleet = fleet("cisco-mpp", &settings);
            (fleet.account.null, fleet.account.wrong) = (null, wrong);
            let mut bench = Bench::new(fleet);
            let day = Moment::from_micros(10_000_000_000);
            bench.play(Input::Trigger(Trigger::PowerUp), day, guarded("/", "files", "2001", "right"));
            let typed = bench.story().iter().filter(|s| *s == "typed right").count();
            assert_eq!(typed, usize::from(opens), "{kind} {null} {wrong}: {:#?}", bench.story());
            assert_eq!(bench.standing() == Standing::Provisioned, opens);
            bench.assert_ledger();
        }
    }
}

/// "401/407 as above" [doc]: a proxy's challenge is answered with `Proxy-Authorization`.
#[test]
fn a_proxys_challenge_is_answered() {
    for (challenge, scheme) in
        [("Basic realm=\"proxy\"", "Basic "), ("Digest realm=\"proxy\", nonce=\"n\", qop=\"auth\"", "Digest ")]
    {
        let bench = play("", |r| {
            assert!(r.headers.iter().all(|(name, _)| name != header::AUTHORIZATION));
            let answer = r.headers.iter().find(|(name, _)| name == header::PROXY_AUTHORIZATION);
            match answer {
                Some((_, value)) => {
                    assert!(value.to_str().unwrap().starts_with(scheme));
                    status(200)
                }
                None => {
                    let mut asks = status(407);
                    asks.headers.insert(header::PROXY_AUTHENTICATE, HeaderValue::from_static(challenge));
                    asks
                }
            }
        });
        assert_eq!(bench.standing(), Standing::Provisioned, "{:?}", bench.story());
    }
}

/// "First request carries no credentials; the 401 is answered at once, at most 2 retries" [doc]
#[test]
fn the_first_request_carries_no_credentials() {
    let bench = play(
        "profile-rule = \"[--uid 2001 --pwd right] /a\"\nprofile-rule-b = \"[--uid 2001 --pwd right] /b\"",
        guarded("/", "files", "2001", "right"),
    );
    let story: Vec<_> = bench.story().into_iter().filter(|s| s.starts_with("GET")).collect();
    assert_eq!(story, ["GET /a", "GET /a as 2001:right", "GET /b", "GET /b as 2001:right"]);
}

/// "Digest: MD5 with qop=auth [assumed]; SHA-256 behind a switch, off."; no `Accept-Encoding` [assumed].
#[test]
fn digest_and_encoding_are_switches() {
    let sha = "Digest realm=\"files\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";
    let md5 = "Digest realm=\"files\", nonce=\"n\", qop=\"auth\"";
    for (settings, offered, answered) in
        [("", md5, true), ("", sha, false), ("digest-sha256 = true", sha, true), ("digest = false", md5, false)]
    {
        let bench = play(settings, |r| match credentials_header(r) {
            true => status(200),
            false => challenge(&[offered]),
        });
        assert_eq!(bench.standing() == Standing::Provisioned, answered, "{settings} {offered}");
        assert_eq!(bench.story().contains(&"resync: no-usable-scheme".to_owned()), !answered);
    }
    let encodings = |settings: &str| {
        let mut bench = Bench::new(fleet("cisco-mpp", &format!("resync-random-delay = 0\n{settings}")));
        let request = bench.give(Input::Trigger(Trigger::PowerUp)).unwrap();
        request.headers.iter().filter(|(name, _)| name == header::ACCEPT_ENCODING).count()
    };
    assert_eq!((encodings(""), encodings("accept-encoding = \"gzip\"")), (0, 1));
}

#[test]
fn wrong_settings_are_told() {
    let read = |text: &str| (REGISTRATION.read)(&text.parse().unwrap()).unwrap_err();
    for (text, key) in [
        ("profile-rule = \"\"", "profile-rule"),
        ("profile-rule-c = \"(\"", "profile-rule-c"),
        ("bare-ip-names = []", "bare-ip-names"),
        ("bare-ip-names = [\"x\"]", "bare-ip-names"),
        ("gpp = { Q = \"x\" }", "gpp"),
        ("in-use = 2.0", "in-use"),
        ("setup-by-menu = -0.1", "setup-by-menu"),
        ("resync-at = \"24:00\"", "resync-at"),
        ("resync-error-retry-delay = \"soon\"", "resync-error-retry-delay"),
    ] {
        assert_eq!(read(text).key.as_deref(), Some(key), "{text}");
    }
}

/// "The screen's three conditions ... are joined by AND [assumed; a switch]." With the switch off, an empty account and no
/// credentials in the rule are enough, at any resync.
#[test]
fn the_screen_may_need_less() {
    for (all, outcome) in [(true, "resync: no-credentials"), (false, "resync: prompt-profile-account")] {
        let mut fleet = fleet("cisco-mpp", &format!("setup-screen-needs-all = {all}"));
        fleet.account.null = 1.0;
        fleet.starts_on = true;
        let mut bench = Bench::new(fleet);
        bench.play(Input::Trigger(Trigger::Resync), bench.now, guarded("/", "files", "2001", "right"));
        assert!(bench.story().contains(&outcome.to_owned()), "{:?}", bench.story());
    }
}

/// A connection is kept or not as the setting says [assumed].
#[test]
fn a_connection_is_kept_by_setting() {
    for on in [true, false] {
        let mut bench = Bench::new(fleet("cisco-mpp", &format!("resync-random-delay = 0\nkeep-alive = {on}")));
        assert_eq!(bench.give(Input::Trigger(Trigger::PowerUp)).unwrap().keep_alive, on);
    }
}
