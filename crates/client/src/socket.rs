//! One WebSocket connection that speaks `vyoma.v1`: opened, read, written, closed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use vyoma_protocol::envelope::SUBPROTOCOL;
use vyoma_protocol::handshake::{AnswerError, HeadScan, check_answer, client_request};
use vyoma_protocol::{Control, Decoder, Item, Kind, Opcode, Role, encode};
use vyoma_reliable::Frame;

use crate::url::Url;

/// The longest message that is taken from a server: six times its largest limit, since a plain
/// partner's text may be escaped, and room for the envelope.
const LARGEST_MESSAGE: u64 = 6 * 64 * 1024 * 1024 + 64;

/// For a goodbye.
const FAREWELL: Duration = Duration::from_secs(3);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host has no address, or nobody listens there.
    #[error("cannot reach {host}:{port}: {source}")]
    Unreachable {
        /// The server's name.
        host: String,
        /// Its port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// It was lost during the handshake.
    #[error("the connection was lost during the handshake: {0}")]
    Lost(#[from] io::Error),
    /// What answered isn't a WebSocket server, or refuses.
    #[error("the server refused: {0}")]
    Refused(#[from] AnswerError),
    /// The server doesn't speak `vyoma.v1`.
    #[error("this server does not speak {SUBPROTOCOL}")]
    OtherDialect,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Incoming {
    Text(String),
    Binary(Vec<u8>),
    /// Something that proves only that the server is there.
    Heard,
    /// The connection is over, with the code of the Close frame if one came.
    Closed(Option<u16>),
}

/// An open connection.
pub(crate) struct Socket {
    stream: TcpStream,
    decoder: Decoder,
    /// Bytes that came, from `at` on not yet decoded.
    input: Vec<u8>,
    at: usize,
    kind: Kind,
    message: Vec<u8>,
    output: Vec<u8>,
}

impl Socket {
    /// Opens a connection.
    pub(crate) async fn open(url: Url) -> Result<Self, ConnectError> {
        let address = (url.host.as_str(), url.port);
        let mut stream = TcpStream::connect(address).await.map_err(|source| {
            ConnectError::Unreachable { host: url.host.clone(), port: url.port, source }
        })?;
        stream.set_nodelay(true)?;
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let request = client_request(&url.authority, &url.target, &key, &[SUBPROTOCOL])
            .map_err(io::Error::other)?;
        stream.write_all(&request).await?;
        let (mut input, mut scan) = (Vec::new(), HeadScan::new());
        let end = loop {
            if stream.read_buf(&mut input).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            match scan.advance(&input) {
                Ok(Some(end)) => break end,
                Ok(None) => {}
                Err(_) => return Err(AnswerError::Malformed.into()),
            }
        };
        let answer = check_answer(&input[..end], &key, &[SUBPROTOCOL])?;
        if answer.subprotocol != Some(SUBPROTOCOL) {
            return Err(ConnectError::OtherDialect);
        }
        input.drain(..end);
        let decoder = Decoder::new(Role::Client, LARGEST_MESSAGE);
        let (message, output) = (Vec::new(), Vec::new());
        Ok(Self { stream, decoder, input, at: 0, kind: Kind::Text, message, output })
    }

    /// Puts a message behind what is to be written; [`Socket::poll_next`] writes it.
    pub(crate) fn push(&mut self, frame: &Frame) {
        let kind = match frame {
            Frame::Text(_) => Kind::Text,
            Frame::Binary(_) => Kind::Binary,
        };
        encode(&mut self.output, true, Opcode::Data(kind), frame.as_bytes(), Some(mask()));
    }

    /// Writes what waits, and reads on.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            if self.poll_write(cx).is_err() {
                return Poll::Ready(Incoming::Closed(None));
            }
            match self.decode() {
                Ok(Some(incoming)) => return Poll::Ready(incoming),
                Ok(None) => {}
                Err(()) => return Poll::Ready(Incoming::Closed(None)),
            }
            match ready!(self.poll_read(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(Incoming::Closed(None)),
                Ok(_) => {}
            }
        }
    }

    /// Says goodbye, for a few seconds at most.
    pub(crate) async fn close(mut self, code: u16) {
        encode(&mut self.output, true, Opcode::Close, &code.to_be_bytes(), Some(mask()));
        let farewell = async {
            self.stream.write_all(&self.output).await?;
            self.stream.shutdown().await?;
            while self.stream.read(&mut [0; 4096]).await? > 0 {}
            io::Result::Ok(())
        };
        // Whoever doesn't hear it in time has lost the connection anyway.
        let _ = timeout(FAREWELL, farewell).await;
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while !self.output.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.output)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(taken) => drop(self.output.drain(..taken)),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.clear();
        self.at = 0;
        self.input.resize(16 * 1024, 0);
        let mut space = ReadBuf::new(&mut self.input);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut space);
        let filled = space.filled().len();
        self.input.truncate(if read.is_ready() { filled } else { 0 });
        read.map_ok(|()| filled)
    }

    /// The next thing in what has been read. An error is a server that breaks RFC 6455.
    fn decode(&mut self) -> Result<Option<Incoming>, ()> {
        while let Some(item) = self.decoder.decode(&mut self.input, &mut self.at).map_err(drop)? {
            match item {
                Item::Start(start) => self.kind = start.kind,
                Item::Piece(piece) => {
                    self.message.extend_from_slice(&self.input[piece.range]);
                    if piece.last {
                        return self.complete().map(Some);
                    }
                }
                Item::Control(Control::Ping(body)) => {
                    encode(&mut self.output, true, Opcode::Pong, &body, Some(mask()));
                    return Ok(Some(Incoming::Heard));
                }
                Item::Control(Control::Pong(_)) => return Ok(Some(Incoming::Heard)),
                Item::Control(Control::Close(code)) => {
                    return Ok(Some(Incoming::Closed(code.map(|code| code.get()))));
                }
            }
        }
        Ok(None)
    }

    fn complete(&mut self) -> Result<Incoming, ()> {
        let message = std::mem::take(&mut self.message);
        match self.kind {
            Kind::Text => String::from_utf8(message).map(Incoming::Text).map_err(drop),
            Kind::Binary => Ok(Incoming::Binary(message)),
        }
    }
}

/// A new mask. It protects proxies from what somebody else makes this client say (RFC 6455, section
/// 10.3); whoever uses this SDK says what it likes anyway, so what can't be guessed by chance will do.
fn mask() -> [u8; 4] {
    fastrand::u32(..).to_ne_bytes()
}
