//! What the tests of this floor share.

use std::fmt;
use std::sync::Arc;

use crate::phone::{Account, FAMILIES, Fleet, Identities, People, SizeRange, Template};

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

/// `count` phones with the extensions from 20000 and these credentials.
pub(crate) fn fleet(user: &str, password: &str, count: u32) -> Arc<Fleet> {
    Arc::new(Fleet {
        name: "desks".into(),
        family: (FAMILIES[0].read)(&toml::Table::new()).unwrap(),
        first: 0,
        count,
        identities: Identities::Derived {
            extension: template("{number+20000}"),
            mac: template("00562b{number:06x}"),
            serial: template("FCH{number:08}"),
        },
        account: Account {
            user: template(user),
            password: template(password),
            realm: "phones".into(),
            null: 0.0,
            wrong: 0.0,
            stale_realm: 0.0,
        },
        people: People::default(),
        backup_size: SizeRange { min: 1000, max: 4000 },
        starts_on: false,
        keep_alive: None,
    })
}

/// Fails with the value shown.
pub(crate) fn text(body: impl AsRef<[u8]> + fmt::Debug) -> String {
    String::from_utf8(body.as_ref().to_vec()).unwrap()
}
