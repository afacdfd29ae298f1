//! One exchange over real loopback sockets: phases, reuse, and everything a server can do wrong.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/net.rs"]
mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bootstorm::net::Connector;
use bootstorm::phone::{BodyFacts, Failure, Origin, Request};
use bootstorm::workload::SourceRange;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use tokio::sync::Notify;

use support::{Peer, Script, Server, assert_answered, connector, get, put, run, script, settings};

#[test]
fn every_octet_and_phase_is_accounted_for() {
    run(async {
        let answer = "HTTP/1.1 200 OK\r\nServer: Test\r\nX-Order: 1\r\nContent-Length: 5\r\n\r\nhello";
        let heard = Rc::new(RefCell::new(String::new()));
        let hearing = Rc::clone(&heard);
        let server = Server::plain(move |mut peer| {
            let hearing = Rc::clone(&hearing);
            async move {
                *hearing.borrow_mut() = peer.head().await;
                peer.say(answer).await;
                peer.stall().await;
            }
        })
        .await;
        let request = Request {
            headers: vec![
                (HeaderName::from_static("user-agent"), HeaderValue::from_static("AVAYA")),
                (HeaderName::from_static("x-b"), HeaderValue::from_static("2")),
                (HeaderName::from_static("authorization"), HeaderValue::from_static("Basic eDp5")),
            ],
            ..get(&server.origin, "/96xxdata.txt?x=1")
        };
        let done = connector(&[&server.origin]).await.exchange(7, None, &request).await;
        assert_answered(&done, 200);
        let head = heard.borrow().clone();
        let port = server.address.port();
        assert_eq!(
            head,
            format!(
                "GET /96xxdata.txt?x=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: AVAYA\r\nX-B: 2\r\nAuthorization: Basic eDp5\r\n\r\n"
            )
        );
        assert_eq!(done.facts.bytes_out, head.len() as u64);
        assert_eq!(done.facts.bytes_in, answer.len() as u64);
        assert!(done.facts.handshake.is_none() && !done.facts.reconnected);
        assert_eq!(done.facts.waited, Duration::ZERO);
        let got = done.answer.unwrap();
        assert_eq!(got.body, BodyFacts::of(b"hello"));
        assert_eq!(got.headers["x-order"], "1");
    });
}

#[test]
fn a_body_goes_out_whole() {
    run(async {
        let body = Bytes::from((0..300_000u32).map(|n| n as u8).collect::<Vec<_>>());
        let sent = body.clone();
        let server = Server::plain(move |mut peer| {
            let sent = sent.clone();
            async move {
                let head = peer.head().await;
                assert!(
                    head.starts_with("PUT /backup HTTP/1.1\r\n") && head.ends_with("Content-Length: 300000\r\n\r\n"),
                    "{head}"
                );
                let same = peer.body(sent.len()).await == sent;
                peer.say(format!(
                    "HTTP/1.1 {}\r\nContent-Length: 0\r\n\r\n",
                    if same { "201 Created" } else { "500 Differs" }
                ))
                .await;
                peer.stall().await;
            }
        })
        .await;
        let done = connector(&[&server.origin]).await.exchange(0, None, &put(&server.origin, "/backup", body)).await;
        assert_answered(&done, 201);
        assert!(done.connection.is_some());
    });
}

async fn polite(mut peer: Peer) {
    while peer.serve("ok").await {}
}

#[test]
fn a_kept_connection_is_used_again() {
    run(async {
        let server = Server::plain(polite).await;
        let connector = connector(&[&server.origin]).await;
        let mut kept = None;
        for n in 0..5 {
            let done = connector.exchange(1, kept.take(), &get(&server.origin, "/")).await;
            assert_answered(&done, 200);
            assert_eq!((done.facts.reused, done.facts.reconnected), (n > 0, false));
            kept = done.connection;
            assert_eq!(kept.as_ref().unwrap().origin(), &server.origin);
        }
        assert_eq!(server.accepted(), 1);
    });
}

