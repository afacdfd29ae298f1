//! The seed, row by row, and the documented rest.

use super::super::bench::{Bench, challenge, credentials, fleet, guarded, status};
use std::time::Duration;

use super::super::{Account, Input, Moment, People, Standing};
use super::*;

const QUICK: &str = "registration-delay = \"1s\"\nbackup-delay = \"5s\"";

fn bench(change: impl FnOnce(&mut Account)) -> Bench {
    let mut fleet = fleet("avaya-96xx", QUICK);
    change(&mut fleet.account);
    Bench::new(fleet)
}

#[test]
fn the_boot_chain_in_order() {
    let mut bench = bench(|_| ());
    bench.boot(guarded("/backup", "files", "2001", "right"));
    assert_eq!(
        bench.story(),
        [
            "GET /96x1Hupgrade.txt",
            "GET /46xxsettings.txt",
            "resync: ok",
            "GET /backup/2001_96xxdata.txt",
            "challenge first",
            "GET /backup/2001_96xxdata.txt as 2001:right",
            "restore: ok",
            "provisioned",
        ]
    );
    assert_eq!(bench.standing(), Standing::Provisioned);
    bench.assert_ledger();
}

/// Each row quotes the seed; `stored` is what the phone has, `server` what the server wants.
#[test]
fn the_three_answers_to_a_challenge() {
    struct Row {
        quote: &'static str,
        set: fn(&mut Account),
        realm: &'static str,
        ends: &'static [&'static str],
        standing: Standing,
    }
    let rows = [
        Row {
            quote: "the realm in the challenge matches the stored realm, the phone uses the stored credentials \
                    to respond to the challenge without prompting the user",
            set: |_| (),
            realm: "files",
            ends: &["challenge first", "GET /backup/2001_96xxdata.txt as 2001:right", "restore: ok", "provisioned"],
            standing: Standing::Provisioned,
        },
        Row {
            quote: "if the stored credentials are null ... display an HTTP Authentication ... interrupt screen",
            set: |a| a.null = 1.0,
            realm: "files",
            ends: &["challenge first", "restore: prompt-authentication", "screen authentication"],
            standing: Standing::Prompting,
        },
        Row {
            quote: "or if the realms do not match",
            set: |a| a.stale_realm = 1.0,
            realm: "files",
            ends: &["challenge first", "restore: prompt-authentication", "screen authentication"],
            standing: Standing::Prompting,
        },
        Row {
            quote: "or if the realms do not match (the server's realm was renamed)",
            set: |_| (),
            realm: "renamed",
            ends: &["challenge first", "restore: prompt-authentication", "screen authentication"],
            standing: Standing::Prompting,
        },
        Row {
            quote: "or if an authentication attempt using the stored credentials fails ... HTTP Authentication \
                    Failure interrupt screen",
            set: |a| a.wrong = 1.0,
            realm: "files",
            ends: &[
                "challenge first",
                "GET /backup/2001_96xxdata.txt as 2001:not-right",
                "challenge rejected",
                "restore: prompt-authentication-failure",
                "screen authentication-failure",
            ],
            standing: Standing::Prompting,
        },
    ];
    for row in rows {
        let mut bench = bench(row.set);
        bench.boot(guarded("/backup", row.realm, "2001", "right"));
        let story = bench.story();
        assert!(
            story.ends_with(&row.ends.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()),
            "{}: {story:#?}",
            row.quote
        );
        assert_eq!(bench.standing(), row.standing, "{}", row.quote);
        bench.assert_ledger();
    }
}

fn with_person(right: f64, attempts: u32, set: impl FnOnce(&mut Account)) -> Bench {
    let mut fleet = fleet("avaya-96xx", QUICK);
    set(&mut fleet.account);
    let think = (Duration::from_secs(30), Duration::from_secs(60));
    fleet.people = People { come: 1.0, think, right, attempts };
    Bench::new(fleet)
}

