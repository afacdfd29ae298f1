//! Small servers on loopback that do exactly as told, and the phone's side of the sockets to go with them.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "it is all test code, though not all in test functions")]

use std::cell::Cell;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bootstorm::net::{Addresses, Connector, Done, Settings, TlsSettings, Trust, resolve};
use bootstorm::phone::{Origin, Reason, Request};
use bootstorm::workload::{Network, Timeouts, TlsPlan, TlsSetup};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;

/// Runs a test on one thread, as a shard does.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// The server's end of one connection.
pub struct Peer {
    stream: Box<dyn Duplex>,
    /// Of which connection, counted from 0.
    pub index: usize,
    /// Whom it comes from.
    pub from: SocketAddr,
    /// What the handshake settled: SNI and ALPN.
    pub sni: Option<String>,
    pub alpn: Option<Vec<u8>>,
    /// To reset instead of close.
    linger: Option<socket2::Socket>,
}

impl Peer {
    /// Reads a request's head, blank line included; empty if the phone closed.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read_u8().await {
                Ok(octet) => head.push(octet),
                Err(_) => break,
            }
        }
        String::from_utf8(head).unwrap()
    }

    /// Reads this many octets of body.
    pub async fn body(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.unwrap();
        body
    }

    /// Reads until the phone closes: the octets, or the error.
    pub async fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).await?;
        Ok(rest)
    }

    /// Answers. A phone that has gone is no failure of the server.
    pub async fn say(&mut self, octets: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(octets.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Reads a head and gives a 200 with this body.
    pub async fn serve(&mut self, body: &str) -> bool {
        if self.head().await.is_empty() {
            return false;
        }
        self.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await;
        true
    }

    /// Closes in good order.
    pub async fn close(mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Closes with a reset.
    pub fn reset(self) {
        self.linger.as_ref().unwrap().set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Keeps the connection open and does nothing, for as long as the test lasts.
    pub async fn stall(self) {
        std::future::pending::<()>().await;
    }
}

/// A server on a loopback port.
pub struct Server {
    pub address: SocketAddr,
    pub origin: Arc<Origin>,
    accepted: Rc<Cell<usize>>,
}

impl Server {
    /// Speaks plain HTTP, one call of `script` for each connection.
    pub async fn plain<F: Future<Output = ()> + 'static>(script: impl Fn(Peer) -> F + 'static) -> Server {
        Server::on(IpAddr::V4(Ipv4Addr::LOCALHOST), "127.0.0.1", None, script).await
    }

    /// Speaks TLS as `config` says, as the host `host`.
    pub async fn tls<F: Future<Output = ()> + 'static>(
        host: &str,
        config: Arc<ServerConfig>,
        script: impl Fn(Peer) -> F + 'static,
    ) -> Server {
        Server::on(IpAddr::V4(Ipv4Addr::LOCALHOST), host, Some(config), script).await
    }

    /// Listens on `ip`, is called `host`.
    pub async fn on<F: Future<Output = ()> + 'static>(
        ip: IpAddr,
        host: &str,
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(Peer) -> F + 'static,
    ) -> Server {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let origin = Arc::new(Origin { tls: tls.is_some(), host: host.to_owned(), port: address.port() });
        let accepted = Rc::new(Cell::new(0));
        let counter = Rc::clone(&accepted);
        let script = Rc::new(script);
        tokio::task::spawn_local(async move {
            loop {
                let (tcp, from) = listener.accept().await.unwrap();
                let index = counter.replace(counter.get() + 1);
                let (script, tls) = (Rc::clone(&script), tls.clone());
                tokio::task::spawn_local(async move {
                    if let Some(peer) = greet(tcp, from, index, tls).await {
                        script(peer).await;
                    }
                });
            }
        });
        Server { address, origin, accepted }
    }

    /// How many connections it has taken.
    pub fn accepted(&self) -> usize {
        self.accepted.get()
    }

    /// The same server under another scheme or name.
    pub fn called(&self, tls: bool, host: &str) -> Arc<Origin> {
        Arc::new(Origin { tls, host: host.to_owned(), port: self.address.port() })
    }
}

async fn greet(tcp: TcpStream, from: SocketAddr, index: usize, tls: Option<Arc<ServerConfig>>) -> Option<Peer> {
    // As file servers do; else a short answer may still wait for an ACK when the script resets.
    tcp.set_nodelay(true).unwrap();
    let tcp = tcp.into_std().unwrap();
    let linger = Some(socket2::Socket::from(tcp.try_clone().unwrap()));
    let tcp = TcpStream::from_std(tcp).unwrap();
    let Some(config) = tls else {
        return Some(Peer { stream: Box::new(tcp), index, from, sni: None, alpn: None, linger });
    };
    let stream = TlsAcceptor::from(config).accept(tcp).await.ok()?;
    let session = stream.get_ref().1;
    let (sni, alpn) = (session.server_name().map(str::to_owned), session.alpn_protocol().map(<[u8]>::to_vec));
    Some(Peer { stream: Box::new(stream), index, from, sni, alpn, linger })
}

