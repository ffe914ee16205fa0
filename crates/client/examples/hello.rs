//! Says hello to whoever comes next, prints what is answered, and leaves.
//!
//! Start a server (`cargo run --release`), then this twice:
//! `cargo run -p vyoma-client --example hello`.

use vyoma_client::{Client, Event, Happening, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://localhost:3001".to_owned());
    let (client, mut happenings) = Client::start(&url, Options::default())?;
    client.join(Some(r#"{"name":"Example"}"#)).await?;
    while let Some(happening) = happenings.next().await {
        match happening {
            Happening::Event(Event::Waiting { .. }) => println!("waiting for a partner ..."),
            Happening::Event(Event::Matched { partner, .. }) => {
                println!("matched with {}", partner.as_deref().unwrap_or("somebody"));
                let receipt = client.say("Hello!").await?;
                let client = client.clone();
                tokio::spawn(async move {
                    println!("delivered: {}", receipt.delivered().await);
                    client.leave();
                });
            }
            Happening::Event(Event::Message { content, .. }) => {
                println!("partner: {}", content.text());
            }
            Happening::Event(Event::Ended { reason, .. }) => {
                println!("{}", reason.sentence());
                break;
            }
            Happening::CannotConnect(error) => eprintln!("{error}; trying again"),
            _ => {}
        }
    }
    client.close().await;
    Ok(())
}
