//! HTTP/1.1 as a phone speaks it (RFC 9112): heads written and read, bodies measured. Octets in, octets out; the sockets
//! are [`super::conversation`]'s.
//!
//! It is ours because of what it costs: a general client keeps buffers, channels and tasks for each connection, and
//! builds what nobody looks at of each answer. Of a phone's answer the status counts, the length and a hash of its body,
//! and now and then a header. What is hard about HTTP/1, taking heads apart, is `httparse`'s.

pub(super) mod body;
pub(super) mod head;

/// What makes no sense, or is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// This is no HTTP/1 answer.
    Malformed,
    /// Its head is larger than any phone takes.
    TooLarge,
}
