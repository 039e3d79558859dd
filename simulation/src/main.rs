//! `simulation --seeds N [--from F]` runs many seeds; `simulation --seed N [--trace]` runs one and shows it.

use simulation::{Soaked, run, soak};
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "usage: simulation --seeds COUNT [--from FIRST] | simulation --seed SEED [--trace]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    if let Some(seed) = number("--seed") {
        return show(seed, arguments.iter().any(|argument| argument == "--trace"));
    }
    if let Some(count) = number("--seeds") {
        return many(number("--from").unwrap_or(0), count);
    }
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn show(seed: u64, printing: bool) -> ExitCode {
    match run(seed, printing, |_| {}) {
        Ok(held) => {
            println!("seed {seed} held: {held:?}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            eprintln!("{violation}");
            ExitCode::FAILURE
        }
    }
}

fn many(first: u64, count: u64) -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let started = Instant::now();
    let soaked = soak(first, count, threads, |soaked, violation| {
        if let Some(violation) = violation {
            eprintln!("{violation}\n");
        }
        let done = soaked.held + soaked.broken;
        if done.is_multiple_of(100) {
            tell(soaked, done, count, started);
        }
    });
    let Soaked { held, broken, steps, crashes, forks, uncounted, compared, entries, .. } = soaked;
    println!(
        "{held} of {} seeds held in {:.0?}: {entries} events, {steps} steps, {crashes} crashes, {forks} forked journals, \
         {uncounted} events that do not count as they were admitted, {compared} questions for pages of state maps",
        held + broken,
        started.elapsed()
    );
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(soaked: &Soaked, done: u64, count: u64, started: Instant) {
    println!("{done} of {count} seeds, {} held, {:.0?}", soaked.held, started.elapsed());
    // Whoever watches a pipe wants to see it now.
    let _ = std::io::stdout().flush();
}