/// "New values replace the stored authentication and realm values: When HTTP authentication for backup or
/// restore succeeds; If the userid, password, or realm used differs from those values that are stored in
/// the phone"
#[test]
fn typed_credentials_that_succeed_are_stored_and_survive_a_reboot() {
    for (set, realm) in
        [((|a| a.null = 1.0) as fn(&mut Account), "files"), (|_| (), "renamed"), (|a| a.wrong = 1.0, "files")]
    {
        let mut bench = with_person(1.0, 3, set);
        bench.boot(guarded("/backup", realm, "2001", "right"));
        let story = bench.story();
        let end = [
            "typed right",
            "GET /backup/2001_96xxdata.txt",
            "challenge first",
            "GET /backup/2001_96xxdata.txt as 2001:right",
            "stored",
            "restore: ok",
            "provisioned",
        ];
        assert!(story.ends_with(&end.map(String::from)), "{story:#?}");
        assert_eq!(bench.standing(), Standing::Provisioned);
        bench.assert_ledger();

        bench.actions.clear();
        bench.boot(guarded("/backup", realm, "2001", "right"));
        assert!(!bench.story().iter().any(|s| s.starts_with("screen") || s == "stored"), "{:#?}", bench.story());
    }
}

/// "If HTTP authentication fails, the user is prompted to enter new credentials."
#[test]
fn typed_credentials_that_fail_are_not_stored_and_the_user_is_prompted_again() {
    let mut bench = with_person(0.0, 2, |a| a.null = 1.0);
    bench.boot(guarded("/backup", "files", "2001", "right"));
    let screens: Vec<_> = bench
        .story()
        .into_iter()
        .filter(|s| s.starts_with("screen") || s.starts_with("typed") || s == "stored")
        .collect();
    assert_eq!(
        screens,
        [
            "screen authentication",
            "typed wrong",
            "screen authentication-failure",
            "typed wrong",
            "screen authentication-failure"
        ]
    );
    assert_eq!(bench.standing(), Standing::Prompting);
    assert!(bench.phone.is_settled(), "the person gave up after two attempts");
    bench.assert_ledger();
}

/// "The phone sends the registration credentials without regard to the BRAUTH setting if no certificates are
/// downloaded." The address first, a colon, then the registration password.
#[test]
fn registration_credentials_are_sent_unasked() {
    for (downloaded, brauth, sent) in
        [(false, false, true), (false, true, true), (true, true, true), (true, false, false)]
    {
        for tls in [true, false] {
            let settings = format!(
                "{QUICK}\ncertificates-downloaded = {downloaded}\nbrauth = {brauth}\nregistration-password = \"123456\""
            );
            let mut bench = Bench::new(fleet("avaya-96xx", &settings));
            bench.origin = Arc::new(super::super::Origin { tls, ..(*bench.origin).clone() });
            let mut carried = None;
            bench.boot(|request| {
                if request.path.contains("/backup") {
                    carried = credentials(request);
                } else {
                    assert_eq!(credentials(request), None);
                }
                status(200)
            });
            let expected = (sent && tls).then(|| Credentials::new("10.1.2.3", "123456"));
            assert_eq!(carried, expected, "downloaded {downloaded}, BRAUTH {brauth}, TLS {tls}");
        }
    }
}

/// Unasked credentials that the server does not want do not stand in the way of the stored ones.
#[test]
fn refused_registration_credentials_give_way_to_the_stored_ones() {
    let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\ncertificates-downloaded = false")));
    bench.boot(guarded("/backup", "files", "2001", "right"));
    let story = bench.story();
    assert!(story.contains(&"challenge unsolicited".to_owned()), "{story:#?}");
    assert_eq!(bench.standing(), Standing::Provisioned);
}

#[test]
fn a_restore_that_finds_no_file_leaves_the_phone_with_its_settings() {
    let mut bench = bench(|_| ());
    bench.boot(|r| status(if r.path.contains("/backup") { 404 } else { 200 }));
    assert!(bench.story().ends_with(&["restore: not-found".to_owned(), "provisioned".to_owned()]));
    assert_eq!(bench.standing(), Standing::Provisioned);
}

#[test]
fn a_change_is_backed_up_after_its_delay_and_several_changes_once() {
    let mut bench = bench(|_| ());
    bench.boot(guarded("/backup", "files", "2001", "right"));
    bench.actions.clear();
    bench.give(Input::Trigger(Trigger::Change));
    bench.now = bench.now + Duration::from_secs(3);
    let until = Moment::NEVER;
    bench.play(Input::Trigger(Trigger::Change), until, guarded("/backup", "files", "2001", "right"));
    // The protection space is known since the restore: no challenge.
    assert_eq!(bench.story(), ["PUT /backup/2001_96xxdata.txt as 2001:right", "backup: ok"]);
    bench.assert_ledger();
}

