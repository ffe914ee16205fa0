//! The rules that a client of `vyoma.v1` keeps (docs/protocol.md), as a pure state machine.
//!
//! Knows the outbox, watermarks, attempts, credit, when to acknowledge, when to connect again, and
//! when a connection is dead. Must not know sockets, clocks, threads, storage, or the server's rules:
//! time is an argument, and what is to be done is returned as a list of [`Action`]s.
//!
//! A *driver* owns the socket, the clock and the storage. After each call of a [`Session`] it takes
//! [`Session::next_action`] until there is none, and carries the actions out in this order; it calls
//! [`Session::tick`] at [`Session::deadline`]. That is all:
//!
//! ```
//! use std::time::Duration;
//! use vyoma_reliable::{Action, Body, Saved, Session, Settings};
//!
//! # let now = std::time::Instant::now();
//! let mut session = Session::new(Settings::default(), Saved::default(), 7, now);
//! session.join(Some(r#"{"name":"Ada"}"#), now).unwrap();
//! while let Some(action) = session.next_action() {
//!     match action {
//!         Action::Connect => {}        // open a socket, then call `connected` or `disconnected`
//!         Action::Write(_frame) => {}  // one WebSocket message; consecutive ones in one write
//!         Action::Save(_change) => {}  // store it before going on, for instance by `Saved::apply`
//!         Action::Close(_code) => {}   // close the socket, and report nothing more of it
//!         Action::Event(_event) => {}  // for the application
//!     }
//! }
//! assert_eq!(session.deadline(), Some(now + Duration::from_secs(10)));
//! assert!(session.send(Body::Json(r#""hello""#), now).is_err()); // no partner yet
//! ```

mod action;
mod backoff;
mod inbox;
mod outbox;
mod pulse;
mod saved;
mod session;
mod settings;
mod typing;

pub use action::{
    Action, Body, Content, End, Event, Frame, Refusal, SendError, ServerError, Trouble, Wanted,
};
pub use saved::{BadSaved, Change, Kept, Saved, Seat};
pub use session::{Limits, Session, Standing};
pub use settings::Settings;
