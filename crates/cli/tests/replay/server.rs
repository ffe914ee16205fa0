//! A real server, and clients that answer its pings.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::place::vyoma;

/// A server on a port of its own. Killed if the test fails.
pub(crate) struct Running {
    child: Child,
    port: u16,
}

impl Running {
    pub(crate) fn start(place: &Path) -> Self {
        let (log, data) = (place.join("log"), place.join("data"));
        let mut command = vyoma(&["--port", "0", "--bind", "127.0.0.1", "--drain-timeout", "0s"]);
        command.arg("--decision-log").arg(log).arg("--data-dir").arg(data);
        command.args(["--pool", "founders=scored:400/0@1h"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
        let port = lines.find_map(|line| {
            line.unwrap().strip_prefix("  WebSocket:  ws://localhost:")?.parse().ok()
        });
        Self { child, port: port.expect("it says where it is") }
    }

    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }

    pub(crate) fn connect(&self, path: &str, headers: &str) -> Client {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Client::new(stream)
    }

    /// A founder who shows this profile, and waits.
    pub(crate) fn founder(&self, profile: &str) -> Client {
        let mut client = self.connect("/ws?pool=founders", "Sec-WebSocket-Protocol: vyoma.v1\r\n");
        client.say(&format!(r#"{{"type":"join","profile":{profile}}}"#));
        client
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has gone already, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that answers pings, whatever the test does meanwhile.
pub(crate) struct Client {
    stream: TcpStream,
    heard: Receiver<String>,
}

impl Client {
    /// A client behind its request, which has been sent.
    pub(crate) fn new(stream: TcpStream) -> Self {
        let (texts, heard) = std::sync::mpsc::channel();
        let (mut answers, incoming) = (stream.try_clone().unwrap(), stream.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut incoming = BufReader::new(incoming);
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                incoming.read_line(&mut line).unwrap();
            }
            // It ends with the connection.
            while let Ok((opcode, payload)) = frame(&mut incoming) {
                match opcode {
                    9 => answers.write_all(&masked(10, &payload)).unwrap_or_default(),
                    1 => texts.send(String::from_utf8(payload).unwrap()).unwrap_or_default(),
                    _ => {}
                }
            }
        });
        Self { stream, heard }
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.stream.write_all(&masked(1, text.as_bytes())).unwrap();
    }

    /// Waits for a text in which this is.
    pub(crate) fn expect(&mut self, part: &str) {
        let mut texts =
            std::iter::from_fn(|| self.heard.recv_timeout(Duration::from_secs(60)).ok());
        assert!(texts.any(|text| text.contains(part)), "{part:?} never came");
    }
}

/// The next frame: its opcode and its payload.
pub(crate) fn frame(incoming: &mut impl Read) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    incoming.read_exact(&mut head)?;
    let mut length = usize::from(head[1]);
    if length == 126 {
        let mut long = [0; 2];
        incoming.read_exact(&mut long)?;
        length = usize::from(u16::from_be_bytes(long));
    }
    let mut payload = vec![0; length];
    incoming.read_exact(&mut payload)?;
    Ok((head[0] & 15, payload))
}

/// A frame whose mask is zeros.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..=125) => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}
