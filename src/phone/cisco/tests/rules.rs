//! Profile rules at work: order, variables, whole URLs, names tried in turn.

use super::*;

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

/// "Bare-IP provisioning tries several names in turn (`/8851-3PCC.xml`, `/Cisco/CP-8851-3PCC/<mac>.cfg`, ...): a burst
/// of 404s before the first success" [doc]
#[test]
fn bare_ip_provisioning_tries_names_in_turn() {
    let settings = "bare-ip = true\nmodel = \"CP-8851-3PCC\"\nprofile-rule-b = \"/b.xml\"";
    let names = ["/8851-3PCC.xml", "/Cisco/CP-8851-3PCC/00562b040001.cfg", "/Cisco/CP-8851-3PCC/8851-3PCC.cfg"];
    let bench = play(settings, |r| status(if r.path.contains("3PCC.cfg") || r.path == "/b.xml" { 200 } else { 404 }));
    let asked = names.map(|name| format!("GET {name}"));
    assert_eq!(bench.story()[..3], asked);
    assert_eq!(bench.story()[3..], ["GET /b.xml", "resync: ok", "provisioned"]);
    bench.assert_ledger();

    let bench = play(settings, |_| status(404));
    assert_eq!(bench.story().len(), 5, "{:?}", bench.story());
    assert_eq!(bench.story()[4], "resync: not-found");
    // The account answers a challenge on the way; a file that is guarded is there.
    let bench = play(settings, guarded("/Cisco", "files", "2001", "right"));
    assert_eq!(bench.standing(), Standing::Provisioned);
}

/// "`PRVST` (-1 explicit, 0 power-up, 1 periodic, 2 retry)" [doc]
#[test]
fn rules_know_why_they_run() {
    let settings = "profile-rule = \"($PRVST = -1)? /asked | ($PRVST = 0)? /boot | ($PRVST = 1)? /periodic | \
                    ($PRVST = 2)? /retry\"";
    let mut bench = Bench::new(fleet("cisco-mpp", &format!("{QUICK}\n{settings}")));
    let mut first = true;
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(4_000_000_000), |_| {
        status(if std::mem::take(&mut first) { 503 } else { 200 })
    });
    bench.play(Input::Trigger(Trigger::Resync), bench.now + Duration::from_secs(1), |_| status(200));
    let asked: Vec<_> = bench.story().into_iter().filter(|s| s.starts_with("GET")).collect();
    assert_eq!(asked, ["GET /boot", "GET /retry", "GET /periodic", "GET /asked"]);
}

/// "The first true or unconditional alternative wins; none true: the rule is skipped." Assigns of an earlier rule hold
/// for a later one. [doc]
#[test]
fn skipped_rules_and_assigns_across_rules() {
    let settings = "profile-rule = \"($SWVER lt 2.0)? /old\"\n\
                    profile-rule-b = \"( c = \\\"x-$MA\\\" ; )! /b.xml\"\n\
                    profile-rule-c = \"($SWVER lt 2.0)? /old\"\n\
                    profile-rule-d = \"/$C.xml\"";
    let bench = play(settings, |_| status(200));
    assert_eq!(bench.story(), ["GET /b.xml", "GET /x-00562b040001.xml", "resync: ok", "provisioned"]);
    let bench = play("profile-rule = \"($SWVER lt 2.0)? /old\"", |_| status(200));
    assert_eq!(bench.story(), ["resync: ok", "provisioned"], "every rule is skipped");
    bench.assert_ledger();
}

/// "Rules `Profile_Rule`, `_B`, `_C`, `_D` run in order; a failure aborts, and after the retry delay the sequence starts
/// again from the first." [doc]
#[test]
fn after_the_retry_delay_the_sequence_starts_from_the_first() {
    let settings = "profile-rule = \"/a.xml\"\nprofile-rule-b = \"/b.xml\"\nprofile-rule-c = \"/c.xml\"";
    let mut bench = Bench::new(fleet("cisco-mpp", &format!("{QUICK}\n{settings}")));
    let mut first = true;
    bench.play(Input::Trigger(Trigger::PowerUp), Moment::from_micros(90_000_000), |r| {
        status(if r.path == "/b.xml" && std::mem::take(&mut first) { 500 } else { 200 })
    });
    let story = bench.story();
    assert_eq!(story[..3], ["GET /a.xml", "GET /b.xml", "resync: http-500"]);
    assert_eq!(story[3..], ["GET /a.xml", "GET /b.xml", "GET /c.xml", "resync: ok", "provisioned"]);
}

