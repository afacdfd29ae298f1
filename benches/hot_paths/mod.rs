//! The hot paths, named once: `pure` times them, `instructions` counts them.

pub(crate) mod auth;
pub(crate) mod phone;
pub(crate) mod plan;
pub(crate) mod recorder;
pub(crate) mod scene;
pub(crate) mod site;

/// Something done over and over. What `prepare` costs is nobody's business: only `act` is measured.
pub(crate) struct HotPath<I, O> {
    pub(crate) prepare: Box<dyn FnMut() -> I>,
    pub(crate) act: Box<dyn FnMut(&mut I) -> O>,
}

impl<I, O> HotPath<I, O> {
    pub(crate) fn new(prepare: impl FnMut() -> I + 'static, act: impl FnMut(&mut I) -> O + 'static) -> HotPath<I, O> {
        HotPath { prepare: Box::new(prepare), act: Box::new(act) }
    }
}
