//! Records that no server of rustls' would send, made by hand with its keys.

use rustls::client::ClientSessionStore;
use rustls::crypto::cipher::{MessageEncrypter, OutboundPlainMessage};
use rustls::{ConnectionTrafficSecrets, ContentType, PeerMisbehaved, ProtocolVersion, SupportedCipherSuite};

use super::*;

/// A server whose records are made by hand, once its handshake is over.
struct Forger {
    encrypter: Box<dyn MessageEncrypter>,
    seq: u64,
}

impl Forger {
    fn of(pair: &mut Pair, setup: &Setup) -> Forger {
        let suite = pair.server.negotiated_cipher_suite().unwrap();
        let server = std::mem::replace(&mut pair.server, ServerConnection::new(Arc::clone(&setup.server)).unwrap());
        let (seq, ConnectionTrafficSecrets::Aes256Gcm { key, iv }) = server.dangerous_extract_secrets().unwrap().tx
        else {
            panic!("another suite")
        };
        let encrypter = match suite {
            SupportedCipherSuite::Tls12(suite) => {
                let (salt, explicit) = iv.as_ref().split_at(4);
                suite.aead_alg.encrypter(key, salt, explicit)
            }
            SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
        };
        Forger { encrypter, seq }
    }

    /// Records of this content; what comes first must have the lowest number ever used here.
    fn record(&mut self, typ: ContentType, payload: &[u8]) -> Vec<u8> {
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload: payload.into() };
        if self.seq > 0 {
            // The cipher's first nonce stands for record 0.
            let nothing = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload: (&[][..]).into() };
            let _ = self.encrypter.encrypt(nothing, 0);
        }
        let record = self.encrypter.encrypt(message, self.seq).unwrap();
        self.seq += 1;
        record.encode()
    }
}

/// What the client made of octets: what it heard, what it answers, and whether it bore them.
fn taken(client: &mut TlsSession, octets: &[u8]) -> (Vec<u8>, Vec<u8>, Result<(), Error>) {
    let (mut incoming, mut out, mut heard) = (vec![0; client.kept()], Room::default(), Vec::new());
    client.put_kept(&mut incoming);
    incoming.extend_from_slice(octets);
    let taken = client.take(&mut incoming, &mut out, |octets| heard.extend_from_slice(octets));
    (heard, out.filled().to_vec(), taken)
}

#[test]
fn a_renegotiation_is_declined_and_the_session_goes_on() {
    for settles in [true, false] {
        let setup = Setup::of(false, settles);
        let mut pair = setup.pair();
        pair.talk(|_| usize::MAX).unwrap();
        let mut server = Forger::of(&mut pair, &setup);
        let hello_request = server.record(ContentType::Handshake, &[0, 0, 0, 0]);
        let octets = [hello_request, server.record(ContentType::ApplicationData, b"200")].concat();
        let (heard, told, result) = taken(&mut pair.client, &octets);
        assert_eq!((heard.as_slice(), result), (&b"200"[..], Ok(())));
        // An alert, encrypted: five octets of header, eight of nonce, two of alert, sixteen of tag.
        assert_eq!((told[0], told.len()), (21, 31));
        assert!(pair.client.encrypt(b"GET", &mut Room::default()).is_ok());
        // Once is enough.
        let octets = server.record(ContentType::Handshake, &[0, 0, 0, 0]);
        let (_, _, result) = taken(&mut pair.client, &octets);
        assert_eq!(result, Err(PeerMisbehaved::TooManyRenegotiationRequests.into()));
    }
}

