//! Answers as they come: whole or not, with something behind them, in pieces.

use http::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::answers::{MEANINGFUL, answer, usually};
use super::stage::{Case, End};

/// Any case.
pub(crate) fn case() -> BoxedStrategy<Case> {
    let octets = (answer(), behind(), accident()).prop_map(|(mut octets, behind, accident)| {
        octets.extend(behind);
        accident.befall(&mut octets);
        octets
    });
    let method = prop_oneof![6 => Just(Method::GET), 1 => Just(Method::HEAD)];
    let end = prop_oneof![3 => Just(End::Stay), 2 => Just(End::Close), 1 => Just(End::Reset)];
    (method, octets, cuts(), end)
        .prop_map(|(method, octets, cuts, end)| {
            let cuts = cuts.places(octets.len());
            Case { method, octets, cuts, end }
        })
        .boxed()
}

/// Something that happens to a good answer.
#[derive(Clone, Debug)]
enum Accident {
    None,
    /// Not all of it comes.
    Short(Index),
    Changed(Index, u8),
    Lost(Index),
    Added(Index, u8),
}

impl Accident {
    fn befall(self, octets: &mut Vec<u8>) {
        match self {
            Accident::None => {}
            Accident::Short(at) => octets.truncate(at.index(octets.len() + 1)),
            Accident::Changed(at, octet) => {
                let at = at.index(octets.len());
                octets[at] = octet;
            }
            Accident::Lost(at) => {
                octets.remove(at.index(octets.len()));
            }
            Accident::Added(at, octet) => octets.insert(at.index(octets.len() + 1), octet),
        }
    }
}

fn accident() -> BoxedStrategy<Accident> {
    let octet = || prop_oneof![3 => select(MEANINGFUL), 1 => any::<u8>()];
    prop_oneof![
        20 => Just(Accident::None),
        2 => any::<Index>().prop_map(Accident::Short),
        1 => (any::<Index>(), octet()).prop_map(|(at, octet)| Accident::Changed(at, octet)),
        1 => any::<Index>().prop_map(Accident::Lost),
        1 => (any::<Index>(), octet()).prop_map(|(at, octet)| Accident::Added(at, octet)),
    ]
    .boxed()
}

#[derive(Clone, Debug)]
enum Cuts {
    At(Vec<Index>),
    /// Pieces of so many octets, as long as there are not too many.
    Each(usize),
}

impl Cuts {
    fn places(self, length: usize) -> Vec<usize> {
        let mut places = match self {
            Cuts::At(cuts) => cuts.into_iter().map(|cut| cut.index(length + 1)).collect(),
            Cuts::Each(octets) if length / octets < 300 => (octets..length).step_by(octets).collect(),
            Cuts::Each(_) => Vec::new(),
        };
        places.sort_unstable();
        places.dedup();
        places.retain(|place| *place != 0 && *place != length);
        places
    }
}

fn cuts() -> BoxedStrategy<Cuts> {
    prop_oneof![
        4 => vec(any::<Index>(), 0..5).prop_map(Cuts::At),
        1 => (1..40_usize).prop_map(Cuts::Each),
    ]
    .boxed()
}

/// What comes after the answer.
fn behind() -> BoxedStrategy<Vec<u8>> {
    usually("", &["", "", "", "\r\n", "x", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "\0"]).boxed()
}
