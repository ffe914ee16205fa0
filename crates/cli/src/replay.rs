//! `vyoma replay`: goes through a decision log again, and explains what was decided.
//!
//! Knows the file, the terminal and the exit code. Must not know how decisions are made: that is
//! `vyoma_core::matching::decisions`.

mod explain;
mod words;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use vyoma_core::matching::decisions::{
    End, Fault, Header, NotALog, Replay, Scout, Story, VERSION, Watch,
};
use words::Words;

/// A longer file, in bytes, takes long enough for people to wonder.
const LARGE: u64 = 16 * 1024 * 1024;

/// The longest line that is read, in bytes: one that orders a million tickets takes less.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Which log, and what to tell of it.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReplayOptions {
    /// A file that `vyoma --decision-log` has written
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Tells why these two tickets were matched, or weren't; POOL/NUMBER, or a number alone in the first pool
    #[arg(long, value_name = "TICKET", num_args = 2, conflicts_with = "ticket")]
    why: Option<Vec<String>>,

    /// Tells what befell this ticket
    #[arg(long, value_name = "TICKET")]
    ticket: Option<String>,
}

/// Goes through the log.
pub(crate) fn run(options: &ReplayOptions) -> ExitCode {
    match tell(options) {
        Ok(text) => {
            // Whoever closed our standard output doesn't want to read it.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn tell(options: &ReplayOptions) -> anyhow::Result<String> {
    let log = Log { path: &options.file, start: Instant::now() };
    let asked: Vec<&str> = match (&options.why, &options.ticket) {
        (Some(pair), _) => pair.iter().map(String::as_str).collect(),
        (None, Some(ticket)) => vec![ticket],
        (None, None) => return log.go_through(&mut ()).map(|gone| summary(&gone)),
    };
    explain(&log, &asked)
}

/// Tells about one ticket, or about two.
fn explain(log: &Log<'_>, asked: &[&str]) -> anyhow::Result<String> {
    let mut header = log.header()?;
    if asked.iter().any(|text| header.rules.ticket(text).is_none()) {
        // Pools that were made on demand are named further down.
        header = log.go_through(&mut ())?.replay.header().clone();
    }
    let named = |text: &&str| {
        let unknown = || anyhow!("no ticket is named {text}; {}", usage(&header));
        header.rules.ticket(text).ok_or_else(unknown)
    };
    let tickets = asked.iter().map(named).collect::<Result<Vec<_>, _>>()?;
    if let [one, other] = tickets[..]
        && one == other
    {
        bail!("that is the same ticket twice");
    }
    let mut scout = Scout::new(&tickets);
    let gone = log.go_through(&mut scout)?;
    if let Some(missing) = tickets.iter().find(|ticket| !scout.seen.contains(ticket)) {
        bail!("no ticket {} came while this was written", header.rules.show(*missing));
    }
    let mut story = Story::new(scout);
    log.go_through(&mut story)?;
    let words = Words { header: gone.replay.header(), start: log.start };
    Ok(match tickets[..] {
        [one, other] => explain::why(&words, &story, [one, other]),
        [one, ..] => explain::story(&words, &story, one),
        [] => String::new(),
    })
}

/// How tickets of this log are written.
fn usage(header: &Header) -> String {
    let pools: Vec<_> = header.rules.names().map(|name| format!("{name}/N")).collect();
    format!("here they are {}, and N alone is {}", pools.join(", "), pools[0])
}

/// A log, to be gone through as often as needed; its times count from `start`.
struct Log<'a> {
    path: &'a Path,
    start: Instant,
}

/// A log that was gone through.
struct Gone {
    replay: Replay,
    /// Whether the last line is half a line.
    cut: bool,
}

impl Log<'_> {
    /// What its first line says.
    fn header(&self) -> anyhow::Result<Header> {
        let mut first = Vec::new();
        let lines = BufReader::new(self.open()?);
        lines.take(LONGEST_LINE).read_until(b'\n', &mut first)?;
        Ok(self.begin(&first)?.header().clone())
    }

    fn open(&self) -> anyhow::Result<File> {
        File::open(self.path).with_context(|| format!("cannot read {}", self.path.display()))
    }

    fn begin(&self, first: &[u8]) -> anyhow::Result<Replay> {
        let begun = Replay::begin(first, self.start);
        begun.map_err(|error| anyhow!("{} {}", self.path.display(), not_a_log(&error)))
    }

    fn go_through(&self, watch: &mut impl Watch) -> anyhow::Result<Gone> {
        let shown = self.path.display();
        let file = self.open()?;
        let bar = bar(file.metadata().map_or(0, |metadata| metadata.len()));
        let mut lines = BufReader::with_capacity(1 << 20, file);
        let mut line = Vec::new();
        let mut next = |line: &mut Vec<u8>| {
            line.clear();
            let read = lines.by_ref().take(LONGEST_LINE).read_until(b'\n', line);
            bar.inc(line.len() as u64);
            read.with_context(|| format!("cannot read {shown}"))
        };
        next(&mut line)?;
        let mut replay = self.begin(&line)?;
        while next(&mut line)? > 0 {
            if line.len() as u64 >= LONGEST_LINE {
                bail!("line {} is too long to be one of a log", grouped(replay.lines + 1));
            }
            if line.last() != Some(&b'\n') {
                bar.finish_and_clear();
                return Ok(Gone { replay, cut: true });
            }
            if let Err(fault) = replay.line(&line, watch) {
                bar.finish_and_clear();
                bail!("{}", differs(&replay, &line, &fault));
            }
        }
        bar.finish_and_clear();
        Ok(Gone { replay, cut: false })
    }
}

