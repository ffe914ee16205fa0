//! 18,000 people with profiles come into a scored pool within ten seconds: everybody gets a partner, and is
//! told why.
//!
//! Knows what is in each profile, and works out by itself what two have in common. Must not know how the
//! server finds that.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use vyoma_traces::crowd::{Rhythm, crowd};
use vyoma_traces::{Arrival, Trace};

use super::child::Server;
use super::client::{Client, Event, dial};

/// As many as 20,000 descriptors a process allow.
const PEOPLE: usize = 18_000;

/// A second: a Poisson process brings the last after 9.3 to 9.6 s.
const RATE: f64 = 1_900.0;

/// All have come by then.
const WITHIN: Duration = Duration::from_secs(10);

/// From the last step of the usual schedule on anybody will do: after 20 s. A search probes those who
/// haven't been heard lately, which takes 2 s each time.
const PAIRED_WITHIN: Duration = Duration::from_secs(20 + 10);

const SEED: u64 = 18;

/// Threads that act for the clients, each for as many.
const ACTORS: usize = 4;

/// Between two rounds over those who wait, and over all.
const ROUND: Duration = Duration::from_millis(5);
const LONG_ROUND: Duration = Duration::from_secs(2);

const HEAD: &str = "GET /ws?pool=founders HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: vyoma.v1\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Somebody who has come.
struct Guest {
    /// Its place in the crowd, which is its name.
    number: usize,
    client: Client,
    joined: Instant,
    /// How often it was told that it waits.
    told: usize,
    matched: Option<Match>,
}

struct Match {
    after: Duration,
    at: Instant,
    envelope: Value,
}

/// What all threads share.
struct Rush<'a> {
    to: SocketAddr,
    crowd: &'a Trace,
    start: Instant,
    paired: AtomicUsize,
    over: AtomicBool,
}

/// Runs the scenario.
pub(crate) fn into_a_scored_pool(binary: &Path) -> Result<()> {
    let server = Server::start(binary, &["--pool", "founders=scored"])?;
    let (before, cpu) = (server.memory()?, server.cpu()?);
    let crowd = crowd(Rhythm::Poisson(RATE), PEOPLE, SEED);
    let rush = Rush {
        to: server.address,
        crowd: &crowd,
        start: Instant::now(),
        paired: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    };
    let (guests, lag) = thread::scope(|scope| {
        let actors: Vec<_> = (0..ACTORS)
            .map(|actor| {
                scope.spawn({
                    let rush = &rush;
                    move || rush.act(actor)
                })
            })
            .collect();
        let lag = rush.watch(&server);
        let guests = actors
            .into_iter()
            .map(|actor| actor.join().map_err(|_| anyhow!("a thread of clients panicked"))?);
        let guests = guests.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect::<Vec<_>>();
        anyhow::Ok((guests, lag?))
    })?;
    let busy = server.cpu()? - cpu;
    report_waits(&rush, &guests)?;
    let after = server.memory()?;
    println!("server: {:.2} s of CPU", busy as f64 / 100.0);
    super::report_memory(before, after, PEOPLE as u64, "client");
    match lag {
        Some(lag) => println!("the longest that a search lagged, seen twice a second: {lag:.3} s"),
        None => println!("the server has no vyoma_match_lag_seconds"),
    }
    check(&crowd, &guests)
}

impl Rush<'_> {
    /// Acts for every fourth client until all are paired, or it is too late.
    fn act(&self, actor: usize) -> Result<Vec<Guest>> {
        let acted = self.act_for(actor);
        if acted.is_err() {
            self.over.store(true, Ordering::Relaxed);
        }
        acted
    }

    fn act_for(&self, actor: usize) -> Result<Vec<Guest>> {
        let mut to_come = (actor..PEOPLE).step_by(ACTORS).peekable();
        let mut guests: Vec<Guest> = Vec::with_capacity(PEOPLE / ACTORS);
        let mut all_seen = Instant::now();
        while !self.is_over() {
            while let Some(number) =
                to_come.next_if(|number| self.crowd.arrivals[*number].at <= self.start.elapsed())
            {
                guests.push(self.come(number)?);
            }
            let all = all_seen.elapsed() > LONG_ROUND;
            if all {
                all_seen = Instant::now();
            }
            for guest in guests.iter_mut().filter(|guest| all || guest.matched.is_none()) {
                if guest.hear().with_context(|| format!("client {}", guest.number))? {
                    self.paired.fetch_add(1, Ordering::Relaxed);
                }
            }
            thread::sleep(ROUND);
        }
        Ok(guests)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
            || self.paired.load(Ordering::Relaxed) == PEOPLE
            || self.start.elapsed() > WITHIN + PAIRED_WITHIN
    }

    /// Connects, and joins with its profile.
    fn come(&self, number: usize) -> Result<Guest> {
        // So many addresses that none has more than a hundred connections.
        let from = 2 + (number % 200) as u8;
        let mut client = Client::upgrade_by(dial(self.to, from, None)?, HEAD)?;
        let profile = profile(number, &self.crowd.arrivals[number]);
        client.say(&json!({"type": "join", "profile": profile}).to_string())?;
        client.stream.set_nonblocking(true)?;
        Ok(Guest { number, client, joined: Instant::now(), told: 0, matched: None })
    }

    /// Looks at the lag until the end: the largest, if the server tells it.
    fn watch(&self, server: &Server) -> Result<Option<f64>> {
        let mut largest: Option<f64> = None;
        while !self.is_over() {
            let lag = server.metric("vyoma_match_lag_seconds")?;
            largest = largest.into_iter().chain(lag).reduce(f64::max);
            thread::sleep(Duration::from_millis(500));
        }
        Ok(largest)
    }
}

