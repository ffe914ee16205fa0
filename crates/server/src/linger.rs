//! The last moments of a TCP connection.
//!
//! Knows that closing a socket with unread bytes in it sends a reset, which can destroy what was
//! written last before the peer has read it. Must not know what those bytes mean.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::counters::{self, Counter};

/// What is read and thrown away at most: sixteen of the largest default messages, more than a
/// peer has under way when it hears that this is the end.
const MOST: usize = 1024 * 1024;

/// One read. The buffer lives on the stack during the read only.
const PIECE: usize = 16 * 1024;

/// Shuts the writing side down, then reads and discards until the peer ends too, or for `limit`,
/// or [`MOST`] bytes; then closes.
pub(crate) async fn linger(mut stream: TcpStream, limit: Duration) {
    // Out of time, or done: either way the socket is closed by dropping it.
    let _ = timeout(limit, discard(&mut stream)).await;
}

async fn discard(stream: &mut TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut left = MOST;
    while left > 0 && stream.readable().await.is_ok() {
        match stream.try_read(&mut [0; PIECE]) {
            Ok(0) => return,
            Ok(read) => {
                counters::add(Counter::BytesDiscarded, read as u64);
                left = left.saturating_sub(read);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0, client)
    }

    #[tokio::test]
    async fn the_last_words_survive_what_the_peer_sends_meanwhile() {
        let (mut server, mut client) = pair().await;
        client.write_all(&[b'x'; 100_000]).await.unwrap();
        server.write_all(b"goodbye").await.unwrap();
        let lingering = tokio::spawn(linger(server, Duration::from_secs(30)));
        client.write_all(&[b'x'; 100_000]).await.unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "goodbye");
        drop(client);
        lingering.await.unwrap();
    }

    #[tokio::test]
    async fn it_ends_by_itself_with_a_peer_that_never_does() {
        let (server, mut client) = pair().await;
        linger(server, Duration::from_millis(10)).await;
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);

        let (server, mut client) = pair().await;
        let lingering = tokio::spawn(linger(server, Duration::from_secs(3600)));
        let flood = async { while client.write_all(&[0; PIECE]).await.is_ok() {} };
        flood.await;
        lingering.await.unwrap();
    }

    #[tokio::test]
    async fn no_buffer_stays_in_the_future() {
        let (server, _client) = pair().await;
        assert!(size_of_val(&linger(server, Duration::ZERO)) < 1024);
    }
}
