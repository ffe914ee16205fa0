//! The mode `sessions`: connect, get a partner, say one message and hear one, close, and again.
//!
//! Whoever comes next is the partner, so a client can't know who will speak to it; but each
//! message must arrive somewhere, whole and once.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use tokio::try_join;
use vyoma_protocol::plain;

use super::client::Client;
use super::fault::Fault;
use super::inbound::Stage;
use super::run::Run;

/// Two clients at a time, until the run is stopped. Their number is always even, so that nobody
/// is left without a partner.
pub(crate) async fn couples(run: Arc<Run>) -> Result<(), Fault> {
    while !run.is_stopped() {
        let began = Instant::now();
        try_join!(session(&run), session(&run))?;
        run.tally().add(1, began.elapsed());
    }
    Ok(())
}

async fn session(run: &Run) -> Result<(), Fault> {
    let mut client = Client::connect(run).await?;
    let mut said = Vec::new();
    client.until(Stage::Paired, &mut said).await?;
    let mut burst = run.template.burst(1);
    let (id, mut begun) = (client.id, false);
    poll_fn(|cx| {
        if !std::mem::replace(&mut begun, true) {
            client.send(cx, burst.number(id, 0, 1))?;
        }
        client.flush(cx)?;
        if client.is_clear() { Poll::Ready(Ok::<_, Fault>(())) } else { Poll::Pending }
    })
    .await?;
    while said.len() < run.template.arriving_len() {
        client.receive("a partner's word", &mut said).await?;
    }
    // The partner may have gone since: the notice of that is no part of the message.
    let (message, notice) = said.split_at(run.template.arriving_len());
    if !plain::DISCONNECTED.as_bytes().starts_with(notice) {
        return Err(Fault::Unknown);
    }
    run.tally().claim(run.template.recognise(message), id)?;
    client.close().await
}
