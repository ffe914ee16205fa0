//! The tungstenite client of tests/interop, behind the line protocol of tests/interop/agent.mjs.
//!
//! Knows how the library connects, sends and receives. Must not know what is exchanged.

use std::io::{self, BufRead, ErrorKind, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Error, Message, WebSocket};

/// How long a read waits before the next look at standard input: the library reads and writes
/// through one handle, so one thread does both in turn.
const TURN: Duration = Duration::from_millis(2);

/// The body of our pings: a pong with any other is the server's own, which needs no answer.
const QUESTION: &[u8] = b"are you there";

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// Does what standard input says until it ends.
///
/// # Errors
/// If a line is not understood, or the connection fails other than by a Close frame.
pub(crate) fn run() -> Result<()> {
    let lines = stdin_lines();
    while let Ok(line) = lines.recv() {
        let url = line.strip_prefix("open ").context("expected `open URL`")?;
        let (mut socket, _) = tungstenite::connect(url)?;
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(TURN))?;
        }
        tell("open")?;
        converse(&mut socket, &lines)?;
    }
    Ok(())
}

fn stdin_lines() -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn converse(socket: &mut Socket, lines: &Receiver<String>) -> Result<()> {
    let mut code = 1005;
    loop {
        for line in lines.try_iter() {
            obey(socket, &line)?;
        }
        match socket.read() {
            Ok(Message::Text(text)) => tell(&format!("text {}", to_hex(text.as_bytes())))?,
            Ok(Message::Binary(data)) => tell(&format!("binary {}", to_hex(&data)))?,
            Ok(Message::Pong(body)) if body == QUESTION => tell("pong")?,
            Ok(Message::Close(frame)) => code = frame.map_or(1005, |frame| frame.code.into()),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            Err(Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(Error::ConnectionClosed) => return tell(&format!("closed {code}")),
            Err(error) => return Err(error.into()),
        }
    }
}

fn obey(socket: &mut Socket, line: &str) -> Result<()> {
    let (word, argument) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "text" => socket.send(Message::text(String::from_utf8(from_hex(argument)?)?))?,
        "binary" => socket.send(Message::binary(from_hex(argument)?))?,
        "ping" => socket.send(Message::Ping(QUESTION.into()))?,
        "close" => {
            socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))?;
        }
        _ => bail!("`{word}` is not understood"),
    }
    Ok(())
}

fn tell(event: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{event}")?;
    Ok(out.flush()?)
}

fn to_hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    let digits: Vec<char> = text.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
    digits.chunks(2).map(|pair| byte(pair).context("not hexadecimal")).collect()
}
