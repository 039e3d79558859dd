//! The `furrow` program: a node, and the command line that speaks to it.
//!
//! **Invariant:** this is the one crate that knows all others and wires them; none knows it.

mod audit;
mod backup;
mod checks;
mod cli;
mod client;
mod command;
mod config;
mod conflict;
mod data_dir;
mod demo;
mod durable;
mod enrolment;
mod failure;
mod harvest;
mod keystore;
mod names;
mod network_file;
mod output;
mod passphrase;
mod recovery;
mod rpc;
mod service;
mod sync;
mod verdict;
mod verification;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::ExitCode;
use std::time::Duration;

/// Tasks are awaited by the commands themselves; this is for blocking work that cannot be stopped.
const LAST_CALL: Duration = Duration::from_secs(1);

/// What many threads allocate and others give back keeps a node with the C library's allocator a quarter larger.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Files that a node likes to have open: up to 4,096 of its store, as many sockets, and some more.
const OPEN_FILES: u64 = 10_240;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    ask_for_files();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("furrow: the system gives no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let global = arguments.global;
    let result = runtime.block_on(arguments.command.run(&global));
    runtime.shutdown_timeout(LAST_CALL);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(global.json);
            failure.code()
        }
    }
}

/// Most systems give a program few files at first, and more where it asks for them.
fn ask_for_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        // With those that it has, a node is only slower.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    }
}