#[test]
fn only_unusable_schemes_end_the_restore_in_a_word_of_its_own() {
    for challenges in [&["Negotiate", "NTLM"][..], &["NTLM TlRMTVNTUAAC"]] {
        let mut bench = bench(|_| ());
        bench.boot(|r| if r.path.contains("/backup") { challenge(challenges) } else { status(200) });
        assert!(bench.story().contains(&"restore: no-usable-scheme".to_owned()));
        assert_eq!(bench.standing(), Standing::Failed);
        bench.assert_ledger();
    }
}

#[test]
fn settings_that_cannot_be_had_are_tried_again_after_a_quarter_of_an_hour() {
    let mut bench = bench(|_| ());
    bench.boot(|_| status(500));
    assert_eq!(bench.story(), ["GET /96x1Hupgrade.txt", "resync: http-500", "restore dropped: boot-incomplete"]);
    assert_eq!(bench.standing(), Standing::Failed);
    assert_eq!(bench.phone.next_due(), Moment::ZERO + Duration::from_secs(900));
    bench.assert_ledger();
    bench.now = bench.phone.next_due();
    bench.play(Input::Due, bench.now + Duration::from_secs(60), guarded("/backup", "files", "2001", "right"));
    assert_eq!(bench.standing(), Standing::Provisioned);
    bench.assert_ledger();
}

#[test]
fn power_lost_in_the_middle_ends_the_operation_and_boots_anew() {
    let mut bench = bench(|_| ());
    assert!(bench.give(Input::Trigger(Trigger::PowerUp)).is_some());
    assert!(bench.give(Input::Trigger(Trigger::PowerUp)).is_some());
    assert_eq!(
        bench.story(),
        ["GET /96x1Hupgrade.txt", "resync: aborted", "restore dropped: powered-off", "GET /96x1Hupgrade.txt"]
    );
    bench.play(Input::Answered(&status(200)), Moment::NEVER, guarded("/backup", "files", "2001", "right"));
    assert_eq!(bench.standing(), Standing::Provisioned);
    bench.assert_ledger();
}

/// "`GET /96x1Hupgrade.txt` … `GET /46xxsettings.txt`; often a routine 404 for a `.scr` twin. Firmware package if its name
/// differs, language files, certificates (TRUSTCERTS)" [doc; order assumed]
#[test]
fn the_settings_chain_whole() {
    let settings = format!(
        "{QUICK}\nscr-twin = true\nlanguage-files = [\"mlf_german.xml\"]\ncertificate-files = [\"ca.pem\"]\n\
         firmware-file = \"S9608.bin\"\nsettings-path = \"/phones\""
    );
    for (missing, resync) in
        [(".scr", "ok"), (".xml", "ok"), (".pem", "ok"), (".bin", "ok"), ("settings.txt", "not-found")]
    {
        let mut bench = Bench::new(fleet("avaya-96xx", &settings));
        bench.boot(|r| status(if r.path.ends_with(missing) { 404 } else { 200 }));
        let story = bench.story();
        assert!(story.contains(&format!("resync: {resync}")), "{missing}: {story:#?}");
        if resync == "ok" {
            assert_eq!(
                story[..5],
                ["96x1Hupgrade.txt", "46xxsettings.txt", "46xxsettings.scr", "mlf_german.xml", "ca.pem"]
                    .map(|name| format!("GET /phones/{name}"))
            );
            assert_eq!(story[6], "GET /phones/S9608.bin", "{story:#?}");
            assert_eq!(bench.standing(), Standing::Provisioned, "{missing}");
        }
        bench.assert_ledger();
    }
}

