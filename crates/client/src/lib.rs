//! The Rust SDK of VyomaChat: one place on one server, through lost connections and restarts.
//!
//! Knows sockets, time and files. The rules are `vyoma-reliable`'s; here they are carried out by a
//! task that lives as long as the [`Client`]. Must not know the server.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use vyoma_client::{Client, Event, Happening, Options};
//!
//! let (client, mut happenings) = Client::start("ws://localhost:3001", Options::default())?;
//! client.join(Some(r#"{"name":"Ada"}"#)).await?;
//! while let Some(happening) = happenings.next().await {
//!     match happening {
//!         Happening::Event(Event::Matched { .. }) => {
//!             let receipt = client.say("Hello!").await?;
//!             tokio::spawn(receipt.delivered());
//!         }
//!         Happening::Event(Event::Message { content, .. }) => println!("{:?}", content.text()),
//!         Happening::Event(Event::Ended { .. }) => break,
//!         _ => {}
//!     }
//! }
//! client.close().await;
//! # Ok(())
//! # }
//! ```

mod client;
mod driver;
mod receipt;
mod socket;
mod store;
mod url;

pub use client::{
    Client, Gone, Happening, Happenings, Invitation, JoinOptions, NotInvited, Options, Refused,
    Unsent,
};
pub use receipt::{Receipt, Stage};
pub use socket::ConnectError;
pub use store::{FileStore, Store, StoreError};
pub use url::{BadUrl, Url};
pub use vyoma_reliable::{
    Body, Content, End, Event, Refusal, Saved, SendError, ServerError, Settings, Trouble,
};
