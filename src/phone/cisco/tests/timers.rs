//! Timers, and what a status means to them.

use super::*;

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
fn a_missing_file_is_a_success_when_the_phone_is_told_so() {
    let mut bench = Bench::new(fleet("cisco-mpp", &format!("{QUICK}\nresync-fails-on-fnf = false")));
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(30_000_000), |_| status(404));
    assert_eq!(bench.standing(), Standing::Provisioned);
}

/// "`Resync_On_Reset`: resync after power-up" [doc]
#[test]
fn no_resync_on_reset() {
    let bench = play("resync-on-reset = false", |_| status(200));
    assert_eq!(bench.story(), ["provisioned"]);
    assert_eq!(bench.phone.next_due(), Moment::NEVER, "periodic is armed after the first success");
    let bench = play("resync-on-reset = false\nresync-at = \"0100\"\nresync-at-random-delay = \"0s\"", |_| status(200));
    assert_eq!(bench.phone.next_due(), Moment::ZERO + Duration::from_secs(3_600));
}

/// "`Resync_Random_Delay` 2: uniform 0..value before the first attempt after boot; unit disputed: 20 s (default here)
/// or 1 s" [doc]
#[test]
fn the_random_delay_has_a_unit() {
    for (settings, most) in [
        ("", 20),
        ("resync-random-delay-unit = \"1s\"", 2),
        ("resync-random-delay = 6", 60),
        ("resync-random-delay = \"5s\"", 5),
    ] {
        let fleet = fleet("cisco-mpp", settings);
        assert_eq!(fleet.family.boot()[0].delay, Delay::up_to(Duration::from_secs(most)), "{settings}");
    }
}

/// "`Resync_At`: HHmm; wins over periodic; plus `Resync_At_Random_Delay` (600 s)" [doc]
#[test]
fn resync_at_wins_over_periodic() {
    let settings = "resync-at = \"0330\"\nrun-begins-at = \"0300\"";
    let mut bench = play(settings, |_| status(200));
    for day in 0..3 {
        let due = bench.phone.next_due().as_micros() / 1_000_000;
        let from = 1_800 + day * 86_400;
        assert!((from..from + 600).contains(&due), "day {day}: {due}");
        bench.now = bench.phone.next_due();
        // A minute over the end of the random delay: the next one is tomorrow's.
        bench.play(Input::Due, Moment::from_micros((from + 660) * 1_000_000), |_| status(200));
    }
    assert_eq!(bench.story().iter().filter(|s| *s == "resync: ok").count(), 4);
    let mut on = fleet("cisco-mpp", settings);
    on.starts_on = true;
    let due = Bench::new(on).phone.next_due().as_micros() / 1_000_000;
    assert!((1_800..2_400).contains(&due), "{due}");
}

/// "`Forced_Resync_Delay` 14400 s" [doc]: a phone in use puts a resync off, no longer than that.
#[test]
fn a_phone_in_use_puts_a_resync_off() {
    for (length, forced, wait) in [("10m", "4h", 600), ("9h", "4h", 14_400), ("9h", "1m", 60)] {
        let settings = format!(
            "in-use = 1.0\nin-use-for = \"{length}\"\nforced-resync-delay = \"{forced}\"\nresync-periodic = \"10h\""
        );
        let mut bench = play(&settings, |_| status(200));
        bench.actions.clear();
        bench.give(Input::Trigger(Trigger::Resync));
        assert_eq!(bench.phone.next_due(), bench.now + Duration::from_secs(wait));
        bench.play(Input::Due, bench.now + Duration::from_secs(wait + 1), |_| status(200));
        assert_eq!(bench.story(), ["GET /00562b040001.xml", "resync: ok"]);
        // And the periodic one likewise.
        let period = bench.phone.next_due();
        bench.now = period;
        bench.give(Input::Due);
        assert_eq!(bench.phone.next_due(), period + Duration::from_secs(wait));
    }
}

/// "Status codes: 2xx success; … 404 not found; other 3xx, 4xx and 5xx failure." [doc] `Retry-After` ignored [assumed].
#[test]
fn status_codes_mean_what_the_vendor_says() {
    for (code, outcome) in [
        (200, "ok"),
        (206, "ok"),
        (304, "http-304"),
        (307, "http-307"),
        (400, "http-400"),
        (404, "not-found"),
        (410, "http-410"),
        (500, "http-500"),
        (503, "overload"),
    ] {
        let bench = play("", |_| {
            let mut answer = status(code);
            answer.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
            answer
        });
        assert_eq!(bench.story()[1], format!("resync: {outcome}"));
        if outcome != "ok" {
            assert_eq!(bench.phone.next_due(), bench.now + Duration::from_secs(60), "{code}");
        }
    }
}

/// `Retry-After` ignored [assumed], unless the setting says otherwise; a date is passed over.
#[test]
fn retry_after_is_heeded_only_by_setting() {
    for (on, value, wait) in [(false, "7", 60), (true, "7", 7), (true, "Sat, 21 Nov 2026 22:00:00 GMT", 60)] {
        let mut bench = Bench::new(fleet("cisco-mpp", &format!("resync-random-delay = 0\nretry-after = {on}")));
        bench.give(Input::Trigger(Trigger::PowerUp));
        let mut answer = status(503);
        answer.headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
        bench.give(Input::Answered(&answer));
        assert_eq!(bench.phone.next_due(), bench.now + Duration::from_secs(wait));
    }
}
