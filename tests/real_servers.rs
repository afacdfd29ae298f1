//! Real servers: nginx, Apache and lighttpd on loopback, each asked over sockets.
//!
//! First the harness itself, with curl as a client that shares no code with ours: what the servers
//! answer, and that their own logs hold exactly what was sent.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::ffi::OsStr;
use std::net::TcpListener;

use bootstorm::workload::TlsVersions;
use support::curl::{self, Auth, Reply};
use support::servers::{Program, Server, Site, by_status, find};

const SETTINGS: &[u8] = b"SET BRURI https://files.example/backup\n";

/// 2,000 accounts, each with a password of its own.
fn site() -> Site {
    Site::new("Phone backups", (2_000..4_000).map(|ext| (ext.to_string(), password(ext))))
        .file("46xxsettings.txt", SETTINGS)
}

fn password(extension: u32) -> String {
    format!("pw{}", extension * 7)
}

/// The credentials in the scheme this server asks for.
fn credentials<'a>(program: Program, user: &'a str, password: &'a str) -> Auth<'a> {
    match program {
        Program::Nginx => Auth::Basic(user, password),
        Program::Apache | Program::Lighttpd => Auth::Digest(user, password),
    }
}

fn ask(server: &Server, method: &str, path: &str, auth: Auth<'_>, body: Option<&[u8]>) -> Reply {
    curl::request(method, &format!("{}{path}", server.url()), server.ca_pem_path().as_deref(), auth, body)
}

