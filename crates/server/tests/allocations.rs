//! No allocation per relayed message: all of the process's allocations are counted while two
//! clients talk that allocate nothing themselves.
//!
//! One test only, since others would be counted, too.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use common::client::{Dial, upgrade_head};
use common::wire;
use common::{CONNECTED, House, PATIENCE, WAITING};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// Messages of each kind that are counted.
const MESSAGES: usize = 10_000;

/// What may happen meanwhile that has nothing to do with messages, such as a heartbeat; and one
/// write in a hundred may happen to arrive in two reads, which is the one case that is copied.
const SPARE: usize = MESSAGES / 100;

#[test]
fn relaying_a_message_allocates_nothing() {
    let house = House::with(|config| config.workers = 1);
    let (mut a, mut b) = pair(house.address());
    let multibyte = "ж".repeat(8 * 1024);
    for (what, frame, burst) in [
        ("short text", wire::text(&"x".repeat(64)), 1),
        ("bursts of short text", wire::text(&"x".repeat(64)), 50),
        ("16 KiB of ASCII", wire::text(&"x".repeat(16 * 1024)), 1),
        ("16 KiB of two-byte characters", wire::text(&multibyte), 1),
        ("binary", wire::binary(&[0xFF; 300]), 1),
        ("empty", wire::text(""), 1),
    ] {
        let mut wires = Wires::new(&frame, burst);
        // The first ones may fill caches and grow buffers for good.
        wires.carry(&mut a, &mut b, MESSAGES / 10);
        let before = ALLOCATOR.stats();
        wires.carry(&mut a, &mut b, MESSAGES);
        let after = ALLOCATOR.stats();
        let allocations = after.allocations - before.allocations;
        let moves = after.reallocations - before.reallocations;
        assert!(
            allocations + moves <= SPARE,
            "{what}: {allocations} allocations and {moves} reallocations for {MESSAGES} messages"
        );
    }
}

/// What goes in and what has to come out, prepared.
struct Wires {
    burst: usize,
    sent: Vec<u8>,
    due: Vec<u8>,
    came: Vec<u8>,
}

impl Wires {
    fn new(frame: &[u8], burst: usize) -> Self {
        let due = unmasked(frame).repeat(burst);
        Self { burst, sent: frame.repeat(burst), came: vec![0; due.len()], due }
    }

    /// Lets so many messages go, from each end in turn; allocates nothing.
    fn carry(&mut self, a: &mut TcpStream, b: &mut TcpStream, messages: usize) {
        for turn in 0..messages / self.burst {
            let (from, to) = if turn % 2 == 0 { (&mut *a, &mut *b) } else { (&mut *b, &mut *a) };
            from.write_all(&self.sent).unwrap();
            to.read_exact(&mut self.came).unwrap();
            assert!(self.came == self.due, "a message arrived changed");
        }
    }
}

/// The server's frame for a client's.
fn unmasked(frame: &[u8]) -> Vec<u8> {
    let header = match frame[1] & 0x7F {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let mut bytes = frame[..header].to_vec();
    bytes[1] &= 0x7F;
    let (mask, payload) = frame[header..].split_at(4);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn pair(to: SocketAddr) -> (TcpStream, TcpStream) {
    let mut a = join(to);
    listen_until(&mut a, WAITING);
    let mut b = join(to);
    listen_until(&mut b, CONNECTED);
    listen_until(&mut a, CONNECTED);
    (a, b)
}

fn join(to: SocketAddr) -> TcpStream {
    let mut stream = Dial::default().open(to);
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(upgrade_head("/", "").as_bytes()).unwrap();
    stream
}

/// Reads until this was said; nothing may follow it.
fn listen_until(stream: &mut TcpStream, notice: &str) {
    let mut heard = Vec::new();
    while !heard.ends_with(notice.as_bytes()) {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "it ended before {notice:?}");
        heard.extend_from_slice(&piece[..read]);
    }
}
