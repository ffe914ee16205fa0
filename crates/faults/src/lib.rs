//! Real faults on real sockets, and whether conversations survive them.
//!
//! Many pairs of clients talk both ways through a [`Proxy`] with a server that is a process of its
//! own, while that is killed and started again, or taken over from, or the connections are cut,
//! reset, stalled, dribbled. A history of what each application saw is checked at the end: every
//! message once, in order, and no word of any gap. Knows processes, sockets and the SDK; must not know
//! how either keeps its promises.

mod history;
mod javascript;
mod plan;
mod proxy;
mod server;
mod talkers;

pub use plan::{Outcome, Plan};
pub use proxy::{Fault, Proxy};
pub use server::Process;
