//! The command. This is the only place that joins the rooms: it reads the configuration, opens the storage that it names,
//! puts a registry over it and serves it.

mod backend;
mod doctor;
mod logging;
mod options;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A container registry that keeps its images in OpenStack Swift.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a registry until SIGTERM or Ctrl-C; without a file on 127.0.0.1:5000, with its images in ./apus-data.
    Serve {
        /// A configuration file in the form of registry:2.
        file: Option<PathBuf>,
    },
    /// Look after the OpenStack Swift in which a registry keeps its images.
    #[command(subcommand)]
    Swift(doctor::SwiftCommand),
}

fn main() -> ExitCode {
    let file = match Arguments::parse().command {
        Command::Serve { file } => file,
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
