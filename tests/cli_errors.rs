//! What cannot be done, or makes no sense, ends in one message on stderr and the contract's exit code: what is wrong,
//! where, whose fault it is and what to do. Nothing on stdout, nothing left behind, no password said.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use cli::{Ended, Home, Served, TINY};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use socket2::{Domain, Socket, Type};

/// Runs it and holds it to the rules that all refusals share; what it said on stderr.
#[track_caller]
fn refusal(home: &Home, command: &mut Command, code: i32) -> String {
    let before = home.names();
    let ended = Ended::of(&command.output().unwrap());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{command:?}: {}", ended.stderr);
    assert_eq!(home.names(), before, "{command:?} leaves nothing behind");
    for never in ["panicked", "RUST_BACKTRACE", "kept-quiet", "\u{1b}"] {
        assert!(!ended.stderr.contains(never), "{command:?}: {}", ended.stderr);
    }
    ended.stderr
}

/// `bootstorm ARGUMENTS` is refused with exactly this message.
#[track_caller]
fn refused(home: &Home, arguments: &[&str], code: i32, message: &str) {
    let said = refusal(home, home.bootstorm().args(arguments), code);
    assert_eq!(said, format!("bootstorm: {message}\n"), "{arguments:?}");
}

/// `bootstorm run tiny.toml ARGUMENTS` is refused with exactly this message.
#[track_caller]
fn run_refused(home: &Home, arguments: &[&str], code: i32, message: &str) {
    refused(home, &[&["run", "tiny.toml"], arguments].concat(), code, message);
}

#[test]
fn a_workload_that_is_none_is_refused_by_every_verb() {
    let home = Home::new();
    let tiny_with = |from: &str, to: &str| {
        assert!(TINY.contains(from), "{from}");
        TINY.replace(from, to)
    };
    let listed = tiny_with("count = 12", "csv = \"phones.csv\"");
    let cases = [
        ("[run\n".to_owned(), "", "x.toml:1: is not TOML: unclosed table, expected `]`"),
        (
            tiny_with("count = 12", "cuont = 12"),
            "",
            "x.toml:15: fleet.0.cuont: there is no such key here; did you mean `count`?",
        ),
        (
            tiny_with("until = \"settled\"", "likeness = \"iis\""),
            "",
            "x.toml:5: run.likeness: there is no such key here; `likeness` belongs in [target.embedded]",
        ),
        (tiny_with("count = 12", "count = 0"), "", "x.toml:15: fleet.0.count: is 0; a fleet has at least one phone"),
        (
            tiny_with("\"25%\"", "\"125%\""),
            "",
            "x.toml:21: fleet.0.credentials.null: 1.25 is no share; from 0 to 1, or in per cent, for example \"2%\"",
        ),
        (
            listed.clone(),
            "number,mac\n2001,001b4f000001\n",
            "phones.csv:1: extension: this column is missing; the first line names the columns: extension, and if \
             wanted mac, serial, user, password",
        ),
        (
            listed.clone(),
            "extension,user,password\n2001,a,kept-quiet\n2002,b,kept-quiet\n2001,c,kept-quiet\n",
            "phones.csv:4: extension: `2001` is that of line 2 already; no two phones have the same",
        ),
        (
            listed.clone(),
            "extension,user,pasword\n2001,a,kept-quiet\n",
            "phones.csv:1: pasword: there is no such column; did you mean `password`?",
        ),
        (
            listed.replace("phones.csv", "nowhere.csv"),
            "",
            "x.toml:15: fleet.0.csv: there is no file nowhere.csv; paths are relative to the workload file",
        ),
    ];
    for (workload, phones, message) in &cases {
        home.write("x.toml", workload);
        home.write("phones.csv", phones);
        for verb in ["run", "plan", "serve"] {
            refused(&home, &[verb, "x.toml"], 2, message);
        }
    }
    let example = "name a workload file, for example workloads/smoke.toml";
    refused(&home, &["run", "gone.toml"], 2, &format!("gone.toml: there is no such file; {example}"));
    refused(&home, &["plan", "."], 2, ".: is a folder; name a workload file in it");
}

