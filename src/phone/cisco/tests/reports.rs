//! Reports: when, how, and before a restart.

use super::*;

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

/// "sent on request, on a local change (delay 60 s) or periodically (3600 s)" [doc]
#[test]
fn reports_go_when_they_should() {
    for (when, change, periodic) in
        [("on-request", false, false), ("on-local-change", true, false), ("periodically", false, true)]
    {
        let settings = format!("report-to-server = \"{when}\"\nresync-periodic = \"0s\"");
        let mut bench = play(&settings, |_| status(200));
        let provisioned = bench.now;
        bench.actions.clear();
        bench.play(Input::Trigger(Trigger::Change), Moment::from_micros(120_000_000), |_| status(200));
        assert_eq!(bench.story().contains(&"report: ok".to_owned()), change, "{when}");
        bench.actions.clear();
        bench.play(Input::Trigger(Trigger::Backup), bench.now, |_| status(200));
        bench.play(Input::Due, bench.now + Duration::from_secs(1), |_| status(200));
        assert_eq!(bench.story(), ["POST /reports/00562b040001.xml", "report: ok"], "{when}: on request, always");
        let due = bench.phone.next_due();
        assert_eq!(due != Moment::NEVER, periodic, "{when}");
        if periodic {
            assert!(due >= provisioned + Duration::from_secs(3_600));
            bench.play(Input::Due, due + Duration::from_secs(3 * 3_600 + 1), |_| status(500));
            let reports = bench.story().iter().filter(|s| *s == "report: http-500").count();
            assert_eq!(reports, 4, "one attempt each, and again after the period");
        }
        bench.assert_ledger();
    }
}

/// "`HTTP_Report_Method` POST (default) or PUT"; `[--delta]` [doc]: only what has changed, once there was a whole one.
#[test]
fn reports_are_posted_or_put_whole_or_delta() {
    for (settings, method, second_is_small) in [
        ("", "POST", false),
        ("http-report-method = \"PUT\"", "PUT", false),
        ("report-rule = \"[--delta] /reports/$MA.xml\"", "POST", true),
    ] {
        let mut fleet = fleet("cisco-mpp", &format!("{QUICK}\n{settings}"));
        fleet.starts_on = true;
        fleet.backup_size = SizeRange { min: 56_000, max: 56_000 };
        let mut bench = Bench::new(fleet);
        let mut sizes = Vec::new();
        for _ in 0..2 {
            let request = bench.give(Input::Trigger(Trigger::Backup)).unwrap();
            assert_eq!(request.method, *method);
            assert!(request.headers.iter().any(|(n, v)| n == header::CONTENT_TYPE && v == "application/xml"));
            sizes.push(request.body.len());
            bench.give(Input::Answered(&status(200)));
        }
        assert!(sizes[0] > 55_000);
        assert_eq!(sizes[1] < 1_000, second_is_small, "{sizes:?}");
    }
}

/// "as part of shutdown or restart: a planned mass reboot emits an upload burst *before* the download burst" [doc]
#[test]
fn a_restart_reports_first() {
    for (settings, code, first) in [("", 200, true), ("", 503, true), ("report-rule = \"\"", 200, false)] {
        let mut bench = play(settings, |_| status(200));
        bench.actions.clear();
        let until = bench.now + Duration::from_secs(10);
        bench.play(Input::Trigger(Trigger::Restart), until, |r| {
            status(if r.method == Method::POST { code } else { 200 })
        });
        let story = bench.story();
        assert_eq!(story[0].starts_with("POST /reports/"), first, "{story:?}");
        assert_eq!(story[usize::from(first) * 2..], ["GET /00562b040001.xml", "resync: ok", "provisioned"]);
        bench.assert_ledger();
    }
}

/// A restart told while an exchange is under way waits for it; a second one is one too many; without power there is
/// nothing to restart.
#[test]
fn a_restart_waits_its_turn() {
    let mut bench = Bench::new(fleet("cisco-mpp", "resync-random-delay = 0"));
    assert!(bench.give(Input::Trigger(Trigger::Restart)).is_none());
    assert_eq!(bench.story(), ["report dropped: powered-off"]);
    bench.give(Input::Trigger(Trigger::PowerUp));
    assert!(bench.give(Input::Trigger(Trigger::Restart)).is_none());
    assert!(bench.give(Input::Trigger(Trigger::Restart)).is_none());
    bench.play(Input::Answered(&status(200)), Moment::from_micros(1), |_| status(200));
    let get = "GET /00562b040001.xml";
    let all = [
        "report dropped: powered-off",
        get,
        "report dropped: phone-busy",
        "resync: ok",
        "provisioned",
        "POST /reports/00562b040001.xml",
        "report: ok",
        get,
        "resync: ok",
        "provisioned",
    ];
    assert_eq!(bench.story(), all);
    bench.assert_ledger();
}

/// One attempt [assumed]; more by setting. A failed report has no place in the resync's retry list.
#[test]
fn a_report_is_tried_once_or_more_by_setting() {
    for attempts in [1, 3] {
        let settings = format!("report-attempts = {attempts}\nreport-retry = \"30s\"\nresync-periodic = \"0s\"");
        let mut bench = play(&settings, |_| status(200));
        bench.actions.clear();
        for _ in 0..2 {
            let until = bench.now + Duration::from_secs(600);
            bench.play(Input::Trigger(Trigger::Backup), until, |_| status(503));
        }
        assert_eq!(bench.story().iter().filter(|s| *s == "report: overload").count(), 2 * attempts);
        assert!(bench.phone.is_settled());
        bench.assert_ledger();
        bench.give(Input::Trigger(Trigger::Resync));
        bench.give(Input::Answered(&status(500)));
        assert_eq!(bench.phone.next_due(), bench.now + Duration::from_secs(60), "the list's first entry");
    }
}
