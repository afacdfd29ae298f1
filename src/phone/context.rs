//! What a phone is told of the world with each input.

use std::sync::Arc;

use super::{Chance, Fleet, Origin};
use crate::auth::Commons;

/// What every phone of a fleet needs to know and none keeps for itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The phone's fleet.
    pub fleet: &'a Fleet,
    /// The source of all chance.
    pub chance: &'a Chance,
    /// The file server.
    pub origin: &'a Arc<Origin>,
    /// Folder before every path, no trailing slash; empty for the root.
    pub base: &'a str,
    /// The plain HTTP server for families that fall back to it where HTTPS cannot be had.
    pub fallback: Option<&'a Arc<Origin>>,
    /// What the phones remember alike.
    pub commons: &'a Commons,
}
