//! What `vyoma chat` takes.

use std::path::PathBuf;

use clap::Args;

use crate::values::Span;

/// With whom to chat, and as whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct ChatOptions {
    /// The server
    #[arg(default_value = "ws://localhost:3001")]
    pub(crate) url: String,

    /// Your name, which your partner is shown
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// A line about you, which your partner is shown
    #[arg(long)]
    pub(crate) headline: Option<String>,

    /// The code of an invitation: you meet whoever has the same, and nobody else
    #[arg(long, value_name = "CODE")]
    pub(crate) invite: Option<String>,

    /// Where your place in a conversation is kept, to go on from there if this ends; it is a secret
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,

    /// How long to wait for the partner to get the last line, when lines come from a pipe
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) timeout: Span,
}
