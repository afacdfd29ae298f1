//! `[target]` and the embedded server below it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::workload::error::suggest;
use crate::workload::file::{EmbeddedTlsSection, EventSection, FaultsSection, WorkSection};
use crate::workload::quantity::{Count, Size, Time};
use crate::workload::{Likeness, Offer, Protects};

/// What the phones talk to. Exactly one of `url` and `embedded`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct TargetSection {
    /// A server that is there already, for example `https://files.example.net:8443/phones`. The path, if any, is
    /// put before every path the phones ask for. Any host but loopback needs consent (see the manual of `run`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// PEM file with the CA certificates the phones trust, relative to the workload file. The system's own are
    /// never used, as no phone would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// A plain HTTP server, for example `http://files.example.net`, asked where HTTPS cannot be had by phones that do
    /// that (`avaya-96xx`). Its host needs the same consent. Default: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_fallback: Option<String>,
    /// The embedded server, started by the run: `true` for all defaults, or a table `[target.embedded]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) embedded: Option<OnOff<EmbeddedSection>>,
}

/// The embedded server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct EmbeddedSection {
    /// Address and port to listen on; port 0 takes a free one.
    pub(crate) listen: String,
    /// Which server it resembles, in challenges, bodies and limits.
    pub(crate) likeness: Likeness,
    /// How it asks for credentials.
    pub(crate) auth: AuthSection,
    /// Whether it speaks TLS, with a CA of its own making that the phones trust: `true`, `false`, or a table
    /// `[target.embedded.tls]`.
    pub(crate) tls: OnOff<EmbeddedTlsSection>,
    /// Folder to store uploads in, relative to the workload file. Default: uploads stay in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<PathBuf>,
    /// Whether every phone's backup file is there from the start.
    pub(crate) prefilled: bool,
    /// Largest request body it takes. Default: the likeness's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body_limit: Option<Size>,
    /// How many accept loops (threads) it runs, 1 to 1024.
    pub(crate) accept_loops: u32,
    /// Whether it takes PUT and DELETE; `false` answers 405, as a server without WebDAV does. (POST is a script's
    /// business, and stays.)
    pub(crate) webdav: bool,
    /// How long requests take, and how many wait. Default: no time at all.
    pub(crate) work: WorkSection,
    /// What goes wrong at random. Default: nothing.
    pub(crate) faults: FaultsSection,
    /// What befalls the server in the course of the run: one `[[target.embedded.event]]` for each event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) event: Vec<EventSection>,
}

impl Default for EmbeddedSection {
    fn default() -> Self {
        EmbeddedSection {
            listen: "127.0.0.1:0".to_owned(),
            likeness: Likeness::Iis,
            auth: AuthSection::default(),
            tls: OnOff::On(EmbeddedTlsSection::default()),
            folder: None,
            prefilled: false,
            body_limit: None,
            accept_loops: 1,
            webdav: true,
            work: WorkSection::default(),
            faults: FaultsSection::default(),
            event: Vec::new(),
        }
    }
}

/// How the embedded server asks for credentials.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct AuthSection {
    /// The schemes it offers, in this order; `[]` asks for no credentials. Default: what the likeness offers as a
    /// rule (IIS-like `digest-md5-sess`, Apache-like `digest-md5`, nginx-like `basic`, the others
    /// `digest-sha-256` and `digest-md5`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offers: Option<Vec<OfferName>>,
    /// The realm in every challenge.
    pub(crate) realm: String,
    /// Which requests need credentials.
    pub(crate) protects: Protects,
    /// How long a Digest nonce lives. Default: the likeness's own (lighttpd-like 10 minutes, the others 5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nonce_lifetime: Option<Time>,
    /// How many Digest nonces it has room for; older ones are forgotten, and stale when they come back. Apache's own
    /// table has room for about 12. Default: room for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nonce_table: Option<Count>,
    /// Whether Digest challenges offer `userhash`. Default: only `strict` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) userhash: Option<bool>,
}

impl Default for AuthSection {
    fn default() -> Self {
        AuthSection {
            offers: None,
            realm: "Digest".to_owned(),
            protects: Protects::AllButSettings,
            nonce_lifetime: None,
            nonce_table: None,
            userhash: None,
        }
    }
}

/// A part that is off, on with its defaults (`true`), or on with a table.
#[derive(Clone, Debug)]
pub(crate) enum OnOff<T> {
    /// `false`.
    Off,
    /// `true` or a table.
    On(T),
}

impl<T> OnOff<T> {
    /// What is on.
    pub(crate) fn on(&self) -> Option<&T> {
        match self {
            OnOff::Off => None,
            OnOff::On(t) => Some(t),
        }
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for OnOff<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Either<T> {
            type Value = OnOff<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a table")
            }

            fn visit_bool<E: de::Error>(self, on: bool) -> Result<OnOff<T>, E> {
                Ok(if on { OnOff::On(T::default()) } else { OnOff::Off })
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<OnOff<T>, M::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OnOff::On)
            }
        }

        d.deserialize_any(Either(PhantomData))
    }
}

impl<T: Serialize> Serialize for OnOff<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            OnOff::Off => s.serialize_bool(false),
            OnOff::On(t) => t.serialize(s),
        }
    }
}

impl<T: JsonSchema> JsonSchema for OnOff<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OnOff{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let on = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [{ "type": "boolean" }, on] })
    }
}

/// The name of an offer: `basic`, `digest-md5-sess`, `negotiate`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfferName(pub(crate) Offer);

impl OfferName {
    /// Every offer with its name, the same word as the answer's in the figures.
    pub(crate) fn all() -> impl Iterator<Item = (&'static str, Offer)> + Clone {
        Offer::all().map(|offer| (offer.name(), offer))
    }

    /// The word of the file.
    pub(crate) const fn name(self) -> &'static str {
        self.0.name()
    }
}

impl<'de> Deserialize<'de> for OfferName {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = String::deserialize(d)?;
        OfferName::all().find(|(known, _)| *known == name).map(|(_, offer)| OfferName(offer)).ok_or_else(|| {
            let right = suggest(&name, OfferName::all().map(|(known, _)| known));
            de::Error::custom(format_args!("`{name}` is no scheme; {right}"))
        })
    }
}

impl Serialize for OfferName {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl JsonSchema for OfferName {
    fn schema_name() -> Cow<'static, str> {
        "OfferName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = OfferName::all().map(|(name, _)| name).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}
