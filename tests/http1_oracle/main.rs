//! Our HTTP/1.1 client against hyper's: the same octets, cut in the same places, must be heard alike.
//!
//! What is compared: the status, the headers in their order, length and hash of the body, whether another request is
//! answered on the same connection, and what is wrong with an answer that is none. Where the two are meant to differ, a
//! row of [`differences`] says so.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod answers;
mod cases;
mod differences;
mod requests;
mod stage;
#[path = "../support/net.rs"]
mod support;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use answers::MEANINGFUL;
use differences::Difference;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use stage::{Case, End, Heard, Stage};

/// Both clients, and what they have been compared on so far.
struct Comparison {
    stage: Stage,
    table: Vec<Difference>,
    compared: Cell<usize>,
    /// How often each difference that is meant was met.
    met: RefCell<BTreeMap<&'static str, usize>>,
    /// How often each way to end was met.
    heard: RefCell<BTreeMap<String, usize>>,
}

impl Comparison {
    fn new() -> Comparison {
        Comparison {
            stage: Stage::new(),
            table: differences::table(),
            compared: Cell::default(),
            met: RefCell::default(),
            heard: RefCell::default(),
        }
    }

    /// The difference that is meant, if that is what these two have.
    fn meant(&self, case: &Case, ours: &Heard, theirs: &Heard) -> Option<&Difference> {
        self.table.iter().find(|difference| (difference.covers)(case, ours, theirs))
    }

    /// Compares the two on one case; what it was that nobody meant, in words.
    fn compare(&self, case: &Case) -> Result<(), String> {
        let agree = |ours: &Heard, theirs: &Heard| ours == theirs || self.meant(case, ours, theirs).is_some();
        let (ours, theirs) = self.stage.tell(case, agree);
        self.compared.set(self.compared.get() + 1);
        *self.heard.borrow_mut().entry(ours.kind()).or_default() += 1;
        if ours == theirs {
            return Ok(());
        }
        match self.meant(case, &ours, &theirs) {
            Some(difference) => {
                *self.met.borrow_mut().entry(difference.name).or_default() += 1;
                Ok(())
            }
            None => Err(format!("{case:?}\n  ours:   {ours:?}\n  theirs: {theirs:?}")),
        }
    }

    fn report(&self) {
        println!("{} cases: {:#?}\nmeant: {:#?}", self.compared.get(), self.heard.borrow(), self.met.borrow());
    }
}

/// `PROPTEST_CASES` sets how many.
#[test]
fn any_answer_is_heard_as_hyper_hears_it() {
    let comparison = Comparison::new();
    let cases = Config::default().cases.max(1_000);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let told = runner.run(&cases::case(), |case| comparison.compare(&case).map_err(TestCaseError::fail));
    comparison.report();
    if let Err(error) = told {
        panic!("{error}");
    }
}

/// Answers of every kind, to be cut short and in pieces.
const ANSWERS: [&[u8]; 12] = [
    b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"a\"\r\n\r\n3;x=\"y\"\r\nabc\r\nA \r\n0123456789\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end",
    b"HTTP/1.0 200\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok",
    b"\r\n\nHTTP/1.1 401 \xe4\nWWW-Authenticate: Basic realm=\"\xe4\"\nWWW-Authenticate:\t NTLM \nContent-Length: 1, 1\n\nx",
    b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: gzip , CHUNKED\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
];

#[test]
fn an_answer_cut_at_each_octet_is_heard_alike() {
    let comparison = Comparison::new();
    for octets in ANSWERS {
        let whole = Case::whole(octets, End::Stay);
        comparison.compare(&whole).unwrap_or_else(|told| panic!("{told}"));
        let singly = Case { cuts: (1..octets.len()).collect(), ..whole.clone() };
        comparison.compare(&singly).unwrap_or_else(|told| panic!("{told}"));
        for cut in 1..octets.len() {
            let case = Case { cuts: vec![cut], ..whole.clone() };
            comparison.compare(&case).unwrap_or_else(|told| panic!("{told}"));
        }
    }
    comparison.report();
}

#[test]
fn an_answer_that_ends_too_soon_is_heard_alike() {
    let comparison = Comparison::new();
    for octets in ANSWERS {
        for length in 0..=octets.len() {
            for end in [End::Close, End::Reset] {
                comparison.compare(&Case::whole(&octets[..length], end)).unwrap_or_else(|told| panic!("{told}"));
            }
        }
    }
    comparison.report();
}

#[test]
fn an_answer_with_an_octet_changed_or_lost_is_heard_alike() {
    let comparison = Comparison::new();
    for octets in ANSWERS {
        for at in 0..octets.len() {
            let mut lost = octets.to_vec();
            lost.remove(at);
            comparison.compare(&Case::whole(lost, End::Stay)).unwrap_or_else(|told| panic!("{told}"));
            // Three of them at each place, all of them at some.
            for which in 3 * at..3 * at + 3 {
                let mut changed = octets.to_vec();
                changed[at] = MEANINGFUL[which % MEANINGFUL.len()];
                comparison.compare(&Case::whole(changed, End::Stay)).unwrap_or_else(|told| panic!("{told}"));
            }
        }
    }
    comparison.report();
}

#[test]
fn where_they_differ_it_is_meant() {
    let comparison = Comparison::new();
    for difference in &comparison.table {
        let wanted =
            |heard: &Heard, (status, wrong)| heard.status == status && heard.result.as_ref().err().copied() == wrong;
        let (ours, theirs) = comparison.stage.tell(&difference.example, |ours, theirs| {
            wanted(ours, difference.ours) && wanted(theirs, difference.theirs)
        });
        assert!(wanted(&ours, difference.ours), "{}: ours {ours:?}", difference.name);
        assert!(wanted(&theirs, difference.theirs), "{}: theirs {theirs:?}", difference.name);
        let found = comparison.meant(&difference.example, &ours, &theirs).map(|found| found.name);
        assert_eq!(found, Some(difference.name), "{}", difference.reason);
    }
}
