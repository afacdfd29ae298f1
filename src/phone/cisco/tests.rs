//! The seed's rows, and the documented rest.

use super::super::bench::{Bench, challenge, fleet, guarded, status};
use super::super::{Input, Moment, People, Standing};
use super::*;

const QUICK: &str = "resync-random-delay = \"1s\"";

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

/// `Resync_Error_Retry_Delay`: 60, 120, 240 … without jitter; the last entry repeats; success ends it.
#[test]
fn the_retry_list_is_followed_to_the_second() {
    let mut bench =
        Bench::new(fleet("cisco-mpp", "resync-random-delay = \"0s\"\nresync-error-retry-delay = \"60,120,240\""));
    let mut at = Vec::new();
    bench.give(Input::Trigger(Trigger::PowerUp));
    for _ in 0..5 {
        bench.give(Input::Answered(&status(503)));
        bench.now = bench.phone.next_due();
        at.push(bench.now.as_micros() / 1_000_000);
        assert!(bench.give(Input::Due).is_some());
    }
    assert_eq!(at, [60, 180, 420, 660, 900]);
    bench.give(Input::Answered(&status(200)));
    assert_eq!(bench.standing(), Standing::Provisioned);
    assert_eq!(
        bench.phone.next_due(),
        bench.now + Duration::from_secs(3600),
        "periodic is armed after the first success"
    );
    bench.assert_ledger();
}

#[test]
fn rules_run_in_order_and_a_failure_aborts_the_sequence() {
    let settings =
        format!("{QUICK}\nprofile-rule = \"/a.xml\"\nprofile-rule-b = \"# /off.xml\"\nprofile-rule-c = \"/c.xml\"");
    let mut bench = Bench::new(fleet("cisco-mpp", &settings));
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| status(200));
    assert_eq!(bench.story(), ["GET /a.xml", "GET /c.xml", "resync: ok", "provisioned"]);
    let mut bench = Bench::new(fleet("cisco-mpp", &settings));
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| status(404));
    assert_eq!(bench.story(), ["GET /a.xml", "resync: not-found"]);
}

#[test]
fn a_missing_file_is_a_success_when_the_phone_is_told_so() {
    let mut bench = Bench::new(fleet("cisco-mpp", &format!("{QUICK}\nresync-fails-on-fnf = false")));
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| status(404));
    assert_eq!(bench.standing(), Standing::Provisioned);
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

#[test]
fn a_change_is_reported_after_a_minute() {
    let mut fleet = fleet("cisco-mpp", QUICK);
    fleet.starts_on = true;
    let mut bench = Bench::new(fleet);
    bench.give(Input::Trigger(Trigger::Change));
    assert_eq!(bench.phone.next_due(), Moment::ZERO + Duration::from_secs(60));
    bench.play(Input::Due, Moment::from_micros(61_000_000), guarded("/", "files", "2001", "right"));
    let story = bench.story();
    assert_eq!(story[0], "POST /reports/00562b040001.xml");
    assert_eq!(story.last().unwrap(), "report: ok");
    bench.assert_ledger();
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
