//! The partner that echoes: text as text, binary as binary, and never a notice.
//!
//! Written with tungstenite rather than with our own codec, so that a mistake of the codec is not
//! hidden by the same mistake at the other end. It stays connected: when its partner goes, the
//! server queues it again for the next case.

use std::net::SocketAddr;
use std::thread;

use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, Result};

use super::{CONNECTED, DISCONNECTED, WAITING};

/// Keeps one echoing client connected to `server`, until the process ends.
pub(super) fn start(server: SocketAddr) {
    thread::spawn(move || {
        // The server closes it if a case fails in the middle of a long message (1011): come again.
        loop {
            if let Err(error) = echo(server) {
                eprintln!("echo partner: {error}");
            }
        }
    });
}

fn echo(server: SocketAddr) -> Result<()> {
    let unlimited = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    let url = format!("ws://{server}/");
    let (mut socket, _) = tungstenite::client::connect_with_config(url, Some(unlimited), 0)?;
    loop {
        match socket.read()? {
            Message::Text(text) if [WAITING, CONNECTED, DISCONNECTED].contains(&text.as_str()) => {}
            message @ (Message::Text(_) | Message::Binary(_)) => socket.send(message)?,
            // Answered by the library; after a Close its next read returns the end.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {}
        }
    }
}
