//! The register of families.

use super::{Registration, avaya, cisco, http_device};

/// Every family this build knows. A new family adds its file and one line here.
pub const FAMILIES: &[Registration] = &[avaya::REGISTRATION, cisco::REGISTRATION, http_device::REGISTRATION];