#[test]
fn a_kept_connection_to_another_origin_or_too_old_is_not_used() {
    run(async {
        let (one, other) = (Server::plain(polite).await, Server::plain(polite).await);
        let connector = connector(&[&one.origin, &other.origin]).await;
        let kept = connector.exchange(1, None, &get(&one.origin, "/")).await.connection;
        let done = connector.exchange(1, kept, &get(&other.origin, "/")).await;
        assert_answered(&done, 200);
        assert!(!done.facts.reused && !done.facts.reconnected);
        assert_eq!((one.accepted(), other.accepted()), (1, 1));

        let mut hasty = settings(&[&one.origin]).await;
        hasty.network.idle = Duration::ZERO;
        let connector = Connector::new(&hasty).unwrap();
        let kept = connector.exchange(1, None, &get(&one.origin, "/")).await.connection;
        assert!(kept.is_some());
        let done = connector.exchange(1, kept, &get(&one.origin, "/")).await;
        assert!(!done.facts.reused && !done.facts.reconnected);
        assert_eq!(one.accepted(), 3);
    });
}

#[test]
fn either_side_may_end_the_connection() {
    run(async {
        for (answer, phone_keeps, kept) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true, true),
            ("HTTP/1.1 204 No Content\r\n\r\n", true, true),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", true, true),
            ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true, true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, false),
            ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", true, false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", true, false),
            // Octets that belong to no answer.
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!", true, false),
        ] {
            let server = Server::plain(move |mut peer| async move {
                let head = peer.head().await;
                assert_eq!(head.contains("Connection: close"), !phone_keeps, "{head}");
                peer.say(answer).await;
                peer.stall().await;
            })
            .await;
            let request = Request { keep_alive: phone_keeps, ..get(&server.origin, "/") };
            let done = connector(&[&server.origin]).await.exchange(0, None, &request).await;
            let status = answer[9..12].parse().unwrap();
            assert_answered(&done, status);
            assert_eq!(done.connection.is_some(), kept, "{answer:?}");
            let body: &[u8] = if status == 200 { b"ok" } else { b"" };
            assert_eq!(done.answer.unwrap().body, BodyFacts::of(body), "{answer:?}");
        }
    });
}

#[test]
fn a_body_may_end_with_the_connection() {
    run(async {
        let server = Server::plain(|mut peer| async move {
            peer.head().await;
            peer.say("HTTP/1.1 200 OK\r\n\r\nuntil the end").await;
            peer.close().await;
        })
        .await;
        let done = connector(&[&server.origin]).await.exchange(0, None, &get(&server.origin, "/")).await;
        assert_answered(&done, 200);
        assert!(done.connection.is_none());
        assert_eq!(done.answer.unwrap().body, BodyFacts::of(b"until the end"));
    });
}

#[test]
fn head_has_no_body_whatever_the_head_says() {
    run(async {
        let server = Server::plain(|mut peer| async move {
            peer.head().await;
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await;
            polite(peer).await;
        })
        .await;
        let connector = connector(&[&server.origin]).await;
        let head = Request { method: Method::HEAD, ..get(&server.origin, "/") };
        let done = connector.exchange(0, None, &head).await;
        assert_answered(&done, 200);
        assert_eq!(done.answer.unwrap().body, BodyFacts::of(b""));
        let done = connector.exchange(0, done.connection, &get(&server.origin, "/")).await;
        assert_answered(&done, 200);
        assert!(done.facts.reused);
    });
}

#[test]
fn a_dropped_connection_is_closed_in_good_order() {
    run(async {
        let (tell, told) = tokio::sync::oneshot::channel();
        let tell = Rc::new(RefCell::new(Some(tell)));
        let server = Server::plain(move |mut peer| {
            let tell = tell.borrow_mut().take();
            async move {
                peer.serve("ok").await;
                let _ = tell.unwrap().send(peer.rest().await);
            }
        })
        .await;
        let done = connector(&[&server.origin]).await.exchange(0, None, &get(&server.origin, "/")).await;
        drop(done.connection);
        assert_eq!(told.await.unwrap().unwrap(), b"");
    });
}

/// What a server may do to a kept connection before or after the phone's next request.
#[test]
fn a_kept_connection_found_dead_is_replaced_once() {
    for (while_idle, reset) in [(true, false), (true, true), (false, false), (false, true)] {
        run(async {
            let (go, gone) = (Rc::new(Notify::new()), Rc::new(Notify::new()));
            let (heed, report) = (Rc::clone(&go), Rc::clone(&gone));
            let server = Server::plain(move |mut peer| {
                let (heed, report) = (Rc::clone(&heed), Rc::clone(&report));
                async move {
                    peer.serve("ok").await;
                    if peer.index > 0 {
                        return polite(peer).await;
                    }
                    if while_idle {
                        heed.notified().await;
                    } else {
                        peer.head().await;
                    }
                    if reset {
                        peer.reset()
                    } else {
                        peer.close().await
                    }
                    report.notify_one();
                }
            })
            .await;
            let connector = connector(&[&server.origin]).await;
            let kept = connector.exchange(3, None, &get(&server.origin, "/")).await.connection;
            assert!(kept.is_some());
            if while_idle {
                go.notify_one();
                gone.notified().await;
            }
            let done = connector.exchange(3, kept, &get(&server.origin, "/")).await;
            assert_answered(&done, 200);
            assert!(done.facts.reconnected && !done.facts.reused, "{while_idle} {reset}: {:?}", done.facts);
            assert_eq!(server.accepted(), 2);
        });
    }
}

