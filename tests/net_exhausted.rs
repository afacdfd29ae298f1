//! The generator's own limits, met in the middle of a run: they must never look like the server's doing.
//! A test binary of its own: it uses up this process's open files.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/net.rs"]
mod support;

use std::fs::File;

use bootstorm::net::Connector;
use bootstorm::phone::{Failure, Fault};
use bootstorm::workload::SourceRange;
use rlimit::Resource;
use support::{Server, assert_answered, get, run, settings};

#[test]
fn files_and_ports_of_this_machine() {
    run(async {
        let server = Server::plain(|mut peer| async move { while peer.serve("ok").await {} }).await;
        let mut settings = settings(&[&server.origin]).await;
        let connector = Connector::new(&settings).unwrap();

        let (_, hard) = Resource::NOFILE.get().unwrap();
        Resource::NOFILE.set(hard.min(128), hard).unwrap();
        let mut files = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            files.push(file);
        }
        let done = connector.exchange(0, None, &get(&server.origin, "/")).await;
        assert_eq!(done.answer.unwrap_err(), Failure::LocalFiles);
        assert_eq!(Failure::LocalFiles.fault(), Fault::Generator);
        assert_eq!((done.facts.bytes_out, server.accepted()), (0, 0));
        drop(files);
        assert_answered(&connector.exchange(0, None, &get(&server.origin, "/")).await, 200);

        // What the system says when an address has no port left, it also says of an address that is not here.
        settings.network.sources = vec![SourceRange { first: "192.0.2.1".parse().unwrap(), count: 1 }];
        let done = Connector::new(&settings).unwrap().exchange(0, None, &get(&server.origin, "/")).await;
        assert_eq!(done.answer.unwrap_err(), Failure::LocalPorts);
        assert_eq!(Failure::LocalPorts.fault(), Fault::Generator);
    });
}
