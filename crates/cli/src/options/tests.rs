//! The command line, and the guide's table of it.

use std::time::Duration;

use clap::{Arg, ArgAction, Command as Definition};

use super::*;

const GUIDE: &str = include_str!("../../../../docs/operations.md");

/// Parses a command line, whatever this process's environment says.
fn parse(arguments: &[&str]) -> Result<Invocation, clap::Error> {
    let deaf = |definition: Definition| definition.mut_args(|argument| argument.env(None::<&str>));
    let definition = deaf(Cli::command()).mut_subcommands(deaf);
    let arguments: Vec<OsString> =
        ["vyoma"].iter().chain(arguments).copied().map(OsString::from).collect();
    parse_from(definition, &arguments).map_err(|error| name_variable(error, &arguments))
}

fn config(arguments: &[&str]) -> Config {
    match parse(arguments).unwrap().command {
        Command::Serve(options) => options.config().unwrap(),
        Command::Chat(_) | Command::Healthcheck(_) | Command::Replay(_) | Command::Bench(_) => {
            panic!("that is not how a server is started")
        }
    }
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn without_a_command_it_serves() {
    assert_eq!(config(&["--port", "4000"]).port, 4000);
    assert_eq!(config(&["serve", "--port", "4000"]).port, 4000);
    assert!(matches!(parse(&["healthcheck"]).unwrap().command, Command::Healthcheck(_)));
}

#[test]
fn what_is_not_given_is_as_the_server_has_it() {
    let ours = config(&[]);
    let theirs = Config { give_memory_back: ours.give_memory_back, ..Config::default() };
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(ours.check(), Ok(()));
}

#[test]
fn everything_can_be_given() {
    let config = config(&[
        "--bind=127.0.0.1",
        "--workers=3",
        "--max-message-size=1MiB",
        "--max-connections=10",
        "--max-connections-per-address=0",
        "--max-attempts-per-address=7",
        "--trusted-proxy=10.0.0.0/8,127.0.0.1",
        "--trusted-proxy=fd00::/8",
        "--limit-loopback",
        "--heartbeat=500ms",
        "--drain-timeout=2m",
        "--survivor=stay",
        "--metrics-bind=127.0.0.1:9100",
        "--pool=founders=scored,team=invite-only",
        "--pools-on-demand=7=scored:900",
        "--invite-expiry=1h",
        "--features=invite",
    ]);
    assert_eq!(config.bind, Some([127, 0, 0, 1].into()));
    assert_eq!((config.workers, config.max_message_size), (3, 1 << 20));
    assert_eq!((config.max_connections, config.max_connections_per_address), (10, 0));
    assert_eq!(config.max_attempts_per_address, 7);
    assert_eq!(config.trusted_proxies.len(), 3);
    assert!(config.limit_loopback);
    assert_eq!(config.heartbeat, Duration::from_millis(500));
    assert_eq!(config.drain_timeout, Duration::from_secs(120));
    assert_eq!(config.survivor, Survivor::Stay);
    let names: Vec<_> = config.pools.iter().map(|pool| &pool.name[..]).collect();
    assert_eq!(names, ["default", "founders", "team"]);
    assert_eq!(config.on_demand.as_ref().map(|pools| pools.most), Some(7));
    assert_eq!(config.invite_expiry, Duration::from_secs(3600));
    assert_eq!(config.features, [Feature::Invite]);
    assert_eq!(config.check(), Ok(()));
    assert_eq!(config.metrics_bind, Some(([127, 0, 0, 1], 9100).into()));
}

#[test]
fn pools_come_from_a_file_too() {
    let path = std::env::temp_dir().join(format!("vyoma-pools-{}.toml", std::process::id()));
    let flag = format!("--pools-file={}", path.display());
    std::fs::write(&path, "[team]\nrule = \"invite-only\"\n[default]\nrule = \"scored\"").unwrap();
    let both = config(&[&flag, "--pool=lounge=open"]);
    let names: Vec<_> = both.pools.iter().map(|pool| &pool.name[..]).collect();
    assert_eq!(names, ["default", "lounge", "team"]);
    assert!(both.pools[0].relaxation().is_some());
    // Declared twice, it is refused, as any name that isn't unique.
    let twice = config(&[&flag, "--pool=team=open"]).check().unwrap_err();
    assert_eq!(twice.key, "pool");
    std::fs::write(&path, "[team]\nrule = \"closed\"").unwrap();
    let Command::Serve(options) = parse(&[&flag]).unwrap().command else { panic!("it serves") };
    let error = format!("{:#}", options.config().unwrap_err());
    assert!(error.contains(&path.display().to_string()) && error.contains("team.rule"), "{error}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_bad_value_names_its_flag() {
    for (argument, flag) in [
        ("--port=70000", "--port"),
        ("--trusted-proxy=10.0.0.0/99", "--trusted-proxy"),
        ("--max-message-size=64KB", "--max-message-size"),
        ("--heartbeat=25", "--heartbeat"),
        ("--log=a=b=c", "--log"),
        ("--metrics-bind=9100", "--metrics-bind"),
        ("--survivor=perish", "--survivor"),
        ("--pools-on-demand=many", "--pools-on-demand"),
        ("--pool=team=closed", "--pool"),
    ] {
        let message = parse(&[argument]).err().unwrap().to_string();
        assert!(message.contains(flag), "{message}");
        assert!(!message.contains("variable"), "{message}");
    }
}

#[test]
fn every_setting_has_a_variable() {
    assert_eq!(variable_of("--port").as_deref(), Some("PORT"));
    assert_eq!(variable_of("trusted-proxy").as_deref(), Some("VYOMA_TRUSTED_PROXY"));
    for argument in Cli::command().get_arguments().filter(|argument| is_setting(argument)) {
        let flag = argument.get_long().unwrap();
        let usual = format!("VYOMA_{}", flag.to_uppercase().replace('-', "_"));
        let variable = variable_of(flag).unwrap();
        assert!(variable == usual || flag == "port", "{flag}: {variable}");
    }
}

fn is_setting(argument: &Arg) -> bool {
    !["help", "version", "print-config", "url"].contains(&argument.get_long().unwrap_or("help"))
}

/// A flag as the guide's table has it.
fn row(argument: &Arg) -> String {
    let flag = argument.get_long().unwrap();
    let value = match argument.get_action() {
        ArgAction::SetTrue => String::new(),
        _ => format!(" {}", argument.get_value_names().unwrap()[0]),
    };
    let code = |text: String| if text.is_empty() { "—".to_owned() } else { format!("`{text}`") };
    let variable = argument.get_env().map_or(String::new(), |v| v.to_string_lossy().into_owned());
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let choices: Vec<_> = match argument.get_action() {
        ArgAction::Set => argument.get_possible_values(),
        _ => Vec::new(),
    };
    let choices: Vec<_> = choices.iter().map(|choice| format!("`{}`", choice.get_name())).collect();
    let mut help = argument.get_help().unwrap().to_string();
    if !choices.is_empty() {
        help = format!("{help}: {}", choices.join(" or "));
    }
    format!("| `--{flag}{value}` | {} | {} | {help} |", code(variable), code(defaults.join(",")))
}

fn rows(definition: &Definition) -> Vec<String> {
    let documented = |argument: &&Arg| {
        let own = !["help", "version"].contains(&argument.get_id().as_str());
        own && !argument.is_positional()
    };
    definition.get_arguments().filter(documented).map(row).collect()
}

#[test]
fn the_guide_has_every_flag_and_no_other() {
    let mut definition = Cli::command();
    definition.build();
    let healthcheck = definition.find_subcommand("healthcheck").unwrap();
    let bench = definition.find_subcommand("bench").unwrap();
    let chat = definition.find_subcommand("chat").unwrap();
    let replay = definition.find_subcommand("replay").unwrap();
    let tables = [&definition, healthcheck, chat, replay, bench];
    let expected = tables.map(rows).concat();
    let found: Vec<_> = GUIDE.lines().filter(|line| line.starts_with("| `--")).collect();
    assert_eq!(
        found,
        expected,
        "the tables in docs/operations.md should be:\n{}",
        expected.join("\n")
    );
}
