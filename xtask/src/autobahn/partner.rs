//! The partner that echoes: text as text, binary as binary, and never a notice.
//!
//! Written with tungstenite rather than with our own codec, so that a mistake of the codec is not
//! hidden by the same mistake at the other end. It stays connected: when its partner goes, the
//! server queues it again for the next case.

use std::net::{SocketAddr, TcpStream};
use std::thread;

use tungstenite::client::connect_with_config;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Error, Message, WebSocket};

use super::{CONNECTED, DISCONNECTED, WAITING};

/// Keeps one echoing client connected to `server`, until the server is gone.
pub(super) fn start(server: SocketAddr) {
    thread::spawn(move || {
        loop {
            let unlimited = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
            let url = format!("ws://{server}/");
            match connect_with_config(url, Some(unlimited), 0) {
                // The server closes it if a case fails in the middle of a long message (1011).
                Ok((socket, _)) => eprintln!("echo partner comes again: {}", echo(socket)),
                Err(error) => return eprintln!("echo partner ends: {error}"),
            }
        }
    });
}

/// Echoes until the connection ends, and says why it did.
fn echo(mut socket: WebSocket<MaybeTlsStream<TcpStream>>) -> Error {
    loop {
        let answered = match socket.read() {
            Ok(Message::Text(text)) if is_notice(&text) => Ok(()),
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => socket.send(message),
            // Answered by the library; after a Close its next read returns the end.
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = answered {
            return error;
        }
    }
}

fn is_notice(text: &str) -> bool {
    [WAITING, CONNECTED, DISCONNECTED].contains(&text)
}