#[test]
fn a_ticket_that_comes_late_is_the_phones() {
    for settles in [true, false] {
        let store = PhoneSessions::new(1);
        let setup = Setup::with(&TLS13, |server| server.send_tls13_tickets = 0);
        let mut client = ClientConfig::clone(&setup.client);
        client.resumption = Resumption::store(Arc::new(store.clone()));
        let setup = Setup { client: Arc::new(client), settles, ..setup };
        let mut pair = setup.pair();
        pair.whole_without_farewell(b"200");
        let mut server = Forger::of(&mut pair, &setup);
        // A lifetime of an hour, nothing added to its age, no nonce, a ticket of two octets, no extensions; in two records.
        let ticket = [4, 0, 0, 15, 0, 0, 14, 16, 0, 0, 0, 0, 0, 0, 2, 7, 7, 0, 0];
        let octets =
            [server.record(ContentType::Handshake, &ticket[..9]), server.record(ContentType::Handshake, &ticket[9..])];
        let name = ServerName::try_from("a.example").unwrap();
        for (octets, has) in octets.iter().zip([false, true]) {
            assert_eq!(as_phone(1, || taken(&mut pair.client, octets)), (Vec::new(), Vec::new(), Ok(())));
            assert_eq!(as_phone(1, || store.take_tls13_ticket(&name)).is_some(), has);
        }
        assert!(pair.client.encrypt(b"GET", &mut Room::default()).is_ok());
    }
}

/// What no server may send once the handshake is over: rustls' own record layer and ours come to the same verdict, and
/// tell it by alerts of the same length.
#[test]
fn what_makes_no_sense_is_judged_as_rustls_judges_it() {
    use ContentType::{Alert, ApplicationData, ChangeCipherSpec, Handshake, Heartbeat};
    #[allow(clippy::type_complexity, reason = "a table of cases")]
    let table: [(&str, &[(ContentType, &[u8])]); 22] = [
        ("a fatal alert", &[(Alert, &[2, 80])]),
        ("a warning", &[(Alert, &[1, 90])]),
        ("another warning", &[(Alert, &[1, 112])]),
        ("too many warnings", &[(Alert, &[1_u8, 90] as &[u8]); 5]),
        ("an alert of no known level", &[(Alert, &[3, 0x28])]),
        ("half an alert", &[(Alert, &[2])]),
        ("an alert and a half", &[(Alert, &[1, 90, 1])]),
        ("a farewell", &[(Alert, &[1, 0]), (ApplicationData, b"more")]),
        ("a fatal farewell", &[(Alert, &[2, 0])]),
        ("another hello", &[(Handshake, &[2, 0, 0, 0])]),
        ("a finished message", &[(Handshake, &[20, 0, 0, 2, 1, 1])]),
        ("an update of keys that is none", &[(Handshake, &[24, 0, 0, 1, 2])]),
        ("a long update of keys", &[(Handshake, &[24, 0, 0, 2, 0, 0])]),
        ("an update and something behind it", &[(Handshake, &[24, 0, 0, 1, 0, 24])]),
        ("a ticket that is none", &[(Handshake, &[4, 0, 0, 1, 0])]),
        ("a message that is too long", &[(Handshake, &[4, 1, 0, 0])]),
        ("content within a message", &[(Handshake, &[4, 0, 0, 9, 0]), (ApplicationData, b"x")]),
        ("a change of ciphers", &[(ChangeCipherSpec, &[1])]),
        ("a heartbeat", &[(Heartbeat, &[1, 0, 0])]),
        ("nothing", &[(ApplicationData, b""), (ApplicationData, b"x")]),
        ("too much of nothing", &[(ApplicationData, &[] as &[u8]); 33]),
        ("much of nothing", &[(ApplicationData, &[] as &[u8]); 32]),
    ];
    for (what, records) in table {
        for tls13 in [true, false] {
            let [settled, shaking] = [true, false].map(|settles| {
                let setup = Setup::of(tls13, settles);
                let mut pair = setup.pair();
                pair.talk(|_| usize::MAX).unwrap();
                let mut server = Forger::of(&mut pair, &setup);
                let octets: Vec<_> = records.iter().flat_map(|(typ, payload)| server.record(*typ, payload)).collect();
                let (heard, told, result) = taken(&mut pair.client, &octets);
                let result = result.map_err(|error| match error {
                    // Whether a message can be read before it is out of place, or the other way round.
                    Error::InvalidMessage(_)
                    | Error::InappropriateMessage { .. }
                    | Error::InappropriateHandshakeMessage { .. } => "no sense".to_owned(),
                    other => format!("{other:?}"),
                });
                (heard, told.len(), result, pair.client.is_closed())
            });
            assert_eq!(settled, shaking, "{what}, TLS 1.3: {tls13}");
        }
    }
}
