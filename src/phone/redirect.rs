//! Where a redirect leads, if it may be followed at all.

use super::Origin;
use super::settings::unsendable;

/// The path below `base` that `location` names, if it stays on `origin` and below `base`: redirects never
/// leave the origins a workload names.
pub(super) fn path_within(location: &str, origin: &Origin, base: &str, asked: &str) -> Option<String> {
    let absolute = if let Some((scheme, rest)) = location.split_once("://") {
        let slash = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(slash);
        if Origin::parse(scheme, authority)? != *origin {
            return None;
        }
        if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
    } else if location.starts_with("//") {
        return None;
    } else if location.starts_with('/') {
        location.to_owned()
    } else {
        // Relative to the folder of what was asked for.
        let folder = asked.rfind('/').map_or("", |at| &asked[..at]);
        format!("{folder}/{location}")
    };
    let path = absolute.split('#').next()?.strip_prefix(base)?;
    let clean = path.starts_with('/') && unsendable(path).is_none();
    clean.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_never_leave_the_named_origin() {
        let origin = Origin { tls: true, host: "server".into(), port: 443 };
        for (location, base, leads) in [
            ("/other.xml", "", Some("/other.xml")),
            ("https://server/x?y=1#z", "", Some("/x?y=1")),
            ("https://server:443/x", "", Some("/x")),
            ("https://SERVER/x", "", Some("/x")),
            ("http://server/x", "", None),
            ("https://server:8443/x", "", None),
            ("https://elsewhere/x", "", None),
            ("https://server@elsewhere/x", "", None),
            ("//elsewhere/x", "", None),
            ("sibling.xml", "/prov", Some("/sibling.xml")),
            ("/outside", "/prov", None),
            ("/prov/in", "/prov", Some("/in")),
            ("/a b", "", None),
        ] {
            let asked = format!("{base}/asked.xml");
            assert_eq!(path_within(location, &origin, base, &asked).as_deref(), leads, "{location}");
        }
    }
}