/// Shown where somebody looks on for a while.
fn bar(length: u64) -> ProgressBar {
    if length < LARGE || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template("{bar:40} {percent} % of {total_bytes}, {eta} to go");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn not_a_log(error: &NotALog) -> String {
    match error {
        NotALog::Foreign => "is no decision log: its first line isn't that of one".to_owned(),
        NotALog::Version(other) => format!(
            "is a decision log of version {other}; this vyoma ({}) reads version {VERSION}",
            env!("CARGO_PKG_VERSION")
        ),
        NotALog::Header => "is a decision log whose first line is damaged".to_owned(),
    }
}

/// What is wrong with the line that was read last.
fn differs(replay: &Replay, line: &[u8], fault: &Fault) -> String {
    let number = grouped(replay.lines);
    let text = |line: &[u8]| String::from_utf8_lossy(line).trim_end().to_owned();
    let what = match fault {
        Fault::Unreadable(why) => format!("line {number} can't be read, {why}:\n  {}", text(line)),
        Fault::AfterEnd => format!("there are lines behind the last one, number {number}"),
        Fault::Differs(found) => {
            let found = if found.is_empty() { "nothing".to_owned() } else { text(found) };
            format!("line {number} differs.\n  the log:  {}\n  replayed: {found}", text(line))
        }
    };
    let (theirs, ours) = (&replay.header().program, env!("CARGO_PKG_VERSION"));
    if theirs == ours {
        return what;
    }
    format!(
        "{what}\nThe log is by vyoma {theirs}, this is vyoma {ours}, which may decide otherwise."
    )
}

fn summary(Gone { replay, cut }: &Gone) -> String {
    let (decisions, matches) = (grouped(replay.decisions), grouped(replay.matches));
    let end = match replay.end {
        _ if *cut => "The last line is cut off, as when a server is killed; it was left out.\n",
        Some(End::Stopped) => "",
        Some(End::Behind) => {
            "The log ends before the server did: its disk didn't keep up, and a log has no holes.\n"
        }
        Some(End::Failed) => "The log ends before the server did: it could not be written.\n",
        None => "The log has no end: the server still runs, or was killed.\n",
    };
    format!("{decisions} decisions, {matches} matches, all the same\n{end}")
}

/// A number with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_readable() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