#[test]
fn all_that_is_wrong_with_a_workload_is_told_at_once() {
    let home = Home::new();
    home.write("x.toml", &TINY.replace("seed", "sede").replace("family", "famly"));
    let said = "bootstorm: x.toml:2: sede: there is no such key here; did you mean `seed`?\n\
                x.toml:14: fleet.0.famly: there is no such key here; did you mean `family`?\n";
    assert!(refusal(&home, home.bootstorm().args(["run", "x.toml"]), 2).starts_with(said));
}

#[test]
fn an_override_that_makes_no_sense_names_itself() {
    let home = Home::new();
    let no_password = "passwords do not belong in arguments, where every user of this machine can read them; \
                       write it in the workload file";
    let cases = [
        ("sede=1", "--set sede: there is no such key here; did you mean `seed`?"),
        ("fleet.desk.count=1", "--set fleet.desk.count: there is no fleet `desk`; did you mean `desks`?"),
        ("seed", "--set seed: has no `=`; write --set KEY=VALUE, for example --set seed=7"),
        ("seed=x", "--set seed: is text \"x\"; expected a whole number, 0 or more"),
        ("timeouts.connect=0s", "--set timeouts.connect: nothing would ever be in time; for example \"10s\""),
        (
            "target.embedded.likeness=isi",
            "--set target.embedded.likeness: `isi` is none of its values; did you mean `iis`?",
        ),
        ("fleet.0.credentials.password=kept-quiet", &format!("--set fleet.0.credentials.password: {no_password}")),
        ("fleet.0.credentials={password=\"kept-quiet\"}", &format!("--set fleet.0.credentials: {no_password}")),
        ("fleet.0.credentials={ password = \"kept-quiet\"", &format!("--set fleet.0.credentials: {no_password}")),
        (
            "fleet.0.settings.profile-rule=[--uid a --pwd kept-quiet] /x",
            &format!("--set fleet.0.settings.profile-rule: {no_password}"),
        ),
    ];
    for (assignment, message) in cases {
        run_refused(&home, &["--set", assignment], 2, message);
    }
}

#[test]
fn what_is_typed_wrong_says_what_would_be_right() {
    let home = Home::new();
    let help = "\n\nFor more information, try '--help'.\n";
    let usage = format!("\n\nUsage: bootstorm [OPTIONS] <COMMAND>{help}");
    let run = format!("\n\nUsage: bootstorm run [OPTIONS] <WORKLOAD>{help}");
    let seeds = "write a whole number from 0 to 18446744073709551615";
    let phones = "write a number of phones, such as 500, 20k or 1M";
    let cases: [(&[&str], String); 10] = [
        (
            &["rnu"],
            format!(
                "unrecognized subcommand 'rnu'\n\n  tip: the verbs are run, report, compare, capacity, plan, serve, interop, trace{usage}"
            ),
        ),
        (&["--quick"], format!("unexpected argument '--quick' found{usage}")),
        (
            &["run"],
            format!(
                "the following required arguments were not provided:\n  <WORKLOAD>\n\nUsage: bootstorm run <WORKLOAD>{help}"
            ),
        ),
        (
            &["run", "tiny.toml", "--sed", "1"],
            format!(
                "unexpected argument '--sed' found\n\n  tip: a similar argument exists: '--seed'\n\n\
                 Usage: bootstorm run --seed <S> <WORKLOAD>{help}"
            ),
        ),
        (&["run", "tiny.toml", "more.toml"], format!("unexpected argument 'more.toml' found{run}")),
        (&["run", "tiny.toml", "--seed", "-1"], format!("invalid value '-1' for '--seed <S>': {seeds}{help}")),
        (&["run", "tiny.toml", "--seed", "x"], format!("invalid value 'x' for '--seed <S>': {seeds}{help}")),
        (&["run", "tiny.toml", "--phones", "0"], format!("invalid value '0' for '--phones <N>': {phones}{help}")),
        (&["plan", "tiny.toml", "--phones", "5q"], format!("invalid value '5q' for '--phones <N>': {phones}{help}")),
        (
            &["run", "tiny.toml", "--shards", "0"],
            format!("invalid value '0' for '--shards <N>': 0 is not in 1..=1024{help}"),
        ),
    ];
    for (arguments, message) in cases {
        let said = refusal(&home, home.bootstorm().args(arguments), 2);
        assert_eq!(said, format!("error: {message}"), "{arguments:?}");
    }
    let said = refusal(&home, &mut home.bootstorm(), 2);
    assert!(said.contains("Usage: bootstorm") && said.contains("Exit codes:"), "{said}");
}