/// Generous limits, no sources, nothing trusted.
pub async fn settings(origins: &[&Arc<Origin>]) -> Settings {
    let limit = Duration::from_secs(20);
    Settings {
        timeouts: Timeouts { connect: limit, tls: limit, first_byte: limit, exchange: limit },
        network: Network { sources: Vec::new(), max_connections: None, idle: limit },
        tls: TlsSettings {
            plan: TlsPlan::same(TlsSetup::default()),
            trust: Trust::default(),
            alpn: false,
            devices: None,
        },
        addresses: addresses(origins).await,
        shards: 1,
    }
}

pub async fn addresses(origins: &[&Arc<Origin>]) -> Addresses {
    resolve::resolve(origins.iter().map(|origin| origin.as_ref())).await.unwrap()
}

/// A connector with generous limits for these plain origins.
pub async fn connector(origins: &[&Arc<Origin>]) -> Connector {
    Connector::new(&settings(origins).await).unwrap()
}

/// A GET that keeps the connection.
pub fn get(origin: &Arc<Origin>, path: &str) -> Request {
    Request {
        origin: Arc::clone(origin),
        method: Method::GET,
        path: path.to_owned(),
        headers: vec![(HeaderName::from_static("user-agent"), HeaderValue::from_static("AVAYA"))],
        body: Bytes::new(),
        reason: Reason::First,
        keep_alive: true,
    }
}

/// A PUT that keeps the connection.
pub fn put(origin: &Arc<Origin>, path: &str, body: Bytes) -> Request {
    Request { method: Method::PUT, body, ..get(origin, path) }
}

/// What every answered exchange must show.
#[track_caller]
pub fn assert_answered(done: &Done, status: u16) {
    let facts = &done.facts;
    let answer = done.answer.as_ref().unwrap_or_else(|failure| panic!("{failure:?}: {facts:?}"));
    assert_eq!(answer.status.as_u16(), status);
    assert_eq!((facts.status, facts.failure), (Some(status), None));
    let phases =
        [facts.connect, facts.handshake.as_ref().map(|h| h.total), facts.send, facts.first_byte, facts.receive];
    assert!(facts.send.is_some() && facts.first_byte.is_some() && facts.receive.is_some(), "{facts:?}");
    let sum: Duration = phases.iter().flatten().sum();
    assert!(sum <= facts.total, "phases add up to {sum:?}: {facts:?}");
    assert!(facts.bytes_out > 0 && facts.bytes_in > 0, "{facts:?}");
    assert_eq!(facts.connect.is_none(), facts.reused, "{facts:?}");
}

/// A CA of the test's own, and what it signs.
pub mod ca {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
        KeyUsagePurpose, date_time_ymd,
    };
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    pub struct Authority {
        issuer: CertifiedIssuer<'static, KeyPair>,
        name: String,
    }

    /// A certificate and its key.
    pub struct Identity {
        pub chain: Vec<CertificateDer<'static>>,
        pub key: PrivateKeyDer<'static>,
    }

    impl Authority {
        pub fn new(name: &str) -> Authority {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
            Authority { issuer, name: name.to_owned() }
        }

        pub fn pem(&self) -> String {
            self.issuer.pem()
        }

        pub fn der(&self) -> &CertificateDer<'static> {
            self.issuer.der()
        }

        pub fn trust(&self) -> Trust {
            Trust::from_pem(&self.name, self.pem().as_bytes()).unwrap()
        }

        pub fn certify(&self, names: &[&str]) -> Identity {
            self.certify_with(names, |_| {})
        }

        /// A certificate that was valid in these years only.
        pub fn certify_years(&self, names: &[&str], from: i32, to: i32) -> Identity {
            self.certify_with(names, |params| {
                params.not_before = date_time_ymd(from, 1, 1);
                params.not_after = date_time_ymd(to, 1, 1);
            })
        }

        pub fn certify_client_only(&self, names: &[&str]) -> Identity {
            self.certify_with(names, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
        }

        fn certify_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut params = CertificateParams::new(names).unwrap();
            change(&mut params);
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &self.issuer).unwrap();
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            Identity { chain: vec![certificate.der().clone()], key }
        }
    }

    impl Identity {
        /// A server that shows it, with both versions and rustls's own choice of suites and groups.
        pub fn server(self) -> Arc<ServerConfig> {
            self.server_with(rustls::ALL_VERSIONS, |_| {})
        }

        pub fn server_with(
            self,
            versions: &[&'static rustls::SupportedProtocolVersion],
            change: impl FnOnce(&mut rustls::crypto::CryptoProvider),
        ) -> Arc<ServerConfig> {
            let mut provider = rustls::crypto::aws_lc_rs::default_provider();
            change(&mut provider);
            let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
                .with_protocol_versions(versions)
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(self.chain, self.key)
                .unwrap();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Arc::new(config)
        }
    }
}

/// Boxed, to put scripts of different make in one table.
pub type Script = Box<dyn Fn(Peer) -> Pin<Box<dyn Future<Output = ()>>>>;

/// Makes a table's entry of an async closure.
pub fn script<F: Future<Output = ()> + 'static>(act: impl Fn(Peer) -> F + 'static) -> Script {
    Box::new(move |peer| Box::pin(act(peer)))
}