/// `$MA`, `$MAU`, `$MAC`, `$PN`, `$PSN`, `$SN`, `$SWVER`, `$HWVER`, `$IP`, `$UID1`, `$SA`, GPP letters, the server's names;
/// unknown ones stay as they are. [doc]
#[test]
fn macros_of_the_phone() {
    let settings = "gpp = { A = \"site-{number}\" }\nsa = \"s\"\nip = \"192.0.2.{number+1}\"\n\
                    profile-rule = \"/$MA/$MAU/$MAC/$PN/$PSN/$SN/$SWVER/$HWVER/$IP/$UID1/$SA/$A/$B/$SCHEME/$SERV/$PORT/$PRVTMR/$NOBODY\"";
    let bench = play(settings, |_| status(200));
    assert_eq!(
        bench.story()[0],
        "GET /00562b040001/00562B040001/00:56:2b:04:00:01/CP-8841-3PCC/8841-3PCC/FCH0000/11.0/V01/192.0.2.1/2001/s/site-0//\
         https/server/443/0/$NOBODY"
    );
    let bench = play("gpp = { A = \"a b\\\"c\" }\nprofile-rule = \"/$A.xml\"", |_| status(200));
    assert_eq!(bench.story()[0], "GET /a%20b%22c.xml", "what a macro brings in is made fit for a request line");
}

/// `--post a`: the text is posted [doc]; `--key` changes nothing in the request.
#[test]
fn a_rule_may_post() {
    let mut body = None;
    let bench = play("profile-rule = \"[--key k --post \\\"mac=$MA\\\"] /p\"", |r| {
        body = Some(r.body.clone());
        status(200)
    });
    assert_eq!(bench.story()[0], "POST /p");
    assert_eq!(body.unwrap(), "mac=00562b040001");
}

/// Whole URLs name the target's own origin and folder, or are refused when the workload is read.
#[test]
fn whole_urls_must_name_the_target() {
    let target = Origin { tls: true, host: "prov.example".into(), port: 8443 };
    for (rule, base, says) in [
        ("https://prov.example:8443/p/$MA.xml", "/p", None),
        ("https://PROV.example:8443/$MA.xml", "", None),
        ("$SCHEME://$SERV:$PORT/$MA.xml", "", None),
        ("/a | ($PRVST = 0)? https://prov.example:8443/x", "", None),
        ("https://prov.example/$MA.xml", "", Some("`https://prov.example`")),
        ("http://prov.example:8443/$MA.xml", "", Some("may only talk to https://prov.example:8443")),
        ("https://$MA:8443/x", "", Some("https://000000000000:8443")),
        ("https://prov.example:8443/outside/x", "/p", Some("https://prov.example:8443/p")),
        ("/a | [--uid u --pwd geheim] https://elsewhere/x", "", Some("`https://elsewhere`")),
    ] {
        let fleet = fleet("cisco-mpp", &format!("profile-rule-d = {:?}", rule));
        let fits = fleet.family.fits(std::slice::from_ref(&target), base);
        match says {
            None => assert_eq!(fits, Ok(()), "{rule}"),
            Some(says) => {
                let wrong = fits.unwrap_err();
                assert_eq!(wrong.key.as_deref(), Some("profile-rule-d"));
                assert!(wrong.message.contains(says) && !wrong.message.contains("geheim"), "{}", wrong.message);
            }
        }
    }
    // Below the base, the path alone is asked for.
    let bench = play("profile-rule = \"https://server/x/$MA.xml\"", |_| status(200));
    assert_eq!(bench.story()[0], "GET /x/00562b040001.xml");
    assert_eq!(request::path_of("https://server/p/x.xml", "/p"), "/x.xml");
}
