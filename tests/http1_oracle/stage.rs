//! One answer, cut in pieces, told to our client and to hyper's: what each of them heard.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bootstorm::net::Connector;
use bootstorm::phone::{BodyFacts, Failure, Request};
use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, watch};
use tokio::task::LocalSet;

use super::support::{self, Peer, Server};

/// Largest head that our client takes; hyper's is told to take no more.
pub(crate) const HEAD_LIMIT: usize = 64 * 1024;
/// How often others get their turn between two pieces: each time all sockets are looked at.
const TURNS: usize = 4;

/// What a server says, and how.
#[derive(Clone)]
pub(crate) struct Case {
    /// Of the request it answers.
    pub(crate) method: Method,
    pub(crate) octets: Vec<u8>,
    /// Where the octets are cut, in order; what is between two cuts comes in one piece.
    pub(crate) cuts: Vec<usize>,
    pub(crate) end: End,
}

/// What the server does once all is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Listens for another request; closes when the client still waits.
    Stay,
    Close,
    Reset,
}

/// What a client made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// If a head came at all.
    pub(crate) status: Option<u16>,
    pub(crate) result: Result<Whole, Wrong>,
}

/// A whole answer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: BodyFacts,
    /// Whether another request was answered on the same connection.
    pub(crate) kept: bool,
}

/// What became of an answer that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Malformed,
    TooLarge,
    Closed,
    Reset,
}

impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kept = if self.kept { "kept" } else { "not kept" };
        write!(f, "{} octets {:x?}, {kept}", self.body.len, self.body.hash)?;
        self.headers.iter().try_for_each(|(name, value)| write!(f, ", {name}: {}", value.escape_ascii()))
    }
}

impl Heard {
    /// In few words.
    pub(crate) fn kind(&self) -> String {
        match &self.result {
            Ok(Whole { kept: true, .. }) => "whole, kept".to_owned(),
            Ok(_) => "whole".to_owned(),
            Err(wrong) if self.status.is_some() => format!("{wrong:?} in the body"),
            Err(wrong) => format!("{wrong:?}"),
        }
    }
}

impl Case {
    /// In one piece, in answer to a GET.
    pub(crate) fn whole(octets: impl Into<Vec<u8>>, end: End) -> Case {
        Case { method: Method::GET, octets: octets.into(), cuts: Vec::new(), end }
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.cuts.iter().copied());
        let ends = self.cuts.iter().copied().chain([self.octets.len()]);
        begins.zip(ends).map(|(begin, end)| &self.octets[begin..end])
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Case { method, octets, cuts, end } = self;
        let text = octets.escape_ascii().to_string();
        let (shown, rest) = text.split_at(text.len().min(900));
        let more = if rest.is_empty() { String::new() } else { format!("… ({} octets)", octets.len()) };
        write!(f, "{method}, {end:?}, cut at {cuts:?}: {shown}{more}")
    }
}

/// A case while it is played.
struct Scene {
    case: Case,
    /// How long a piece is let sink in, beyond everybody's turns.
    pause: Duration,
    connections: Cell<usize>,
    /// Whether all is said.
    said: watch::Sender<bool>,
    /// The client waits for what will never come.
    close: Notify,
}

impl Scene {
    async fn settle(&self) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        if !self.pause.is_zero() {
            tokio::time::sleep(self.pause).await;
        }
    }

    /// The server's part.
    async fn play(&self, mut peer: Peer) {
        if self.connections.replace(self.connections.get() + 1) > 0 {
            while peer.serve("again").await {}
            return;
        }
        peer.head().await;
        for piece in self.case.pieces() {
            peer.say(piece).await;
            self.settle().await;
        }
        match self.case.end {
            End::Close => peer.close().await,
            End::Reset => peer.reset(),
            End::Stay => {
                self.said.send_replace(true);
                tokio::select! {
                    _ = peer.serve("again") => {}
                    () = self.close.notified() => {}
                }
                peer.close().await;
            }
        }
        self.settle().await;
        self.said.send_replace(true);
    }

    /// All is said and has come.
    async fn settled(&self) {
        self.said.subscribe().wait_for(|said| *said).await.unwrap();
        self.settle().await;
    }

    /// What the client hears; the server closes if the client has heard all and still waits.
    async fn watch<T>(&self, hears: impl Future<Output = T>) -> T {
        let patience = async {
            self.settled().await;
            self.close.notify_one();
            std::future::pending().await
        };
        tokio::select! {
            biased;
            heard = hears => heard,
            never = patience => never,
        }
    }
}

