//! The phone: a pure state machine (sans-IO) and its families.
mod chance;
mod family;
mod fleet;
mod identity;
mod message;
mod moment;
mod operation;
mod outcome;

pub use chance::{Chance, Draw, Purpose};
pub use family::{FAMILIES, Family, Registration, SettingsError};
pub use fleet::{Account, CredentialState, Fleet, People, SizeRange};
pub use identity::{Identities, Identity, Listed, Template, TemplateError};
pub use message::{
    Action, Answer, BodyFacts, ChallengeKind, ContentHash, Delay, Input, Origin, Reason, Request, Standing,
};
pub use moment::Moment;
pub use operation::{DropCause, Operation, Trigger};
pub use outcome::{Failure, Fault, Outcome, Screen};
