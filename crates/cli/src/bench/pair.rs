//! Two connections that talk with each other, and check each other's every word.
//!
//! Knows when a message is due. Must not know sockets, or how bytes are framed.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::try_join;

use super::client::Client;
use super::fault::Fault;
use super::inbound::{Nothing, Stage};
use super::message::Progress;
use super::rate::Beat;
use super::run::Run;
use super::voice::{Ear, Reliable, Voice};

/// Two connections; the first was waiting when the second came.
#[derive(Debug)]
pub(crate) struct Pair {
    run: Arc<Run>,
    ends: [End; 2],
}

/// One end of a conversation.
#[derive(Debug)]
struct End {
    client: Client,
    voice: Voice,
    sent_at: Instant,
}

impl Pair {
    /// Connects two. Nobody else may be waiting: the first has to be when the second comes.
    pub(crate) async fn connect(run: &Arc<Run>) -> Result<Self, Fault> {
        let mut first = Client::connect(run).await?;
        first.until(Stage::Waiting, &mut Nothing).await?;
        if !run.options.raw && first.stage() == Stage::Paired {
            return Err(Fault::Stranger);
        }
        let mut second = Client::connect(run).await?;
        second.until(Stage::Paired, &mut Nothing).await?;
        first.until(Stage::Paired, &mut Nothing).await?;
        let (one, other) = (first.id, second.id);
        let end = |client: Client, partner| {
            let voice = match client.matched() {
                Some(matched) => Voice::Reliable(Box::new(Reliable::new(matched, &run.template))),
                None => Voice::Plain {
                    burst: run.template.burst(run.options.burst()),
                    sender: client.id,
                    sent: 0,
                    heard: Progress::new(partner),
                },
            };
            End { client, voice, sent_at: Instant::now() }
        };
        Ok(Self { run: run.clone(), ends: [end(first, other), end(second, one)] })
    }

    /// Sends bursts to and fro until the run is stopped: one end's begins when the other's is all
    /// there. Ends with nothing under way.
    pub(crate) async fn converse(&mut self) -> Result<(), Fault> {
        let mut begun = false;
        poll_fn(|cx| {
            if !std::mem::replace(&mut begun, true) {
                self.ends[0].say(cx, self.run.options.burst())?;
            }
            self.poll_converse(cx)
        })
        .await
    }

    fn poll_converse(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        loop {
            let mut idle = true;
            for at in 0..2 {
                let Poll::Ready(arrived) = self.ends[at].poll_hear(cx, &self.run)? else {
                    continue;
                };
                idle = false;
                let from = &self.ends[1 - at];
                if arrived > 0 {
                    self.run.tally().add(arrived, from.sent_at.elapsed());
                }
                if arrived > 0 && self.ends[at].voice.heard() == from.voice.said() {
                    if self.run.is_stopped() {
                        return Poll::Ready(Ok(()));
                    }
                    self.ends[at].say(cx, self.run.options.burst())?;
                }
            }
            self.flush(cx)?;
            if idle {
                return Poll::Pending;
            }
        }
    }

    /// Says what is due by the beat, from both ends in turn, until the run is stopped. Ends with
    /// nothing under way.
    pub(crate) async fn keep_time(&mut self, beat: Arc<Beat>) -> Result<(), Fault> {
        poll_fn(|cx| self.poll_keep_time(cx, &beat)).await
    }

    fn poll_keep_time(&mut self, cx: &mut Context<'_>, beat: &Beat) -> Poll<Result<(), Fault>> {
        let due = beat.due(cx);
        loop {
            let mut idle = true;
            for at in 0..2 {
                let (other, end) = (1 - at, &mut self.ends[at]);
                // The first of two messages is the first end's.
                let to_say = (due + 1 - at as u32) / 2 - end.voice.said();
                if end.client.is_clear() && to_say > 0 {
                    end.say(cx, to_say.min(self.run.options.burst()))?;
                    idle = false;
                }
                let before = end.voice.heard();
                let Poll::Ready(arrived) = end.poll_hear(cx, &self.run)? else { continue };
                idle = false;
                let (now, mut tally) = (Instant::now(), self.run.tally());
                for number in before..before + arrived {
                    tally.add(
                        1,
                        now.saturating_duration_since(beat.time(2 * number + other as u32)),
                    );
                }
            }
            self.flush(cx)?;
            if idle {
                let said = self.ends.iter().map(|end| end.voice.said()).sum::<u32>();
                let heard = self.ends.iter().map(|end| end.voice.heard()).sum::<u32>();
                let over = self.run.is_stopped() && said == due && heard == due;
                return if over { Poll::Ready(Ok(())) } else { Poll::Pending };
            }
        }
    }

    /// Listens only, and answers pings.
    pub(crate) async fn listen(&mut self) -> Fault {
        poll_fn(|cx| {
            for end in &mut self.ends {
                loop {
                    match end.poll_hear(cx, &self.run) {
                        Poll::Ready(Err(fault)) => return Poll::Ready(fault),
                        Poll::Ready(Ok(0)) => {}
                        Poll::Ready(Ok(_)) => return Poll::Ready(Fault::Unknown),
                        Poll::Pending => break,
                    }
                }
            }
            match self.flush(cx) {
                Ok(()) => Poll::Pending,
                Err(fault) => Poll::Ready(fault),
            }
        })
        .await
    }

    /// Both say goodbye.
    pub(crate) async fn close(self) -> Result<(), Fault> {
        let [one, other] = self.ends;
        try_join!(one.client.close(), other.client.close()).map(|_| ())
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        self.ends.iter_mut().try_for_each(|end| end.client.flush(cx))
    }
}

impl End {
    /// Sends the next messages in one write.
    fn say(&mut self, cx: &mut Context<'_>, count: u32) -> Result<(), Fault> {
        self.sent_at = Instant::now();
        self.client.send(cx, self.voice.say(count))
    }

    /// Reads once: how many messages are complete with it, and as they should be.
    fn poll_hear(&mut self, cx: &mut Context<'_>, run: &Run) -> Poll<Result<u32, Fault>> {
        let mut ear = Ear { voice: &mut self.voice, template: &run.template, complete: 0 };
        self.client.poll_receive(cx, &mut ear).map_ok(|()| ear.complete)
    }
}