/// A server that answers neither over TLS (`failure`) nor for settings that need none.
fn without_tls(settings: &str, failure: Failure, fallback: bool) -> Bench {
    let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\n{settings}")));
    let http = Arc::new(super::super::Origin { tls: false, host: "server".into(), port: 80 });
    bench.fallback = fallback.then_some(http);
    let mut request = bench.give(Input::Trigger(Trigger::PowerUp));
    while let Some(sent) = request.take() {
        request = match sent.origin.tls {
            true => bench.give(Input::Failed(failure)),
            false => bench.give(Input::Answered(&status(200))),
        };
    }
    bench
}

/// "HTTPS first, then the same request over HTTP if that cannot connect." [doc, sister product]
#[test]
fn https_first_then_http_if_that_cannot_connect() {
    let twice = [
        "GET /96x1Hupgrade.txt",
        "GET /96x1Hupgrade.txt",
        "GET /46xxsettings.txt",
        "GET /46xxsettings.txt",
        "resync: ok",
    ];
    for (settings, failure, fallback, falls) in [
        ("", Failure::ConnectRefused, true, true),
        ("", Failure::ConnectTimeout, true, true),
        ("", Failure::ConnectRefused, false, false),
        ("", Failure::TlsUnknownCa, true, false),
        ("http-after-tls-failure = true", Failure::TlsUnknownCa, true, true),
        ("", Failure::TimeoutFirstByte, true, false),
    ] {
        let mut bench = without_tls(settings, failure, fallback);
        match falls {
            true => assert_eq!(bench.story(), twice, "{failure:?}"),
            false => assert_eq!(
                bench.story()[..2],
                ["GET /96x1Hupgrade.txt".to_owned(), format!("resync: {}", failure.name())]
            ),
        }
        bench.give(Input::Abort);
        bench.assert_ledger();
    }
    // The backup file's URI names its scheme: no fallback, unless the setting says so.
    for falls in [false, true] {
        let settings = format!("transfers-fall-back = {falls}\nbrauth = true");
        let mut bench = without_tls(&settings, Failure::ConnectRefused, true);
        bench.now = bench.phone.next_due();
        assert!(bench.give(Input::Due).is_some());
        let again = bench.give(Input::Failed(Failure::ConnectRefused));
        assert_eq!(again.is_some(), falls);
        assert!(again.is_none_or(|r| credentials(&r).is_none()), "registration credentials stay out of plain HTTP");
    }
}

/// "deletion is `DELETE`. Any 2xx is success for PUT and DELETE." [doc]
#[test]
fn any_2xx_is_success_for_put_and_delete() {
    for (trigger, method, word) in [(Trigger::Delete, "DELETE", "delete"), (Trigger::Backup, "PUT", "backup")] {
        for code in [200, 201, 202, 204, 207] {
            let mut bench = bench(|_| ());
            bench.boot(|_| status(200));
            bench.actions.clear();
            bench.play(Input::Trigger(trigger), bench.now + Duration::from_secs(60), |_| status(code));
            assert_eq!(bench.story(), [format!("{method} /backup/2001_96xxdata.txt"), format!("{word}: ok")]);
        }
    }
}

/// What was deleted is not missed when nothing comes back; the display says the vendor's words.
#[test]
fn a_restore_after_a_delete_fails_to_retrieve() {
    let mut bench = bench(|_| ());
    bench.boot(|_| status(200));
    for (trigger, code) in [(Trigger::Backup, 201), (Trigger::Delete, 204), (Trigger::Restore, 404)] {
        bench.play(Input::Trigger(trigger), bench.now + Duration::from_secs(60), |_| status(code));
    }
    assert_eq!(bench.story().last().unwrap(), "restore: not-found");
    // "Retrieval failed"; the phone keeps its settings. [doc, sister model]
    let says = |operation, outcome| bench.fleet.family.says(operation, outcome);
    assert_eq!(says(Operation::Restore, Outcome::NotFound), Some("Retrieval failed"));
    assert_eq!(says(Operation::Backup, Outcome::NotFound), None);
    assert_eq!(bench.standing(), Standing::Provisioned);
}

/// "display an HTTP Authentication or an HTTP Authentication Failure interrupt screen: Enter backup/restore
/// credentials." [seed]
#[test]
fn the_screens_have_the_seeds_words() {
    for (screen, title) in [
        (Screen::Authentication, "HTTP Authentication"),
        (Screen::AuthenticationFailure, "HTTP Authentication Failure"),
    ] {
        assert_eq!((screen.title(), screen.text()), (title, "Enter backup/restore credentials"));
    }
}

