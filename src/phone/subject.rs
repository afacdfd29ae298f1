//! The subject of a phone's own certificate.

use super::Identity;

/// One attribute of a subject (X.520).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Which.
    pub kind: AttributeKind,
    /// Its value.
    pub value: String,
}

/// The attributes phones use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// `CN`.
    CommonName,
    /// `OU`.
    OrganizationalUnit,
    /// `L`.
    Locality,
    /// `SN`; older tools write `S`.
    Surname,
}

/// The subject of a phone whose family says no more: its serial number as the common name, as Avaya's `MYCERTCN` has
/// it by default \[doc\]; its MAC address if it has none.
pub(super) fn usual(who: &Identity) -> Vec<Attribute> {
    let value = if who.serial.is_empty() { who.mac.clone() } else { who.serial.clone() };
    vec![Attribute { kind: AttributeKind::CommonName, value }]
}
