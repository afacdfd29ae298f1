//! What comes of a request: a response, when it is there, and what goes wrong on the way.

use bytes::Bytes;
use http::Response;

use crate::phone::Moment;

/// What comes of a request.
#[derive(Debug)]
pub struct Served {
    /// When the response is there (phone time); none: at once.
    pub at: Option<Moment>,
    /// The response; empty where none is ever sent.
    pub response: Response<Bytes>,
    /// What goes wrong below HTTP, if anything.
    pub mishap: Option<Mishap>,
}

/// What can go wrong below HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing listens: the connection is refused, or was broken.
    Refused,
    /// The connection is reset in place of an answer.
    Reset,
    /// The connection is closed after half of the answer.
    Cut,
    /// After half of the answer nothing more comes.
    Stall,
}

impl From<Response<Bytes>> for Served {
    fn from(response: Response<Bytes>) -> Served {
        Served { at: None, response, mishap: None }
    }
}

impl From<Mishap> for Served {
    fn from(mishap: Mishap) -> Served {
        Served { at: None, response: Response::new(Bytes::new()), mishap: Some(mishap) }
    }
}