#[test]
fn an_answer_begun_on_a_kept_connection_is_not_asked_for_again() {
    run(async {
        let server = Server::plain(|mut peer| async move {
            peer.serve("ok").await;
            peer.head().await;
            peer.say("HTTP/1.1 200 OK\r\nContent-").await;
            peer.close().await;
        })
        .await;
        let connector = connector(&[&server.origin]).await;
        let kept = connector.exchange(3, None, &get(&server.origin, "/")).await.connection;
        let done = connector.exchange(3, kept, &get(&server.origin, "/")).await;
        assert_eq!(done.answer.unwrap_err(), Failure::Closed);
        assert!(done.facts.reused && !done.facts.reconnected);
        assert_eq!(server.accepted(), 1);
    });
}

#[test]
fn what_a_server_does_wrong_has_one_name_and_is_never_retried() {
    fn say_and(octets: &'static str, end: fn(Peer) -> End) -> Script {
        script(move |mut peer| async move {
            peer.head().await;
            peer.say(octets).await;
            match end(peer) {
                End::Close(peer) => peer.close().await,
                End::Reset(peer) => peer.reset(),
                End::Stall(peer) => peer.stall().await,
            }
        })
    }
    enum End {
        Close(Peer),
        Reset(Peer),
        Stall(Peer),
    }
    let long_head: &'static str = Box::leak(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(90_000)).into());
    type Act = fn(Peer) -> End;
    let table: Vec<(&'static str, Act, Failure)> = vec![
        ("", End::Close, Failure::Closed),
        ("", End::Reset, Failure::Reset),
        ("", End::Stall, Failure::TimeoutFirstByte),
        ("HTTP/1.1 200 OK\r\nContent-Le", End::Close, Failure::Closed),
        ("HTTP/1.1 200 OK\r\nContent-Le", End::Reset, Failure::Reset),
        ("HTTP/1.1 200 OK\r\nContent-Le", End::Stall, Failure::TimeoutExchange),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", End::Close, Failure::Closed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", End::Reset, Failure::Reset),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", End::Stall, Failure::TimeoutExchange),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", End::Close, Failure::Closed),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", End::Stall, Failure::MalformedResponse),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", End::Stall, Failure::MalformedResponse),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", End::Stall, Failure::MalformedResponse),
        ("SSH-2.0-OpenSSH_9.2\r\n", End::Stall, Failure::MalformedResponse),
        ("\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}(", End::Close, Failure::MalformedResponse),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            End::Stall,
            Failure::MalformedResponse,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 33554433\r\n\r\n", End::Stall, Failure::ResponseTooLarge),
        (long_head, End::Stall, Failure::ResponseTooLarge),
    ];
    for (octets, end, failure) in table {
        run(async {
            let server = Server::plain(say_and(octets, end)).await;
            let mut settings = settings(&[&server.origin]).await;
            match failure {
                Failure::TimeoutFirstByte => settings.timeouts.first_byte = Duration::from_millis(50),
                Failure::TimeoutExchange => settings.timeouts.exchange = Duration::from_millis(400),
                _ => {}
            }
            let connector = Connector::new(&settings).unwrap();
            let done = connector.exchange(0, None, &get(&server.origin, "/")).await;
            let shown = &octets[..octets.len().min(60)];
            assert_eq!(done.answer.as_ref().unwrap_err(), &failure, "{shown:?}");
            assert_eq!(done.facts.failure, Some(failure));
            assert!(done.connection.is_none() && !done.facts.reconnected);
            assert!(done.facts.connect.is_some() && done.facts.send.is_some(), "{shown:?} {:?}", done.facts);
            assert_eq!(done.facts.first_byte.is_some(), !octets.is_empty(), "{shown:?}");
            assert_eq!(server.accepted(), 1, "{shown:?}");
        });
    }
}

