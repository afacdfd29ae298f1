//! The phone: a pure state machine (sans-IO) and its families.
//!
//! *All time is external input*, and so is chance. [`Phone::handle`] takes an [`Input`] and says what is to
//! be done as [`Action`]s; it opens no socket, reads no clock, draws no number of its own. The driver
//! carries actions out on sockets, the simulation in virtual time: the same phones, the same answers.
//! The state graph and the story of one restore stand at the head of `machine.rs`.

mod avaya;
pub mod backup;
#[cfg(test)]
mod bench;
mod boot;
mod chain;
mod challenged;
mod chance;
mod cisco;
mod context;
mod delay;
mod digits;
mod doing;
mod draws;
mod ending;
mod families;
mod family;
mod fleet;
mod headers;
mod http_device;
mod identity;
mod machine;
mod message;
mod moment;
mod operating;
mod operation;
mod origin;
mod outcome;
mod path;
mod person;
mod recurrence;
mod redirect;
mod restart;
mod rule;
mod settings;
mod subject;
mod timers;

pub use chance::{Chance, Draw, Purpose};
pub use context::Context;
pub use delay::Delay;
pub use families::FAMILIES;
pub use family::{
    ByMenu, Challenged, Decision, Deed, Family, InUse, Learns, Registration, SettingsError, Stage, Step, Task, Upload,
    Why,
};
pub use fleet::{Account, CredentialState, Fleet, People, SizeRange};
pub use headers::Headers;
pub use identity::{Identities, Identity, Listed, Template, TemplateError};
pub use machine::{Awaits, Phone};
pub use message::{Action, Answer, BodyFacts, ChallengeKind, ContentHash, Input, Reason, Request, Standing};
pub use moment::Moment;
pub use operation::{DropCause, Operation, Trigger};
pub use origin::Origin;
pub use outcome::{Failure, Fault, Outcome, Screen};
pub use recurrence::Recurrence;
pub use rule::Rule;
pub use subject::{Attribute, AttributeKind};