/// A server, our client and hyper's.
pub(crate) struct Stage {
    runtime: Runtime,
    local: LocalSet,
    scene: Rc<RefCell<Option<Rc<Scene>>>>,
    server: Server,
    connector: Connector,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let local = LocalSet::new();
        let scene: Rc<RefCell<Option<Rc<Scene>>>> = Rc::default();
        let playing = Rc::clone(&scene);
        let (server, connector) = local.block_on(&runtime, async {
            let server = Server::plain(move |peer| {
                let scene = playing.borrow().clone().unwrap();
                async move { scene.play(peer).await }
            })
            .await;
            let connector = support::connector(&[&server.origin]).await;
            (server, connector)
        });
        Stage { runtime, local, scene, server, connector }
    }

    /// What our client and hyper's make of the same answer. When they differ it is told again, slowly: a machine with
    /// other things to do may have brought two pieces together, or a close with the octets before it.
    pub(crate) fn tell(&self, case: &Case, agree: impl Fn(&Heard, &Heard) -> bool) -> (Heard, Heard) {
        let mut heard = self.once(case, Duration::ZERO);
        for pause in [1, 5] {
            if agree(&heard.0, &heard.1) {
                break;
            }
            heard = self.once(case, Duration::from_millis(pause));
        }
        heard
    }

    fn once(&self, case: &Case, pause: Duration) -> (Heard, Heard) {
        let scene = || {
            let scene = Rc::new(Scene {
                case: case.clone(),
                pause,
                connections: Cell::new(0),
                said: watch::Sender::new(false),
                close: Notify::new(),
            });
            self.scene.replace(Some(Rc::clone(&scene)));
            scene
        };
        self.local.block_on(&self.runtime, async { (self.ours(&scene()).await, self.theirs(&scene()).await) })
    }

    async fn ours(&self, scene: &Scene) -> Heard {
        let get = support::get(&self.server.origin, "/");
        let request = Request { method: scene.case.method.clone(), ..get.clone() };
        let done = scene.watch(self.connector.exchange(0, None, &request)).await;
        let status = done.facts.status;
        let answer = match done.answer {
            Ok(answer) => answer,
            Err(failure) => return Heard { status, result: Err(our_wrong(failure)) },
        };
        scene.settled().await;
        let mut kept = false;
        if done.connection.is_some() {
            let again = self.connector.exchange(0, done.connection, &get).await;
            support::assert_answered(&again, 200);
            kept = again.facts.reused;
            assert_eq!(again.answer.unwrap().body, BodyFacts::of(b"again"));
        }
        Heard { status, result: Ok(Whole { headers: lines(&answer.headers), body: answer.body, kept }) }
    }

    async fn theirs(&self, scene: &Scene) -> Heard {
        let tcp = TcpStream::connect(self.server.address).await.unwrap();
        let mut builder = http1::Builder::new();
        builder.max_header_size(HEAD_LIMIT);
        let (mut sender, connection) = builder.handshake(TokioIo::new(tcp)).await.unwrap();
        let connection = tokio::task::spawn_local(connection);
        let mut status = None;
        let result = scene.watch(exchange(&mut sender, &scene.case.method, &mut status)).await;
        let (headers, body) = match result {
            Ok(whole) => whole,
            Err(error) => return Heard { status, result: Err(their_wrong(&error)) },
        };
        scene.settled().await;
        let mut kept = false;
        if !connection.is_finished() && sender.is_ready() {
            let again = exchange(&mut sender, &Method::GET, &mut None).await;
            kept = again.is_ok_and(|(_, body)| body == b"again");
        }
        Heard { status, result: Ok(Whole { headers: lines(&headers), body: BodyFacts::of(&body), kept }) }
    }
}

/// One exchange of hyper's.
async fn exchange(
    sender: &mut SendRequest<Empty<Bytes>>,
    method: &Method,
    status: &mut Option<u16>,
) -> hyper::Result<(HeaderMap, Vec<u8>)> {
    let request = http::Request::builder().method(method).uri("/").header("host", "127.0.0.1");
    let response = sender.send_request(request.body(Empty::new()).unwrap()).await?;
    *status = Some(response.status().as_u16());
    let (head, mut body) = response.into_parts();
    let mut content = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            content.extend_from_slice(&data);
        }
    }
    Ok((head.headers, content))
}

fn lines(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
}

fn our_wrong(failure: Failure) -> Wrong {
    match failure {
        Failure::MalformedResponse => Wrong::Malformed,
        Failure::ResponseTooLarge => Wrong::TooLarge,
        Failure::Closed => Wrong::Closed,
        Failure::Reset => Wrong::Reset,
        other => panic!("no answer leads to {other:?}"),
    }
}

fn their_wrong(error: &hyper::Error) -> Wrong {
    if error.is_parse_too_large() {
        return Wrong::TooLarge;
    } else if error.is_parse() {
        return Wrong::Malformed;
    } else if error.is_incomplete_message() {
        return Wrong::Closed;
    }
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(io::ErrorKind::UnexpectedEof) => Wrong::Closed,
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Wrong::Malformed,
        Some(io::ErrorKind::ConnectionReset) => Wrong::Reset,
        _ => panic!("hyper says {error:?}"),
    }
}
