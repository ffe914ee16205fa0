//! A TCP forwarder that takes the plain dialect's notices out of a connection's beginning.
//!
//! The server's first frames to a client are `waiting`, perhaps, and `connected`; after that it
//! sends notices only if the partner goes, which ours never does. So the shim forwards the request
//! and its answer, holds the client's frames until the pair is complete, and from then on copies
//! bytes both ways without looking at them. Must not know the cases, nor read a judged frame.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result};

use super::{CONNECTED, WAITING};

/// An unanswered head longer than this is no WebSocket handshake.
const LONGEST_HEAD: usize = 8 * 1024;

/// Starts forwarding to `server`; returns where the fuzzing client connects.
///
/// # Errors
/// If no port can be had.
pub(super) fn start(server: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a port for the shim")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || {
                // The suite judges by what its connection sees; this line says why it saw it.
                if let Err(error) = forward(client, server) {
                    eprintln!("shim: {error}");
                }
            });
        }
    });
    Ok(address)
}

fn forward(mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(server)?;
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    server.write_all(&head(&mut client)?)?;
    let answer = head(&mut server)?;
    client.write_all(&answer)?;
    if answer.starts_with(b"HTTP/1.1 101 ") {
        skip_notices(&mut server)?;
    }

    let (client_reader, server_writer) = (client.try_clone()?, server.try_clone()?);
    let upward = thread::spawn(move || copy(client_reader, server_writer));
    copy(server, client);
    // A panic there would have been printed; there is nothing to add.
    let _ = upward.join();
    Ok(())
}

/// A request or an answer up to its empty line, and not one byte more.
fn head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(head)
}

/// Reads the frames up to and with `connected`; there may be a `waiting` before it.
fn skip_notices(server: &mut TcpStream) -> io::Result<()> {
    loop {
        let notice = short_text(server)?;
        match notice.as_str() {
            CONNECTED => return Ok(()),
            WAITING => {}
            _ => {
                let error = format!("expected a notice, got {notice:?}");
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
    }
}

/// The payload of an unmasked text frame of at most 125 bytes, as every notice is.
fn short_text(server: &mut TcpStream) -> io::Result<String> {
    let mut header = [0; 2];
    server.read_exact(&mut header)?;
    let [0x81, length @ 0..=125] = header else {
        let error = format!("expected a notice, got a frame that begins {header:02x?}");
        return Err(io::Error::new(ErrorKind::InvalidData, error));
    };
    let mut payload = vec![0; usize::from(length)];
    server.read_exact(&mut payload)?;
    String::from_utf8(payload).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Copies until the end, and passes the end on; a reset is passed on as an end.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    let copied = io::copy(&mut from, &mut to);
    // Either side may have closed both directions by now.
    let _ = to.shutdown(Shutdown::Write);
    if copied.is_err() {
        let _ = from.shutdown(Shutdown::Read);
    }
}
