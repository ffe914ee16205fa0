//! `vyoma serve`: starts the server, says where it is, obeys signals.

use std::io::{self, ErrorKind, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixListener;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use vyoma_server::{Config, ConfigError, Server, StartError};

use crate::EXIT_USAGE;
use crate::config_view::ConfigView;
use crate::options::{ServeOptions, Settings, variable_of};
use crate::{data, logs, takeover};

/// Runs the server until it has been told to go and has gone.
pub(crate) fn run(options: ServeOptions, settings: &Settings) -> ExitCode {
    let config = match options.config() {
        Ok(config) => config,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    if let Err(error) = config.check() {
        return usage_error(&error, settings);
    }
    if options.print_config {
        let view = ConfigView { options: &options, config: &config, settings };
        // Whoever closed our standard output doesn't want to read it.
        let _ = write!(io::stdout(), "{view}");
        return ExitCode::SUCCESS;
    }
    logs::start(options.log_format, &options.log);
    match serve(config, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage_error(error: &ConfigError, settings: &Settings) -> ExitCode {
    let ConfigError { key, why } = error;
    let source = match settings.variable(key) {
        Some(variable) => format!("{variable} (--{key})"),
        None => format!("--{key}"),
    };
    let _ = writeln!(io::stderr(), "error: {source} {why}");
    ExitCode::from(EXIT_USAGE)
}

fn serve(mut config: Config, options: &ServeOptions) -> anyhow::Result<()> {
    raise_descriptor_limit();
    let takeover = options.takeover.as_deref();
    let data = data::open(options.data_dir.as_deref(), options.secret_file.as_deref())?;
    (config.keys, config.reports, config.blocks) = (data.keys, data.reports, data.blocks);
    let orders = Orders::new().context("cannot listen to signals")?;
    let main_port = config.port;
    let explain = |error: anyhow::Error| match error.downcast() {
        Ok(error) => explain(error, main_port),
        Err(error) => error,
    };
    let (listeners, predecessor) = takeover::sockets(&config, takeover).map_err(explain)?;
    let server = Server::start_on(listeners, config)?;
    let successors = match takeover {
        Some(path) => {
            let socket = takeover::listen(path);
            Some(
                socket
                    .with_context(|| format!("--takeover: cannot listen at {}", path.display()))?,
            )
        }
        None => None,
    };
    if let Some(predecessor) = predecessor {
        predecessor.relieve().context("the running server is gone, but left us its sockets")?;
        tracing::info!("took over from the process before");
    }
    let _ = io::stdout().write_all(greeting(server.local_addr(), server.metrics_addr()).as_bytes());
    tracing::info!(address = %server.local_addr(), "listening");
    let server = Arc::new(server);
    let obeying = Arc::clone(&server);
    // Not joined: it ends with the process, when the server has gone.
    std::thread::Builder::new()
        .name("orders".to_owned())
        .spawn(move || orders.obey(&obeying, successors))
        .context("cannot start the thread for signals")?;
    server.wait();
    tracing::info!("stopped");
    Ok(())
}

/// A connection takes a descriptor, so as many are taken as the system lets us have.
fn raise_descriptor_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::info!(limit, "open files"),
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}

/// What others want of the process: SIGINT and SIGTERM, heard from the moment this is made, and to
/// be succeeded.
struct Orders {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl Orders {
    fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        drop(entered);
        Ok(Self { runtime, interrupt, terminate })
    }

    /// The first signal drains the server, like a successor; the next one stops it.
    fn obey(self, server: &Server, successors: Option<UnixListener>) {
        let Self { runtime, mut interrupt, mut terminate } = self;
        let mut signal = async || {
            tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            }
        };
        runtime.block_on(async {
            tokio::select! {
                signal = signal() => {
                    tracing::info!(signal, "shutting down; a second signal stops at once");
                    server.drain();
                }
                () = succeed(server, successors) => {}
            }
            let signal = signal().await;
            tracing::info!(signal, "stopping at once");
            server.stop();
        });
    }
}

/// Waits for a process that takes over, and until it has.
async fn succeed(server: &Server, successors: Option<UnixListener>) {
    let Some(Ok(successors)) = successors.map(tokio::net::UnixListener::from_std) else {
        return std::future::pending().await;
    };
    loop {
        let handed_over = async {
            let (stream, _) = successors.accept().await?;
            takeover::hand_over(stream.into_std()?, server).await
        };
        match handed_over.await {
            Ok(()) => return tracing::info!("another process took over; shutting down"),
            Err(error) => tracing::warn!(error = format!("{error:#}"), "nobody took over"),
        }
    }
}

/// Where to point a browser and a client.
fn greeting(address: SocketAddr, metrics: Option<SocketAddr>) -> String {
    let host = match address.ip().to_canonical() {
        ip if ip.is_unspecified() || ip.is_loopback() => "localhost".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(ip) => ip.to_string(),
    };
    let port = address.port();
    let metrics =
        metrics.map_or_else(String::new, |at| format!("  Metrics:    http://{at}/metrics\n"));
    format!(
        "VyomaChat is running. Stop it with Ctrl-C.\n  \
         Browser:    http://{host}:{port}\n  WebSocket:  ws://{host}:{port}\n{metrics}"
    )
}

/// Says what to do about a server that could not start.
fn explain(error: StartError, main_port: u16) -> anyhow::Error {
    let StartError::Listen { address, ref source } = error else { return error.into() };
    let port = address.port();
    let other = if port == main_port {
        format!("choose another: {}={} vyoma", variable_of("port").unwrap_or_default(), other(port))
    } else {
        format!("choose another: --metrics-bind {}", SocketAddr::new(address.ip(), other(port)))
    };
    match source.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "port {port} is taken: another program, perhaps another vyoma, listens on {address}. \
             Stop that one, or {other}"
        ),
        ErrorKind::AddrNotAvailable => anyhow!(
            "cannot listen on {address}: this machine has no such address. Choose one of its own, \
             or leave --bind out to listen on all"
        ),
        ErrorKind::PermissionDenied => anyhow!(
            "cannot listen on {address}: the system doesn't let you use port {port}. Ports below \
             1024 are often reserved; {other}"
        ),
        _ => error.into(),
    }
}

/// A port to propose instead: the next, or the usual one instead of a reserved one.
fn other(port: u16) -> u16 {
    if port < 1024 { 3001 } else { port.checked_add(1).unwrap_or(3001) }
}
