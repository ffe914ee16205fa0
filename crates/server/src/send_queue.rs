//! How much of what was written to a socket its peer has not acknowledged.
//!
//! Unsafe, since no safe crate offers this request. Without it a slow
//! reader can't be told from a dead one, since the kernel accepts megabytes ahead.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::os::fd::AsFd;

use rustix::ioctl::{Getter, Opcode, ioctl};

/// `SIOCOUTQ`, the same as `TIOCOUTQ` (Linux, tcp(7)): bytes sent but not acknowledged, and bytes
/// not sent.
const SIOCOUTQ: Opcode = 0x5411;

/// The bytes in the socket's send queue; 0 for a socket that has failed.
pub(crate) fn len(socket: impl AsFd) -> u64 {
    // SAFETY: for a TCP socket SIOCOUTQ writes exactly one `int` to its argument (tcp_ioctl), and
    // a `Getter` passes a pointer to uninitialised room for its output type, a `c_int`.
    let request = unsafe { Getter::<SIOCOUTQ, c_int>::new() };
    // SAFETY: the descriptor is open for as long as it is borrowed, and the request as above.
    let queued = unsafe { ioctl(socket, request) };
    queued.ok().and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn counts_what_the_peer_has_not_acknowledged() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        assert_eq!(len(&ours), 0);
        ours.set_nonblocking(true).unwrap();
        let mut written = 0;
        while let Ok(n) = ours.write(&[0; 65536]) {
            written += n as u64;
        }
        assert!((1..written).contains(&len(&ours)), "the peer's buffer took some, but not all");
        let mut read = vec![0; written as usize];
        theirs.read_exact(&mut read).unwrap();
        while len(&ours) > 0 {
            std::thread::yield_now();
        }
    }
}
