//! Finds the end of a head, once over each byte, and refuses bytes no head may contain.

use super::{MAX_HEAD, Refusal};

/// Where the search for the end of a head has got to.
///
/// It sees each byte once, however the head is cut into pieces, so that a head sent byte by byte
/// costs no more than one sent at once. What can be refused early is: a client that never sends
/// the end still hears what is wrong.
#[derive(Debug, Clone, Default)]
pub struct HeadScan {
    scanned: usize,
    line_start: usize,
}

impl HeadScan {
    /// A search that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on with the search. `bytes` is everything received so far: what was given before, and
    /// whatever has been appended to it. Returns the length of the head with its final CR LF CR LF,
    /// or `None` while that hasn't come.
    ///
    /// # Errors
    /// - [`Refusal::Tls`] for a TLS handshake.
    /// - [`Refusal::LineEnding`] for a CR or LF alone, and for an empty line before the head
    ///   (RFC 9112, section 2.2, lets servers skip the latter; we don't, since others may not).
    /// - [`Refusal::FieldLine`] for a line that begins with white space (obsolete folding,
    ///   RFC 9112, section 5.2).
    /// - [`Refusal::ControlByte`] for any other control byte but a tab.
    /// - [`Refusal::HeadTooLarge`] if the first [`MAX_HEAD`] bytes don't hold the whole head.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        while self.scanned < bytes.len().min(MAX_HEAD) {
            let at = self.scanned;
            self.scanned += 1;
            if self.ends_head(bytes, at)? {
                return Ok(Some(self.scanned));
            }
        }
        if bytes.len() >= MAX_HEAD { Err(Refusal::HeadTooLarge) } else { Ok(None) }
    }

    /// Judges the byte at `at`; true if the head ends with it.
    fn ends_head(&mut self, bytes: &[u8], at: usize) -> Result<bool, Refusal> {
        let after_cr = at > 0 && bytes[at - 1] == b'\r';
        match bytes[at] {
            b'\n' if after_cr => {
                let empty = at - self.line_start == 1;
                self.line_start = at + 1;
                if at == 1 { Err(Refusal::LineEnding) } else { Ok(empty) }
            }
            b'\n' => Err(Refusal::LineEnding),
            _ if after_cr => Err(Refusal::LineEnding),
            b'\r' => Ok(false),
            // The first byte of every TLS connection: a record of type "handshake".
            0x16 if at == 0 => Err(Refusal::Tls),
            b' ' | b'\t' if at == self.line_start => Err(Refusal::FieldLine),
            b'\t' => Ok(false),
            byte if byte.is_ascii_control() => Err(Refusal::ControlByte),
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        HeadScan::new().advance(bytes)
    }

    #[test]
    fn the_end_is_found_wherever_the_head_is_cut() {
        let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x81\x85early";
        for cut in 0..bytes.len() {
            let mut scan = HeadScan::new();
            let first = scan.advance(&bytes[..cut]).unwrap();
            assert_eq!(first, (cut >= 27).then_some(27), "cut at {cut}");
            if first.is_none() {
                assert_eq!(scan.advance(bytes), Ok(Some(27)), "cut at {cut}");
            }
        }
    }

    #[test]
    fn what_no_head_may_contain_is_refused_at_once() {
        assert_eq!(scan(b"GET / HTTP/1.1\n"), Err(Refusal::LineEnding));
        assert_eq!(scan(b"GET / HTTP/1.1\rH"), Err(Refusal::LineEnding));
        assert_eq!(scan(b"\r\n"), Err(Refusal::LineEnding));
        assert_eq!(scan(b"\n"), Err(Refusal::LineEnding));
        assert_eq!(scan(b" GET"), Err(Refusal::FieldLine));
        assert_eq!(scan(b"GET / HTTP/1.1\r\n folded"), Err(Refusal::FieldLine));
        assert_eq!(scan(b"GET / HTTP/1.1\r\nA: \0"), Err(Refusal::ControlByte));
        assert_eq!(scan(b"GET / HTTP/1.1\r\nA: \x7f"), Err(Refusal::ControlByte));
        assert_eq!(scan(b"\x16\x03\x01\x02\x00\x01"), Err(Refusal::Tls));
        assert_eq!(scan(b"GET / HTTP/1.1\r\nA:\t\xff"), Ok(None));
    }

    #[test]
    fn a_head_may_fill_the_limit_and_no_more() {
        let mut head = b"GET / HTTP/1.1\r\nA: ".to_vec();
        head.resize(MAX_HEAD - 4, b'a');
        head.extend(b"\r\n\r\n");
        assert_eq!(scan(&head), Ok(Some(MAX_HEAD)));
        head.insert(20, b'a');
        assert_eq!(scan(&head), Err(Refusal::HeadTooLarge));
        assert_eq!(scan(&head[..MAX_HEAD - 1]), Ok(None));
    }
}
