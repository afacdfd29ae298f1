//! Things that have a name of their own in files and figures, such as cipher suites: a slip in the name is told with the
//! nearest one.

/// Makes an enum whose values are read and written by these names, with `all()`, `name()`, serde, schema and
/// [`std::str::FromStr`].
macro_rules! named {
    ($(#[$about:meta])* $type:ident, $kind:literal { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$doc])* $variant,)*
        }

        impl $type {
            /// Every one there is.
            pub fn all() -> impl Iterator<Item = $type> + Clone {
                [$($type::$variant,)*].into_iter()
            }

            /// The word of files, flags and figures.
            pub const fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)*
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            /// # Errors
            /// What is wrong with the name, and which would be right.
            fn from_str(name: &str) -> Result<Self, String> {
                $type::all().find(|known| known.name() == name).ok_or_else(|| {
                    let right = $crate::workload::error::suggest(name, $type::all().map($type::name));
                    format!("`{name}` is no {} of this build; {right}", $kind)
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.name())
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let names: Vec<&str> = $type::all().map($type::name).collect();
                schemars::json_schema!({ "type": "string", "enum": names })
            }
        }
    };
}
pub(crate) use named;
