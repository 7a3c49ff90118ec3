//! The command. This is the only place that joins the rooms: it reads the configuration, opens the storage that it names,
//! puts a registry over it and serves it.

mod acme;
mod authorization;
mod backend;
mod config_command;
mod configuration;
mod debug;
mod doctor;
mod events;
mod garbage_collect;
mod health;
mod import;
mod instance;
mod logging;
mod notify;
mod options;
mod outgoing;
mod purging;
mod randomness;
mod reload;
mod serve;
mod shared_key;
mod traces;
mod version_1;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A container registry that keeps its images in OpenStack Swift.
#[derive(Debug, Parser)]
#[command(version, disable_version_flag = true, arg_required_else_help = true)]
struct Arguments {
    /// Print the version.
    #[arg(short = 'V', short_alias = 'v', long, action = ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a registry until SIGTERM or Ctrl-C; without a file on 127.0.0.1:5000, with its images in ./apus-data.
    Serve {
        /// A configuration file of registry:2 or of docker-registry 0.x; else the one that REGISTRY_CONFIGURATION_PATH or
        /// DOCKER_REGISTRY_CONFIG names.
        file: Option<PathBuf>,
    },
    GarbageCollect(garbage_collect::GarbageCollect),
    /// Check a configuration, or show what it comes to.
    #[command(subcommand)]
    Config(config_command::ConfigCommand),
    /// Bring over what another registry has.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Look after the OpenStack Swift in which a registry keeps its images.
    #[command(subcommand)]
    Swift(doctor::SwiftCommand),
}

/// What `registry --version` says when the command is called by that name: begun as registry:2 begins it, for tools that take
/// the third word for the version of the registry whose file, store and API these are.
const REGISTRY_VERSION: &str =
    concat!("github.com/docker/distribution 2.8.3 (Apus ", env!("CARGO_PKG_VERSION"), ")");

/// The arguments. By a link that is named `registry` the command answers to that name, as containers of registry:2 call it. And as
/// they do, it takes a first argument that ends as YAML does for the file to serve.
fn arguments() -> Arguments {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| is_yaml(Path::new(word))) {
        words.insert(1, "serve".into());
    }
    let mut command = Arguments::command();
    if words.first().map(Path::new).and_then(Path::file_name).is_some_and(|name| name == "registry") {
        command = command.name("registry").version(REGISTRY_VERSION);
    }
    Arguments::from_arg_matches(&command.get_matches_from(words)).unwrap_or_else(|error| error.exit())
}

fn is_yaml(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
}

fn main() -> ExitCode {
    if let Err(error) = randomness::check() {
        logging::complain(&error);
        return ExitCode::FAILURE;
    }
    let file = match arguments().command {
        Command::Serve { file } => file,
        Command::GarbageCollect(command) => return garbage_collect::run(&command),
        Command::Config(command) => return config_command::run(&command),
        Command::Import(command) => return import::run(&command),
        Command::Swift(command) => return doctor::run(&command),
    };
    match serve::run(file.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::complain(&error);
            ExitCode::FAILURE
        }
    }
}