#[test]
fn a_body_without_end_is_cut() {
    run(async {
        let server = Server::plain(|mut peer| async move {
            peer.head().await;
            peer.say("HTTP/1.1 200 OK\r\n\r\n").await;
            let megabyte = vec![b'x'; 1 << 20];
            for _ in 0..33 {
                peer.say(&megabyte).await;
            }
        })
        .await;
        let done = connector(&[&server.origin]).await.exchange(0, None, &get(&server.origin, "/")).await;
        assert_eq!(done.answer.unwrap_err(), Failure::ResponseTooLarge);
        assert_eq!(done.facts.status, Some(200));
    });
}

#[test]
fn nobody_listens() {
    run(async {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let origin = Arc::new(Origin { tls: false, host: "127.0.0.1".to_owned(), port });
        let done = connector(&[&origin]).await.exchange(0, None, &get(&origin, "/")).await;
        assert_eq!(done.answer.unwrap_err(), Failure::ConnectRefused);
        assert!(done.facts.connect.is_some() && done.facts.send.is_none() && done.connection.is_none());
    });
}

#[test]
fn nobody_accepts() {
    run(async {
        // A full accept queue drops further SYNs.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(50)) {
            waiting.push(stream);
            assert!(waiting.len() < 100, "the queue never fills");
        }
        let origin = Arc::new(Origin { tls: false, host: "127.0.0.1".to_owned(), port: address.port() });
        let mut settings = settings(&[&origin]).await;
        settings.timeouts.connect = Duration::from_millis(50);
        let done = Connector::new(&settings).unwrap().exchange(0, None, &get(&origin, "/")).await;
        assert_eq!(done.answer.unwrap_err(), Failure::ConnectTimeout);
        settings.timeouts.connect = Duration::from_secs(20);
        settings.timeouts.exchange = Duration::from_millis(50);
        let done = Connector::new(&settings).unwrap().exchange(0, None, &get(&origin, "/")).await;
        assert_eq!(done.answer.unwrap_err(), Failure::TimeoutExchange);
    });
}

#[test]
fn an_origin_that_is_not_allowed_is_not_connected_to() {
    run(async {
        let (allowed, other) = (Server::plain(polite).await, Server::plain(polite).await);
        let done = connector(&[&allowed.origin]).await.exchange(0, None, &get(&other.origin, "/")).await;
        assert_eq!(done.answer.unwrap_err(), Failure::ConnectUnreachable);
        assert_eq!(other.accepted(), 0);
    });
}

#[test]
fn an_early_answer_is_taken_and_the_rest_of_the_body_dropped() {
    const EARLY: &str =
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 6\r\n\r\ndenied";
    type Make = fn() -> Script;
    let ways: [(&str, Make); 3] = [
        ("then stalls", || {
            script(|mut peer| async move {
                peer.head().await;
                peer.say(EARLY).await;
                peer.stall().await;
            })
        }),
        ("then resets, the body unread", || {
            script(|mut peer| async move {
                peer.head().await;
                peer.body(100_000).await;
                peer.say(EARLY).await;
                peer.close().await;
            })
        }),
        ("then reads on", || {
            script(|mut peer| async move {
                peer.head().await;
                peer.say(EARLY).await;
                let _ = peer.rest().await;
            })
        }),
    ];
    for (way, make) in ways {
        run(async {
            let server = Server::plain(make()).await;
            let body = Bytes::from(vec![b'x'; 64 << 20]);
            let done =
                connector(&[&server.origin]).await.exchange(0, None, &put(&server.origin, "/b", body.clone())).await;
            assert_answered(&done, 401);
            assert!(done.connection.is_none(), "{way}");
            assert!(done.facts.bytes_out < body.len() as u64, "{way}: {}", done.facts.bytes_out);
            assert_eq!(done.answer.unwrap().body, BodyFacts::of(b"denied"), "{way}");
        });
    }
}