#[test]
fn a_value_from_the_environment_is_told_from_a_flag() {
    let home = Home::new();
    let right = "has no scheme; write for example \"https://files.example.net:8443/phones\"";
    let run = |variable: &str, value: &str, more: &[&str]| {
        refusal(&home, home.bootstorm().args(["run", "tiny.toml"]).args(more).env(variable, value), 2)
    };
    assert_eq!(
        run("BOOTSTORM_TARGET", "x", &[]),
        format!("bootstorm: BOOTSTORM_TARGET: target.url: `x` {right}\n"),
        "nobody typed --target"
    );
    assert_eq!(
        run("BOOTSTORM_TARGET", "x", &["--target", "y"]),
        format!("bootstorm: --target: target.url: `y` {right}\n")
    );
    let said = run("BOOTSTORM_PHONES", "lots", &[]);
    assert!(said.contains("  tip: the value is from the environment: BOOTSTORM_PHONES\n"), "{said}");
    let said = run("BOOTSTORM_LOG", "a=b=c", &[]);
    assert!(said.starts_with("bootstorm: BOOTSTORM_LOG: `a=b=c` is no filter ("), "{said}");
}

#[test]
fn a_target_that_is_no_url_is_refused() {
    let home = Home::new();
    let example = "write for example \"https://files.example.net:8443/phones\"";
    let cases = [
        ("127.0.0.1:8080", format!("`127.0.0.1:8080` has no scheme; {example}")),
        ("ftp://127.0.0.1/", "phones do not speak `ftp`; the scheme is http or https".to_owned()),
        ("http://127.0.0.1:99999/", format!("`http://127.0.0.1:99999/` has no usable host or port; {example}")),
        (
            "https://2001:kept-quiet@127.0.0.1/",
            "has a user or password in it; credentials belong in [fleet.credentials], not in the URL".to_owned(),
        ),
    ];
    for (url, message) in cases {
        run_refused(&home, &["--target", url], 2, &format!("--target: target.url: {message}"));
    }
}

#[test]
fn plan_refuses_what_run_refuses_and_says_what_would_do() {
    let home = Home::new();
    let flags = ["tiny.toml", "--phones", "60k", "--set", "network.max-connections=60000"];
    let [planned, ran] = ["plan", "run"].map(|verb| home.run(&[&[verb], &flags[..]].concat()));
    assert_eq!((planned.code, ran.code), (Some(1), Some(1)), "{}", planned.stderr);
    assert_eq!(planned.stderr, ran.stderr);
    assert!(planned.stderr.contains("or lower network.max-connections to "), "{}", planned.stderr);
    assert!(planned.stdout.contains("one of 3 phones"), "what it would take is told all the same: {}", planned.stdout);
    let service = ["plan", "tiny.toml", "--service-time", "9ms"];
    refused(
        &home,
        &service,
        2,
        "--service-time: is for a server given by its URL; the embedded target's is target.embedded.work.service, as in --set target.embedded.work.service=5ms",
    );
}

