//! Which dialect a connection speaks: chosen by `Sec-WebSocket-Protocol` (RFC 6455, section 11.3.4).

use crate::envelope::SUBPROTOCOL;
use crate::handshake::Fields;

/// What travels on a connection. Partners may speak different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Three notices; everything else is the partner's words.
    Plain,
    /// `vyoma.v1`: envelopes.
    V1,
}

impl Dialect {
    /// The dialect that a request asks for: `vyoma.v1` if that is among the names it offers, else
    /// plain. Names are compared exactly, as they are in the client (section 4.1).
    pub fn choose(fields: &Fields<'_>) -> Self {
        let mut offered = fields.list("Sec-WebSocket-Protocol");
        if offered.any(|name| name == SUBPROTOCOL.as_bytes()) { Self::V1 } else { Self::Plain }
    }

    /// The name for the 101; none for plain.
    pub fn subprotocol(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::V1 => Some(SUBPROTOCOL),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::Request;

    fn chosen(lines: &str) -> Dialect {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        Dialect::choose(&Request::parse(head.as_bytes()).unwrap().fields)
    }

    #[test]
    fn v1_is_chosen_wherever_it_stands_and_nothing_else() {
        assert_eq!(chosen(""), Dialect::Plain);
        assert_eq!(chosen("Sec-WebSocket-Protocol: chat, soap\r\n"), Dialect::Plain);
        assert_eq!(chosen("Sec-WebSocket-Protocol: Vyoma.V1, vyoma.v10\r\n"), Dialect::Plain);
        assert_eq!(chosen("sec-websocket-protocol: chat , vyoma.v1\r\n"), Dialect::V1);
        let lines = "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: vyoma.v1\r\n";
        assert_eq!(chosen(lines), Dialect::V1);
    }
}
