//! Where a phone is in its boot chain.

/// How far the boot chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// Not begun, or broken off before its turn.
    Broken,
    /// Broken off: this stage failed.
    BrokenAt(u8),
    /// This stage waits for its timer or is under way.
    At(u8),
    /// This stage stands at a screen.
    Stands(u8),
    /// Through: the phone is provisioned.
    Through,
}