#[test]
fn no_load_goes_to_other_machines() {
    let home = Home::new();
    for (url, origin, address) in [
        ("https://192.0.2.1/", "https://192.0.2.1", "192.0.2.1"),
        ("http://192.0.2.1:8080/phones", "http://192.0.2.1:8080", "192.0.2.1"),
        ("http://[2001:db8::1]/", "http://[2001:db8::1]", "2001:db8::1"),
    ] {
        let message = format!(
            "{origin} is not on this machine ({address} is no loopback address): load on another machine needs the \
             consent of those who run it. Nothing was sent. If they agreed, say who: --authorised-by \"NAME\" (or \
             BOOTSTORM_AUTHORISED_BY), which is recorded with the results; or let them put the line `allow-load-from: \
             ADDRESS` (of this machine, or `any`) into the file {origin}/bootstorm-consent.txt, and say --ask-consent"
        );
        run_refused(&home, &["--target", url], 2, &message);
    }
}

#[test]
fn a_name_without_an_address_is_the_name_services_word() {
    let home = Home::new();
    // No label is that long (RFC 1035 2.3.4): the resolver need ask nobody.
    let name = format!("{}.invalid", "files".repeat(13));
    let said = refusal(&home, home.bootstorm().args(["run", "tiny.toml", "--target", &format!("http://{name}/")]), 1);
    let (start, rest) = said.split_once(" (").unwrap();
    let (_, end) = rest.split_once("): ").unwrap();
    assert_eq!(start, format!("bootstorm: http://{name}: the name {name:?} cannot be resolved"));
    assert_eq!(end, "correct the target's URL, or this machine's name service\n");
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let home = Home::new();
    // Bound, but nobody listens: the port is refused, and nobody else gets it.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap().as_socket().unwrap());
    let message =
        format!("{url}: nothing listens there (connection refused): start the server, or correct the target's URL");
    run_refused(&home, &["--target", &url], 1, &message);
}

#[test]
fn tls_and_plaintext_do_not_meet() {
    let home = Home::new();
    let (tls, plain) = (Served::start(&home, &["--tls"]), Served::start(&home, &["--no-tls"]));
    let ca = format!("target.ca={}", tls.ca().display());
    let wrong = format!("https://127.0.0.1:{}", plain.port());
    let message = format!(
        "{wrong} does not speak TLS: what it answered to the client hello is plaintext; write http:// in its URL, or \
         name the server's TLS port"
    );
    run_refused(&home, &["--target", &wrong, "--set", &ca], 1, &message);

    let wrong = format!("http://127.0.0.1:{}", tls.port());
    let message = format!(
        "{wrong} speaks TLS: write https:// in its URL (and name its CA as target.ca), or name the server's plain port"
    );
    run_refused(&home, &["--target", &wrong], 1, &message);
}

/// The certificate of a CA that signed nothing here.
fn foreign_ca() -> String {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "a foreign CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap().pem()
}

#[test]
fn a_ca_that_does_not_do_is_named() {
    let home = Home::new();
    let (one, other) = (Served::start(&home, &["--tls"]), Served::start(&home, &["--tls"]));
    let ca = fs::read_to_string(other.ca()).unwrap();
    home.write("other.pem", &foreign_ca());
    home.write("former.pem", &ca);
    home.write("text.pem", "this is no certificate\n");
    home.write("key.pem", &ca.replace("CERTIFICATE", "PRIVATE KEY"));
    fs::create_dir(home.path("folder")).unwrap();
    let relative = "paths are relative to the workload file; name a PEM file with the CA certificates the phones trust";
    let url = one.url();
    let cases = [
        (
            Some("other.pem"),
            1,
            format!(
                "{url}: the phones do not trust the server's certificate: its chain ends in another CA than those in \
                 other.pem; name the PEM file of the CA that signed it as target.ca"
            ),
        ),
        (
            Some("former.pem"),
            1,
            format!(
                "{url}: the server's certificate is unfit: its issuer has the name of a trusted CA but another key: was \
                 the CA made anew? Trusted: former.pem; name the present one as target.ca"
            ),
        ),
        (Some("gone.pem"), 2, format!("--set target.ca: there is no file gone.pem; {relative}")),
        (Some("folder"), 2, format!("--set target.ca: folder is a folder; {relative}")),
        (Some("text.pem"), 2, "text.pem: this CA file is not PEM: there is no -----BEGIN line in it".to_owned()),
        (
            Some("key.pem"),
            2,
            "key.pem: there is PEM in this CA file but no CERTIFICATE: is it the key or the request instead?"
                .to_owned(),
        ),
        (
            None,
            2,
            "the target is https, and no CA is named that the phones trust: write target.ca = \"ca.pem\" with the PEM \
             file of the CA that signed the server's certificate, or --set target.ca=ca.pem (the system's CAs are \
             never used)"
                .to_owned(),
        ),
    ];
    for (file, code, message) in cases {
        let set = file.map(|file| format!("target.ca={file}"));
        let more: Vec<&str> = set.iter().flat_map(|set| ["--set", set.as_str()]).collect();
        run_refused(&home, &[&["--target", url], more.as_slice()].concat(), code, &message);
    }
}

