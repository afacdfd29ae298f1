//! Arrival plans: every intended start of a large fleet.

use super::{HotPath, scene};

/// Phones of the fleet.
pub(crate) const PHONES: u32 = 100_000;

/// Every kind of arrival, as a workload has it.
pub(crate) const ARRIVALS: [(&str, &str); 5] = [
    ("at-once", "\"at-once\""),
    ("constant", "{ constant = \"1000/s\" }"),
    ("ramp", "{ ramp = { from = \"100/s\", to = \"1000/s\", over = \"2m\" } }"),
    ("poisson", "{ poisson = { rate = \"1000/s\", over = \"100s\" } }"),
    (
        "power-return",
        "{ power-return = { ports = \"20s\", boot = \"60s\", spread = \"10s\", dhcp-rate = \"1000/s\" } }",
    ),
];

/// Walks the whole plan: how many starts there are.
pub(crate) fn starts(arrival: &str) -> HotPath<(), usize> {
    let (_, typed) = ARRIVALS.into_iter().find(|(name, _)| *name == arrival).unwrap();
    let plan = scene::plan(PHONES, typed);
    let walk = move || plan.starts(0, 1).count();
    assert!(walk().abs_diff(PHONES as usize) < 2_000, "{arrival}");
    HotPath::new(|| (), move |()| walk())
}