/// A realm typed as `*` matches any realm from then on, where the setting says so [assumed].
#[test]
fn a_star_for_the_realm_matches_any() {
    for (star, again) in [(true, false), (false, true)] {
        let mut fleet = fleet("avaya-96xx", &format!("{QUICK}\nrealm-star = {star}"));
        fleet.account.null = 1.0;
        let think = (Duration::from_secs(30), Duration::from_secs(60));
        fleet.people = People { come: 1.0, think, right: 1.0, attempts: 3 };
        let mut bench = Bench::new(fleet);
        bench.boot(guarded("/backup", "files", "2001", "right"));
        assert_eq!(bench.standing(), Standing::Provisioned);
        for realm in ["renamed", "and again"] {
            bench.actions.clear();
            bench.boot(guarded("/backup", realm, "2001", "right"));
            let screens = bench.story().iter().any(|s| s.starts_with("screen"));
            assert_eq!(screens, again, "{realm}: {:#?}", bench.story());
        }
    }
}

/// "Older firmware used a libcurl of 2015 [seen], which adds `Expect: 100-continue` to a PUT: a knob."
#[test]
fn a_put_may_expect_100_continue() {
    for (on, trigger, expects) in
        [(true, Trigger::Backup, true), (false, Trigger::Backup, false), (true, Trigger::Restore, false)]
    {
        let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\nexpect-continue = {on}")));
        bench.boot(|_| status(200));
        let request = bench.give(Input::Trigger(trigger)).unwrap();
        assert_eq!(request.headers.iter().any(|(name, _)| name == header::EXPECT), expects);
    }
}

/// The phone backs up first, then reboots through its boot chain [assumed]; nobody's answer is waited for.
#[test]
fn a_restart_backs_up_first() {
    for (settings, first) in [("", true), ("backup-at-restart = false", false)] {
        for code in [201, 503] {
            let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\n{settings}")));
            bench.boot(|_| status(200));
            bench.actions.clear();
            let until = bench.now + Duration::from_secs(60);
            let mut kept = bytes::Bytes::new();
            bench.play(Input::Trigger(Trigger::Restart), until, |r| {
                if r.method != Method::PUT {
                    return super::super::Answer { body: super::super::BodyFacts::of(&kept), ..status(200) };
                }
                kept = r.body.clone();
                status(code)
            });
            let story = bench.story();
            let chain = ["GET /96x1Hupgrade.txt", "GET /46xxsettings.txt", "resync: ok"];
            assert_eq!(story[usize::from(first) * 2..][..3], chain, "{story:#?}");
            assert_eq!(story[0].starts_with("PUT"), first);
            assert_eq!(bench.standing(), Standing::Provisioned);
            bench.assert_ledger();
        }
    }
}

/// Settings downloads carry no credentials [assumed], unless the setting says so.
#[test]
fn settings_downloads_carry_credentials_only_by_setting() {
    for (on, outcome) in [(false, "resync: no-credentials"), (true, "resync: ok")] {
        let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\nsettings-credentials = {on}")));
        bench.boot(guarded("/", "files", "2001", "right"));
        assert!(bench.story().contains(&outcome.to_owned()), "{:#?}", bench.story());
        assert!(!bench.story().iter().any(|s| s.starts_with("screen")));
    }
}

/// "Append `/` unless it ends in one, then the file name. It may carry a port and a folder." [doc]
#[test]
fn the_backup_uri_takes_a_slash_if_it_lacks_one() {
    for (bruri, path) in [
        ("/", "/2001_96xxdata.txt"),
        ("/backup", "/backup/2001_96xxdata.txt"),
        ("/backup/", "/backup/2001_96xxdata.txt"),
        ("/a/b", "/a/b/2001_96xxdata.txt"),
    ] {
        let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\nbruri = \"{bruri}\"")));
        bench.boot(|_| status(200));
        assert!(bench.story().contains(&format!("GET {path}")), "{:#?}", bench.story());
    }
}