/// One phone of 2,000 puts a backup, reads it back, puts it again; no credentials and wrong ones are refused;
/// settings are open to all. The server's own log must hold exactly these exchanges.
fn curl_backs_up(program: Program, tls: Option<TlsVersions>) {
    let server = Server::start(program, tls, &site());
    let path = "/backup/3999_96xxdata.txt";
    let (right, wrong) = (password(3_999), password(0));
    let right = credentials(program, "3999", &right);
    let wrong = credentials(program, "3999", &wrong);
    let backup = b"ABKNAME001=Reception\nABKNUMBER001=3000\n".repeat(400);

    assert_eq!(ask(&server, "GET", "/46xxsettings.txt", Auth::None, None).body, SETTINGS);
    assert_eq!(ask(&server, "PUT", path, Auth::None, Some(b"x")).status, 401);
    assert_eq!(ask(&server, "PUT", path, wrong, Some(b"x")).status, 401);
    assert_eq!(ask(&server, "GET", path, right, None).status, 404);
    assert_eq!(ask(&server, "PUT", path, right, Some(&backup)).status, 201);
    assert!(server.stored(path) == Some(backup.clone()), "stored as sent");
    let restored = ask(&server, "GET", path, right, None);
    assert_eq!(restored.status, 200);
    assert!(restored.body == backup, "read back as sent");
    assert_eq!(ask(&server, "PUT", path, right, Some(b"less")).status, 204);

    // curl sends Basic at once, Digest after a challenge; lighttpd names no user whom it refused.
    let challenged = program != Program::Nginx;
    let refused = if program == Program::Lighttpd { "-" } else { "3999" };
    let mut expected = vec!["GET /46xxsettings.txt 200 -".to_owned(), format!("PUT {path} 401 -")];
    for (method, status, user) in
        [("PUT", 401, refused), ("GET", 404, "3999"), ("PUT", 201, "3999"), ("GET", 200, "3999"), ("PUT", 204, "3999")]
    {
        expected.extend(challenged.then(|| format!("{method} {path} 401 -")));
        expected.push(format!("{method} {path} {status} {user}"));
    }
    let log = server.stop_and_read_log();
    assert_eq!(log.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    assert_eq!(by_status(&log)[&401], if challenged { 7 } else { 2 });
}

#[test]
fn nginx_takes_backups_with_basic() {
    curl_backs_up(Program::Nginx, None);
}

#[test]
fn nginx_takes_backups_with_basic_over_tls_1_2() {
    curl_backs_up(Program::Nginx, Some(TlsVersions::Only12));
}

#[test]
fn nginx_takes_backups_with_basic_over_tls_1_3() {
    curl_backs_up(Program::Nginx, Some(TlsVersions::Only13));
}

#[test]
fn apache_takes_backups_with_digest_md5() {
    curl_backs_up(Program::Apache, None);
}

#[test]
fn apache_takes_backups_with_digest_md5_over_tls() {
    curl_backs_up(Program::Apache, Some(TlsVersions::Both));
}

#[test]
fn lighttpd_takes_backups_with_digest_sha_256() {
    curl_backs_up(Program::Lighttpd, None);
}

#[test]
fn lighttpd_takes_backups_with_digest_sha_256_over_tls() {
    curl_backs_up(Program::Lighttpd, Some(TlsVersions::Both));
}

/// Each asks for its own scheme and no other: otherwise the tests above would prove less than they say.
#[test]
fn each_server_asks_for_its_own_scheme() {
    for (program, scheme) in [
        (Program::Nginx, "Basic realm="),
        (Program::Apache, "algorithm=MD5,"),
        (Program::Lighttpd, "algorithm=SHA-256,"),
    ] {
        let server = Server::start(program, None, &site());
        let reply = ask(&server, "GET", "/backup/2000_96xxdata.txt", Auth::None, None);
        let challenges: Vec<_> = reply.headers.iter().filter(|h| h.starts_with("www-authenticate: ")).collect();
        assert!(challenges.len() == 1 && challenges[0].contains(scheme), "{}: {challenges:?}", program.name());
        assert!(challenges[0].contains("realm=\"Phone backups\""), "{challenges:?}");
    }
}

#[test]
fn each_server_speaks_the_tls_versions_it_is_told_to() {
    for program in Program::ALL {
        for (versions, tls12, tls13) in
            [(TlsVersions::Both, true, true), (TlsVersions::Only12, true, false), (TlsVersions::Only13, false, true)]
        {
            let server = Server::start(program, Some(versions), &site());
            let ca = server.ca_pem_path().unwrap();
            let spoken = ["1.2", "1.3"].map(|version| curl::speaks(&server.url(), &ca, version));
            assert_eq!(spoken, [tls12, tls13], "{} told to speak {versions:?}", program.name());
        }
    }
}

/// None of the three stores a file that is POSTed. Apache and lighttpd even say 200 where one stands (they answer as to
/// a GET) and throw the report away: phones that report to one of them must report by PUT.
#[test]
fn reports_are_taken_by_put_only() {
    let report: &[u8] = b"<device><flat-profile/></device>";
    for (program, over_existing) in [(Program::Nginx, 405), (Program::Apache, 200), (Program::Lighttpd, 200)] {
        let server = Server::start(program, None, &site());
        let password = password(2_000);
        let auth = credentials(program, "2000", &password);
        let status = |method, path: &str, body| ask(&server, method, path, auth, Some(body)).status;
        assert_eq!(status("PUT", "/report/0004f2000001.xml", report), 201, "{}", program.name());
        let posts = ["/report/0004f2000001.xml", "/report/0004f2000002.xml"].map(|path| status("POST", path, b"other"));
        assert_eq!(posts, [over_existing, 404], "{}", program.name());
        assert_eq!(server.stored("/report/0004f2000001.xml").as_deref(), Some(report));
        assert_eq!(server.stored("/report/0004f2000002.xml"), None);
    }
}

/// What `docs/servers.md` says of PUTs that a phone might try.
#[test]
fn awkward_uploads_are_answered_as_the_manual_says() {
    let large = vec![b'x'; (1 << 20) + 1];
    for (program, into_new_folder, over_a_mebibyte, without_dav) in
        [(Program::Nginx, 201, 413, 405), (Program::Apache, 409, 201, 405), (Program::Lighttpd, 409, 201, 501)]
    {
        let server = Server::start(program, None, &site());
        let password = password(2_000);
        let status =
            |method, path: &str, body| ask(&server, method, path, credentials(program, "2000", &password), body).status;
        let name = program.name();
        assert_eq!(status("PUT", "/backup/new/2000_96xxdata.txt", Some(&b"x"[..])), into_new_folder, "{name}");
        assert_eq!(status("PUT", "/backup/large.txt", Some(&large[..])), over_a_mebibyte, "{name}");
        assert_eq!(status("PUT", "/46xxsettings.txt", Some(&b"x"[..])), without_dav, "{name}");
        assert_eq!(status("PUT", "/backup/2000_96xxdata.txt", Some(&b"x"[..])), 201, "{name}");
        assert_eq!(status("DELETE", "/backup/2000_96xxdata.txt", None), 204, "{name}");
        assert_eq!(status("GET", "/backup/2000_96xxdata.txt", None), 404, "{name}");
        assert_eq!(server.stored("/46xxsettings.txt").as_deref(), Some(SETTINGS), "{name}");
    }
}

#[test]
fn a_missing_server_fails_the_test_and_says_what_to_run() {
    let none = find("nginx", OsStr::new(""), &[]).unwrap_err();
    assert_eq!(none, "nginx is not installed: run scripts/test, it installs nginx apache2 lighttpd");
}

#[test]
fn a_taken_port_is_passed_over() {
    for program in Program::ALL {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let free = (20_000..32_000).rev().find(|p| TcpListener::bind(("127.0.0.1", *p)).is_ok()).unwrap();
        let server = Server::start_at([port, free], program, None, &site());
        assert_eq!(server.port(), free);
        assert_eq!(ask(&server, "GET", "/46xxsettings.txt", Auth::None, None).body, SETTINGS);
    }
}

/// A server that cannot start says why in its own words, and those words are what the test shows.
#[test]
fn a_server_that_cannot_start_is_quoted() {
    for (program, include) in [
        (Program::Nginx, "include no_such_file;"),
        (Program::Apache, "Include no_such_file"),
        (Program::Lighttpd, "include \"no_such_file\""),
    ] {
        let broken = site().directives(include);
        let panic = std::panic::catch_unwind(|| Server::start(program, None, &broken)).err().unwrap();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("cannot be started") && text.contains("no_such_file"), "{text}");
    }
}
