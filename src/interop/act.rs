//! What scenarios have a phone do.

use super::bench::Bench;
use super::player::Player;
use crate::phone::{Operation, Trigger};

/// What a scenario does to a phone, one thing after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It fetches its own file (or stores it, where only that is guarded), for the first time since it has power.
    SignIn,
    /// The same again.
    SignInAgain,
    /// It fetches its own file.
    Fetch,
    /// It stores its own file.
    Store,
    /// Power returns.
    PowerUp,
    /// A person types the right credentials, if a screen waits.
    TypeRight,
    /// A person types a wrong password, if a screen waits.
    TypeWrong,
    /// Its connection is closed.
    Close,
}

impl Bench<'_> {
    /// Does one thing to the phone.
    pub fn act(&self, player: &mut Player<'_>, act: Act) {
        let writes = self.only_writes_are_guarded();
        match act {
            Act::SignIn | Act::SignInAgain if writes => player.act(Trigger::Backup),
            Act::SignIn | Act::Fetch => player.act(self.habits.fetch),
            Act::SignInAgain => player.act(self.habits.fetch_again),
            Act::Store => player.act(Trigger::Backup),
            Act::PowerUp => player.act(Trigger::PowerUp),
            Act::TypeRight => {
                player.types(self.subject.right.clone());
            }
            Act::TypeWrong => {
                let right = &self.subject.right;
                let wrong = format!("not-{}", right.password());
                player.types(crate::auth::Credentials::new(right.user(), wrong));
            }
            Act::Close => player.close_connection(),
        }
    }

    /// The operation by which the phone signs in.
    pub fn signs_in_by(&self) -> Operation {
        match self.habits.stores {
            Some(stores) if self.only_writes_are_guarded() => stores,
            _ => self.habits.fetches,
        }
    }
}