/// A connection is kept or not as the setting says [assumed].
#[test]
fn connections_are_kept_by_setting() {
    for on in [true, false] {
        let mut bench = Bench::new(fleet("avaya-96xx", &format!("keep-alive = {on}")));
        assert_eq!(bench.give(Input::Trigger(Trigger::PowerUp)).unwrap().keep_alive, on);
    }
}

/// "One attempt per request; whoever asked retries" [doc, sister model]; more by setting, never past a prompt.
#[test]
fn a_transfer_is_tried_once_or_more_by_setting() {
    for (attempts, code, tried) in [(1, 503, 1), (3, 503, 3), (3, 404, 1), (3, 201, 1), (3, 401, 1)] {
        let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\ntransfer-attempts = {attempts}")));
        bench.boot(|_| status(200));
        bench.actions.clear();
        let until = bench.now + Duration::from_secs(600);
        bench.play(Input::Trigger(Trigger::Backup), until, |_| match code {
            401 => challenge(&["Basic realm=\"other\""]),
            code => status(code),
        });
        let puts = bench.story().iter().filter(|s| s.starts_with("backup:")).count();
        assert_eq!(puts, tried, "{attempts} {code}: {:#?}", bench.story());
        bench.assert_ledger();
    }
}

/// A phone whose restore failed at boot is provisioned by the one that succeeds, whoever asked for it.
#[test]
fn a_later_restore_mends_the_boot_chain() {
    for (settings, trigger) in
        [("transfer-attempts = 2", None), ("", Some(Trigger::Restore)), ("", Some(Trigger::Resync))]
    {
        let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\n{settings}")));
        let mut fails = true;
        bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |r| {
            status(if r.path.contains("/backup") && std::mem::take(&mut fails) { 500 } else { 200 })
        });
        assert_eq!(bench.standing(), Standing::Failed);
        let until = bench.now + Duration::from_secs(120);
        bench.play(trigger.map_or(Input::Due, Input::Trigger), until, |_| status(200));
        assert_eq!(bench.standing(), Standing::Provisioned, "{settings} {trigger:?}: {:#?}", bench.story());
        bench.assert_ledger();
    }
}

/// "Basic is documented; Digest for backup is unconfirmed: a profile switch, on by default [assumed]."
#[test]
fn digest_for_backup_is_a_switch() {
    for (on, standing) in [(true, Standing::Provisioned), (false, Standing::Failed)] {
        let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\ndigest = {on}")));
        bench.boot(|r| {
            let answered = r.headers.iter().any(|(name, _)| name == header::AUTHORIZATION);
            match r.path.contains("/backup") && !answered {
                true => challenge(&["Digest realm=\"files\", nonce=\"n\", qop=\"auth\", algorithm=MD5-sess"]),
                false => status(200),
            }
        });
        assert_eq!(bench.standing(), standing, "{:#?}", bench.story());
        assert_eq!(bench.story().contains(&"restore: no-usable-scheme".to_owned()), !on);
    }
}

/// An answered protection space is used for the next request without a new challenge [assumed].
#[test]
fn a_known_space_is_used_by_setting() {
    for (on, challenges) in [(true, 0), (false, 1)] {
        let mut bench = Bench::new(fleet("avaya-96xx", &format!("{QUICK}\npreemptive = {on}")));
        bench.boot(guarded("/backup", "files", "2001", "right"));
        bench.actions.clear();
        let until = bench.now + Duration::from_secs(60);
        bench.play(Input::Trigger(Trigger::Backup), until, guarded("/backup", "files", "2001", "right"));
        let story = bench.story();
        assert_eq!(story.iter().filter(|s| s.starts_with("challenge")).count(), challenges, "{story:#?}");
        assert_eq!(story.last().unwrap(), "backup: ok");
    }
}

/// "`User-Agent` unconfirmed: `AVAYA` by default."
#[test]
fn the_agent_is_a_setting() {
    for (settings, agent) in [("", "AVAYA"), ("user-agent = \"AVAYA/6.8\"", "AVAYA/6.8")] {
        let mut bench = Bench::new(fleet("avaya-96xx", settings));
        let request = bench.give(Input::Trigger(Trigger::PowerUp)).unwrap();
        assert_eq!(request.headers, [(header::USER_AGENT, HeaderValue::from_static(agent))]);
    }
}
