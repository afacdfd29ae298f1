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
