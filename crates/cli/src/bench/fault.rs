//! What can go wrong under load: each is an error of the run.

use std::io;
use std::net::SocketAddr;

use vyoma_protocol::handshake::{AnswerError, BadUrl, Refusal};
use vyoma_protocol::{CloseCode, Reason};

use super::message::Mismatch;

/// Why a run failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no connection to be had.
    Connect(SocketAddr, io::Error),
    /// A connection broke.
    Io(io::Error),
    /// It ended without a word.
    Ended,
    /// The server closed it.
    Closed(Option<CloseCode>),
    /// The server broke RFC 6455.
    Protocol(Reason),
    /// The server's answer isn't HTTP.
    Head(Refusal),
    /// The server didn't switch to WebSocket.
    Handshake(AnswerError),
    /// The server's address can't be asked for.
    Url(BadUrl),
    /// It said something else than what pairing asks for.
    Notice(String),
    /// It paired a connection that ought to wait.
    Stranger,
    /// A message isn't the one that was due.
    Message(Mismatch),
    /// A message of nobody, or twice the same, or cut.
    Unknown,
    /// A wait took too long.
    Silence(&'static str),
}

impl std::error::Error for Fault {}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(server, error) => write!(f, "no connection to {server}: {error}"),
            Self::Io(error) => write!(f, "a connection broke: {error}"),
            Self::Ended => write!(f, "a connection ended without a word"),
            Self::Closed(Some(code)) => write!(f, "the server closed with code {}", code.get()),
            Self::Closed(None) => write!(f, "the server closed without a code"),
            Self::Protocol(reason) => {
                write!(f, "the server broke the protocol: {}", reason.sentence())
            }
            Self::Head(refusal) => {
                write!(f, "the server's answer is no HTTP: {}", refusal.sentence())
            }
            Self::Handshake(error) => write!(f, "no WebSocket: {error}"),
            Self::Url(error) => write!(f, "{error}"),
            Self::Notice(said) => write!(f, "the server said {said:?} while pairing"),
            Self::Stranger => write!(f, "the server has other clients, too; it must have none"),
            Self::Message(due) => {
                write!(f, "message {} of a client arrived changed, or not in its place", due.number)
            }
            Self::Unknown => write!(f, "a message arrived that nobody sent, or cut, or twice"),
            Self::Silence(what) => write!(f, "{what} took longer than 10 s"),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Mismatch> for Fault {
    fn from(mismatch: Mismatch) -> Self {
        Self::Message(mismatch)
    }
}
