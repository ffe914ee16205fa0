//! Breaks a real server and its connections under load, and checks that no message is lost.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use vyoma_faults::{Outcome, Plan};

/// Breaks a server and its connections while clients talk, and checks what each of them saw
#[derive(Debug, Parser)]
struct Options {
    /// The server's binary
    #[arg(long, default_value = "target/release/vyoma")]
    binary: PathBuf,

    /// Conversations
    #[arg(long, default_value_t = 200)]
    conversations: u32,

    /// How many of the clients, two to a conversation, use the JavaScript SDK (in Node)
    #[arg(long, default_value_t = 0)]
    javascript: u32,

    /// How often the server is killed and started again
    #[arg(long, default_value_t = 0)]
    kills: u32,

    /// How often another server takes over
    #[arg(long, default_value_t = 0)]
    takeovers: u32,

    /// How many connections are cut, reset, stalled, dribbled, delayed or left half open
    #[arg(long, default_value_t = 0)]
    faults: u32,

    /// Milliseconds between two of these
    #[arg(long, default_value_t = 1000)]
    pause: u64,

    /// What decides which, and how
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Options { binary, conversations, javascript, kills, takeovers, faults, pause, seed } =
        Options::parse();
    let plan = Plan {
        binary,
        dir: std::env::temp_dir().join(format!("vyoma-faults-{}", std::process::id())),
        conversations,
        javascript,
        kills,
        takeovers,
        faults,
        pause: Duration::from_millis(pause),
        message_pause: Duration::from_millis(25),
        drain: Duration::from_secs(9),
        seed,
        verbose: true,
    };
    let Outcome { said, refused, lost, moved_after, wrong } = plan.run().await?;
    println!(
        "{conversations} conversations, {said} messages, {lost} connections lost, {refused} tries to connect failed"
    );
    println!("{kills} kills, {takeovers} takeovers, {faults} broken connections, seed {seed}");
    if let (Some(first), Some(last)) = (moved_after.first(), moved_after.last()) {
        let middle = moved_after[moved_after.len() / 2];
        println!("moved after a takeover began: {first:.1?} to {last:.1?}, half by {middle:.1?}");
    }
    wrong.iter().take(20).for_each(|wrong| println!("WRONG: {wrong}"));
    if !wrong.is_empty() {
        println!("{} things are wrong", wrong.len());
        return Ok(ExitCode::FAILURE);
    }
    println!("every message came once and in order");
    Ok(ExitCode::SUCCESS)
}