#[test]
fn a_body_waits_for_100_continue() {
    fn expecting(origin: &Arc<Origin>) -> Request {
        let mut request = put(origin, "/b", Bytes::from_static(b"body"));
        request.headers.push((HeaderName::from_static("expect"), HeaderValue::from_static("100-continue")));
        request
    }
    run(async {
        let server = Server::plain(|mut peer| async move {
            assert!(peer.head().await.contains("\r\nExpect: 100-continue\r\n"));
            match peer.index {
                0 => peer.say("HTTP/1.1 100 Continue\r\n\r\n").await,
                1 => return peer.say("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await,
                // Some servers never say it: the phone goes on by itself.
                _ => {}
            }
            assert_eq!(peer.body(4).await, b"body");
            peer.say("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await;
            peer.stall().await;
        })
        .await;
        let connector = connector(&[&server.origin]).await;
        let continued = connector.exchange(0, None, &expecting(&server.origin)).await;
        assert_answered(&continued, 201);
        assert!(continued.connection.is_some());
        let refused = connector.exchange(0, None, &expecting(&server.origin)).await;
        assert_answered(&refused, 401);
        assert!(refused.connection.is_none(), "the body it announced never came");
        assert_eq!(continued.facts.bytes_out - refused.facts.bytes_out, 4);
        assert_answered(&connector.exchange(0, None, &expecting(&server.origin)).await, 201);
    });
}

#[test]
fn phones_keep_their_source_address() {
    run(async {
        let server = Server::plain(|mut peer| async move {
            let from = peer.from.ip().to_string();
            while peer.serve(&from).await {}
        })
        .await;
        let mut settings = settings(&[&server.origin]).await;
        settings.network.sources = vec![
            SourceRange { first: "127.0.0.9".parse().unwrap(), count: 2 },
            SourceRange { first: "127.3.0.255".parse().unwrap(), count: 2 },
        ];
        let connector = Connector::new(&settings).unwrap();
        let wanted = ["127.0.0.9", "127.0.0.10", "127.3.0.255", "127.3.1.0"];
        for phone in 0..9 {
            let done = connector.exchange(phone, None, &get(&server.origin, "/")).await;
            assert_answered(&done, 200);
            assert_eq!(
                done.answer.unwrap().body,
                BodyFacts::of(wanted[phone as usize % 4].as_bytes()),
                "phone {phone}"
            );
        }
    });
}

#[test]
fn sources_of_the_other_family_are_refused_at_once() {
    run(async {
        let server = Server::plain(polite).await;
        let mut settings = settings(&[&server.origin]).await;
        settings.network.sources = vec![SourceRange { first: "::1".parse().unwrap(), count: 1 }];
        let error = Connector::new(&settings).unwrap_err();
        assert!(error.to_string().contains("::1"), "{error}");
    });
}

#[test]
fn ipv6_works_like_ipv4() {
    run(async {
        let server = Server::on("::1".parse().unwrap(), "::1", None, |mut peer| async move {
            let head = peer.head().await;
            let host = head.lines().find(|line| line.starts_with("Host:")).unwrap().to_owned();
            let body = format!("{host} from {}", peer.from.ip());
            peer.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
        })
        .await;
        let mut settings = settings(&[&server.origin]).await;
        settings.network.sources = vec![SourceRange { first: "::1".parse().unwrap(), count: 1 }];
        let done = Connector::new(&settings).unwrap().exchange(0, None, &get(&server.origin, "/")).await;
        assert_answered(&done, 200);
        let want = format!("Host: [::1]:{} from ::1", server.address.port());
        assert_eq!(done.answer.unwrap().body, BodyFacts::of(want.as_bytes()));
    });
}

#[test]
fn a_name_with_two_addresses_is_reached_at_the_one_that_is_served() {
    run(async {
        for ip in ["127.0.0.1", "::1"] {
            let server = Server::on(ip.parse().unwrap(), "localhost", None, polite).await;
            let settings = settings(&[&server.origin]).await;
            let known = settings.addresses.of(&server.origin).unwrap();
            if !known.contains(&server.address) {
                continue; // This machine's localhost is of one family only.
            }
            let connector = Connector::new(&settings).unwrap();
            assert_answered(&connector.exchange(0, None, &get(&server.origin, "/")).await, 200);
            assert_answered(&connector.exchange(1, None, &get(&server.origin, "/")).await, 200);
        }
    });
}

#[test]
fn many_phones_at_once_on_one_thread() {
    run(async {
        let server = Server::plain(polite).await;
        let connector = connector(&[&server.origin]).await;
        let phones: Vec<_> = (0..200)
            .map(|phone| {
                let (connector, origin) = (connector.clone(), Arc::clone(&server.origin));
                tokio::task::spawn_local(async move {
                    let first = connector.exchange(phone, None, &get(&origin, "/")).await;
                    assert_answered(&first, 200);
                    let second = connector.exchange(phone, first.connection, &get(&origin, "/")).await;
                    assert_answered(&second, 200);
                    assert!(second.facts.reused);
                })
            })
            .collect();
        for phone in phones {
            phone.await.unwrap();
        }
        assert_eq!(server.accepted(), 200);
    });
}
