//! The plain dialect: three notices, everything else is the partner's words, verbatim.

/// Sent to a client that has to wait for a partner.
pub const WAITING: &str = "⌛ Waiting for another entrepreneur...";
/// Sent to both when they are paired.
pub const CONNECTED: &str = "🎯 Connected with an entrepreneur!";
/// Sent to the one who stays when the partner goes.
pub const DISCONNECTED: &str = "⚠️ Partner disconnected.";