impl Guest {
    /// Takes in what has come; whether it has a partner since.
    fn hear(&mut self) -> Result<bool> {
        let had_one = self.matched.is_some();
        while let Some(event) = self.client.glance()? {
            let Event::Text(text) = event else { bail!("{event:?}") };
            let envelope: Value = serde_json::from_str(&text)?;
            match envelope["type"].as_str() {
                Some("waiting") if self.matched.is_none() => self.told += 1,
                Some("matched") if self.matched.is_none() => {
                    let (after, at) = (self.joined.elapsed(), Instant::now());
                    self.matched = Some(Match { after, at, envelope });
                }
                Some("hello" | "token") => {}
                _ => bail!("{text}"),
            }
        }
        Ok(!had_one && self.matched.is_some())
    }
}

fn profile(number: usize, arrival: &Arrival) -> Value {
    let mut profile = json!({"name": format!("{number}")});
    for (key, list) in lists(arrival) {
        profile[key] = json!(list);
    }
    profile
}

/// What somebody shows, by the keys of profiles.
fn lists(arrival: &Arrival) -> [(&'static str, Vec<String>); 4] {
    let lists = &arrival.lists;
    let all = [&lists.offers, &lists.seeks, &lists.topics, &lists.languages];
    let words = all.map(|list| list.iter().map(|number| format!("w{number}")).collect());
    let [offers, seeks, topics, languages] = words;
    [("offers", offers), ("seeks", seeks), ("topics", topics), ("languages", languages)]
}

fn report_waits(rush: &Rush<'_>, guests: &[Guest]) -> Result<()> {
    let last = guests.iter().map(|guest| guest.joined).max().context("nobody came")?;
    let came = last - rush.start;
    println!("{} clients joined within {:.1} s", guests.len(), came.as_secs_f64());
    ensure!(guests.len() == PEOPLE && came <= WITHIN, "too late: is the machine quiet?");
    let matches = || guests.iter().filter_map(|guest| guest.matched.as_ref());
    let mut waits: Vec<_> = matches().map(|found| found.after).collect();
    waits.sort_unstable();
    let end = matches().map(|found| found.at).max().context("nobody was paired")?;
    let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize];
    println!(
        "{} were paired {:.1} s after the first came; they waited {:.3?} (p50), {:.3?} (p99), {:.3?} at most",
        waits.len(),
        (end - rush.start).as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

/// Everybody has one partner, which has it, and what was told of it is true.
fn check(crowd: &Trace, guests: &[Guest]) -> Result<()> {
    let mut partners = vec![None; PEOPLE];
    let (mut left, mut with_a_reason) = (0, 0);
    for guest in guests {
        let Some(Match { envelope, .. }) = &guest.matched else {
            ensure!(guest.told > 0, "client {} waits, and wasn't told", guest.number);
            left += 1;
            continue;
        };
        let name = envelope["partner"]["name"].as_str();
        let partner: usize = name.context("a partner without a name")?.parse()?;
        let arrival = crowd.arrivals.get(partner).context("a partner who didn't come")?;
        ensure!(
            envelope["partner"] == profile(partner, arrival),
            "not as it was shown: {envelope}"
        );
        let (why, common) = reasons(&crowd.arrivals[guest.number], arrival);
        ensure!(
            envelope["why"] == why && envelope["common"] == common,
            "{envelope} names not {why}, {common}"
        );
        with_a_reason += usize::from(why != json!(["next_in_line"]));
        partners[guest.number] = Some(partner);
    }
    for (number, partner) in partners.iter().enumerate() {
        let back = partner.is_none_or(|partner| partners[partner] == Some(number));
        ensure!(back, "client {number} was matched with {partner:?}, who has another one");
    }
    println!(
        "{left} left waiting; every match was told to both, with what they have in common, which was \
         something for {with_a_reason}"
    );
    ensure!(left <= 1, "{left} wait beside each other");
    Ok(())
}

/// What somebody has in common with another, as it is to be told.
fn reasons(own: &Arrival, other: &Arrival) -> (Value, Value) {
    let met = [
        ("seeks", "offers"),
        ("offers", "seeks"),
        ("topics", "topics"),
        ("languages", "languages"),
    ];
    let (own, other) = (lists(own), lists(other));
    let list = |all: &[(&'static str, Vec<String>); 4], key| {
        all.iter().find(|(own, _)| *own == key).map(|(_, list)| list.clone()).unwrap_or_default()
    };
    let (mut why, mut common) = (Vec::new(), json!({}));
    for ((key, theirs), reason) in
        met.into_iter().zip(["seeks_met", "offers_met", "topics", "languages"])
    {
        let theirs = list(&other, theirs);
        let both: Vec<_> =
            list(&own, key).into_iter().filter(|word| theirs.contains(word)).collect();
        if !both.is_empty() {
            why.push(reason);
            common[key] = json!(both);
        }
    }
    if why.is_empty() {
        why.push("next_in_line");
    }
    (json!(why), common)
}
