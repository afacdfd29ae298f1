//! How many phones stand where.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::phone::Standing;

/// How many phones stand where, or how that changed. Each phone is in exactly one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standings {
    /// Without power.
    pub off: i64,
    /// On their way through the boot chain.
    pub booting: i64,
    /// Through the boot chain.
    pub provisioned: i64,
    /// Before a screen that waits for a person.
    pub prompting: i64,
    /// The boot chain failed, and no screen is shown.
    pub failed: i64,
}

impl Standings {
    /// All phones, wherever they stand.
    pub const fn total(&self) -> i64 {
        self.off + self.booting + self.provisioned + self.prompting + self.failed
    }

    /// Whether any count is below nothing, which only a wrong sequence of events can bring about.
    pub const fn any_negative(&self) -> bool {
        self.off < 0 || self.booting < 0 || self.provisioned < 0 || self.prompting < 0 || self.failed < 0
    }

    /// How many stand there.
    pub const fn at(&self, standing: Standing) -> i64 {
        match standing {
            Standing::Off => self.off,
            Standing::Booting => self.booting,
            Standing::Provisioned => self.provisioned,
            Standing::Prompting => self.prompting,
            Standing::Failed => self.failed,
        }
    }

    /// One phone goes from one place to another.
    pub(super) fn shift(&mut self, from: Standing, to: Standing) {
        *self.at_mut(from) -= 1;
        *self.at_mut(to) += 1;
    }

    fn at_mut(&mut self, standing: Standing) -> &mut i64 {
        match standing {
            Standing::Off => &mut self.off,
            Standing::Booting => &mut self.booting,
            Standing::Provisioned => &mut self.provisioned,
            Standing::Prompting => &mut self.prompting,
            Standing::Failed => &mut self.failed,
        }
    }
}

impl AddAssign for Standings {
    fn add_assign(&mut self, other: Standings) {
        self.off += other.off;
        self.booting += other.booting;
        self.provisioned += other.provisioned;
        self.prompting += other.prompting;
        self.failed += other.failed;
    }
}
