//! What people write: templates, profile rules, workloads.

use std::path::Path;

use bootstorm::phone::{FAMILIES, Identity, Operation, Task, Template, Upload};
use bootstorm::workload::{Overrides, parse};

fn identity() -> Identity {
    Identity {
        index: 4_000_000_000,
        number: 7,
        extension: "20007".into(),
        mac: "00562b043615".into(),
        serial: "FCH0007".into(),
    }
}

/// A template is refused in words, or fills.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Template::parse(text) {
        Ok(template) => {
            let (one, other) = (identity(), Identity { index: 1, number: 1, ..identity() });
            let same = template.fill(&one) == template.fill(&other);
            assert!(same || !template.is_constant(), "{text:?}");
            assert_eq!(template.source(), text);
        }
        Err(e) => assert!(!e.to_string().is_empty()),
    }
}

/// A profile rule is refused in words, or a resync asks for paths that can stand on a request line.
pub fn profile_rule(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(cisco) = FAMILIES.iter().find(|family| family.name == "cisco-mpp") else { return };
    let settings = toml::Table::from_iter([("profile-rule".to_owned(), text.into())]);
    let family = match (cisco.read)(&settings) {
        Ok(family) => family,
        Err(e) => return assert!(!e.message.is_empty()),
    };
    let who = identity();
    let task = Task { who: &who, operation: Operation::Resync, tls: true, upload: Upload::default() };
    let _ = family.unasked(&task);
    for number in 0..4 {
        let Some(step) = family.step(number, &task) else { break };
        assert!(step.path.starts_with('/'), "{text:?} asks for {:?}", step.path);
        // The digest is made of the path as written, so it must stand on the request line just so.
        let target = http::Uri::try_from(&step.path).ok();
        let written = target.as_ref().and_then(|target| target.path_and_query()).map(|target| target.as_str());
        assert!(written == Some(&step.path), "{text:?} asks for {:?}, which is no request target", step.path);
    }
}

/// A workload is refused in words, or its schedule can be walked.
pub fn workload(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Lists are read from files, and no file is touched here: `fleet_list` has them.
    if text.contains("csv") || text.contains("\\u") || text.contains("\\U") {
        return;
    }
    // Identities are compared phone by phone: a few do as well as four billion.
    let overrides = Overrides { phones: Some(50), ..Overrides::default() };
    let plan = match parse(text, "fuzz.toml", Path::new("nowhere"), &overrides) {
        Ok(plan) => plan,
        Err(e) => return assert!(!e.to_string().is_empty()),
    };
    assert!(plan.phones() > 0 && plan.compression > 0.0, "{plan:?}");
    for (number, fleet) in plan.fleets.iter().enumerate() {
        for index in [fleet.first, fleet.first + fleet.count - 1] {
            assert_eq!(plan.fleet_of(index), number);
            let who = fleet.identity(index);
            let _ = fleet.right_credentials(&who);
        }
    }
    let mut before = None;
    for start in plan.starts(0, 1).take(500) {
        assert!(start.phone < plan.phones(), "{start:?}");
        assert!(before.is_none_or(|before| before <= start.at), "{start:?}");
        before = Some(start.at);
    }
}