#[test]
fn results_go_where_nothing_is_lost() {
    let home = Home::new();
    fs::create_dir(home.path("full")).unwrap();
    home.write("full/kept", "of an earlier run");
    home.write("file", "kept");
    let cases = [
        ("full", 2, "full: the folder is not empty; name a new one with --out, or empty it"),
        ("file", 2, "file: this is a file; name a folder with --out"),
        ("file/below", 2, "file: this is a file; name a folder with --out"),
        (
            "/proc/bootstorm",
            1,
            "/proc/bootstorm: the folder for the results cannot be used (No such file or directory (os error 2)); name \
             another with --out",
        ),
    ];
    for (out, code, message) in cases {
        run_refused(&home, &["--out", out], code, message);
    }
    assert_eq!(fs::read_to_string(home.path("full/kept")).unwrap(), "of an earlier run");
    assert_eq!(fs::read_to_string(home.path("file")).unwrap(), "kept");
    // There, empty, and nobody may write to it, not even root: known before the storm, not after it.
    let said = refusal(&home, home.bootstorm().args(["run", "tiny.toml", "--out", "/proc/tty/ldisc"]), 1);
    assert!(said.starts_with("bootstorm: /proc/tty/ldisc: the folder for the results cannot be used ("), "{said}");
}

#[test]
fn what_this_machine_does_not_allow_is_known_before_the_storm() {
    let home = Home::new();
    // The shell lowers its own limit; `$0` is the program.
    let limited = "ulimit -n 200; exec \"$0\" run tiny.toml --shards 2 --phones 1k --set network.max-connections=1k";
    let said =
        refusal(&home, home.command("sh").args(["-c", limited]).arg(assert_cmd::cargo::cargo_bin("bootstorm")), 1);
    assert_eq!(
        said,
        "bootstorm: this run needs 2143 open files (1000 connections, both ends in this process), 200 are allowed: raise \
         the hard limit (as root `ulimit -Hn 2143`, for a service LimitNOFILE=2143), start the target in a process of its own (`bootstorm serve WORKLOAD`, then --target URL), or lower \
         network.max-connections to 58\n"
    );
    run_refused(
        &home,
        &["--set", "network.sources=[\"192.0.2.7\"]"],
        1,
        "network.sources: 192.0.2.7 is not an address of this machine (Cannot assign requested address (os error 99)): \
         add it to an interface, or name addresses of this machine",
    );
    run_refused(
        &home,
        &["--set", "network.sources=[\"::1\"]"],
        2,
        "--set network.sources: `::1` cannot reach the target, whose address is of the other IP version; use addresses \
         of the target's version",
    );
}

#[test]
fn an_embedded_target_that_cannot_start_says_why() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let message = format!(
        "{address} is taken: another program listens there; stop it, or name another port (port 0 takes a free one)"
    );
    run_refused(&home, &["--set", &format!("target.embedded.listen={address}")], 1, &message);
    run_refused(
        &home,
        &["--set", "target.embedded.folder=gone"],
        1,
        "cannot store uploads in gone: No such file or directory (os error 2); name a folder that exists and that this \
         user may write to",
    );
}
