//! A pairing relay on axum, as its examples show it: one task owns both ends of a conversation, and
//! each message is sent as it comes. Listens on a free port of 127.0.0.1 and prints it.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const WAITING: &str = "⌛ Waiting for another entrepreneur...";
const CONNECTED: &str = "🎯 Connected with an entrepreneur!";
const DISCONNECTED: &str = "⚠️ Partner disconnected.";

/// Where the one who waits takes its partner.
type Lobby = Arc<Mutex<Option<oneshot::Sender<WebSocket>>>>;

/// It has one core to itself, so one thread.
#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let app = Router::new().route("/", get(upgrade)).with_state(Lobby::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    let listener = listener.tap_io(|stream| {
        // A connection that has gone already shows when it is read.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await
}

async fn upgrade(State(lobby): State<Lobby>, request: WebSocketUpgrade) -> Response {
    request.on_upgrade(|socket| enter(lobby, socket))
}

/// Goes to the one who waits, or becomes it.
async fn enter(lobby: Lobby, socket: WebSocket) {
    let (mut socket, mut partner) = {
        let mut waiting = lobby.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = match waiting.take() {
            Some(waiter) => match waiter.send(socket) {
                Ok(()) => return,
                // It has left meanwhile.
                Err(socket) => socket,
            },
            None => socket,
        };
        let (desk, partner) = oneshot::channel();
        *waiting = Some(desk);
        (socket, partner)
    };
    if socket.send(WAITING.into()).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            partner = &mut partner => {
                if let Ok(partner) = partner {
                    converse(socket, partner).await;
                }
                return;
            }
            // What is said to nobody is dropped.
            said = socket.recv() => if !matches!(said, Some(Ok(_))) { return },
        }
    }
}

async fn converse(mut one: WebSocket, mut other: WebSocket) {
    // Whoever can't be told has gone, and that shows below.
    let _ = one.send(CONNECTED.into()).await;
    let _ = other.send(CONNECTED.into()).await;
    let (mut to_one, mut from_one) = one.split();
    let (mut to_other, mut from_other) = other.split();
    tokio::select! {
        () = carry(&mut from_one, &mut to_other) => {
            drop((to_one, from_one));
            stay(to_other, from_other).await;
        }
        () = carry(&mut from_other, &mut to_one) => {
            drop((to_other, from_other));
            stay(to_one, from_one).await;
        }
    }
}

/// Until the sender has gone, or the receiver.
async fn carry(from: &mut SplitStream<WebSocket>, to: &mut SplitSink<WebSocket, Message>) {
    while let Some(Ok(message)) = from.next().await {
        let is_said = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_said && to.send(message).await.is_err() {
            return;
        }
    }
}

/// The partner has gone: until this one goes, too.
async fn stay(mut to: SplitSink<WebSocket, Message>, mut from: SplitStream<WebSocket>) {
    if to.send(DISCONNECTED.into()).await.is_ok() {
        while let Some(Ok(_)) = from.next().await {}
    }
}
