//! What `Authentication-Info` said (RFC 7616 3.5).

/// What came of an `Authentication-Info` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoVerdict {
    /// Whether the server proved that it knows the secret.
    pub rspauth: Rspauth,
    /// Whether a `nextnonce` was taken: the next answer uses it.
    pub next_nonce: bool,
}

impl InfoVerdict {
    /// It said nothing of use.
    pub const NOTHING: InfoVerdict = InfoVerdict { rspauth: Rspauth::Absent, next_nonce: false };
}

/// The server's proof that it knows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rspauth {
    /// None given; it is optional.
    Absent,
    /// It is right.
    Right,
    /// It is wrong, or for another request: the answer does not come from a server that knows the secret.
    Wrong,
    /// It covers a body that was not kept, or a quality of protection that is not known.
    Unchecked,
}
