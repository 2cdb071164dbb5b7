//! `cargo xtask`: every command anyone types to check this repository.
//! It must never touch a service, a database or a process that it did not start.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks to its user")]

mod bench;
mod counts;
mod crate_rules;
mod demo;
mod faults;
mod lint;
mod report;
mod sbom;
mod statements;
mod step;
mod supply;
mod test;
#[cfg(test)]
mod threat_model;

use std::process::ExitCode;

use anyhow::Result;
use xtask::services;

struct Subcommand {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<ExitCode>,
}

const SUBCOMMANDS: [Subcommand; 7] = [
    Subcommand {
        name: "test",
        usage: "test [--fast] [name…]",
        about: "install what is missing, then check everything; --fast leaves out PostgreSQL, Redis and the \
                browser; a name is one of the steps, or else a filter on the names of Rust tests",
        run: test::run,
    },
    Subcommand {
        name: "lint",
        usage: "lint",
        about: "formatting, clippy with warnings denied, who may depend on whom",
        run: lint::run,
    },
    Subcommand {
        name: "bench",
        usage: "bench",
        about: "build the release binary and measure it: time from an accepted event to the carrier when idle, events/s \
                of ingest and of a drain of 20,000, statements per event",
        run: bench::run,
    },
    Subcommand {
        name: "faults",
        usage: "faults [--seed N] [--short] [--minutes N] [--store sqlite|postgres] [class…] | --sabotage",
        about: "build, then hurt the product in every way we know and let the outside world judge; --short takes minutes, \
                the whole an hour; --sabotage checks that builds without a protection fail",
        run: faults::run,
    },
    Subcommand {
        name: "sbom",
        usage: "sbom [path]",
        about: "write what is inside the binary as CycloneDX 1.6, to target/postcall.cdx.json or to the path",
        run: sbom::run,
    },
    Subcommand {
        name: "services",
        usage: "services",
        about: "start a private PostgreSQL and Redis, print the variables that the tests read, stop on Enter or \
                Ctrl-C",
        run: services::run,
    },
    Subcommand {
        name: "statements",
        usage: "statements",
        about: "play the pipeline stories on both stores and record every statement in migration/recorded, for the test \
                that the next release's schema still answers them",
        run: statements::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        help();
        return ExitCode::FAILURE;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        help();
        return ExitCode::SUCCESS;
    }
    let Some(subcommand) = SUBCOMMANDS.iter().find(|subcommand| subcommand.name == name) else {
        eprintln!("there is no command {name:?}\n");
        help();
        return ExitCode::FAILURE;
    };
    match (subcommand.run)(rest) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn help() {
    println!("cargo xtask <command>\n");
    for subcommand in &SUBCOMMANDS {
        println!("  {}\n      {}\n", subcommand.usage, subcommand.about);
    }
    println!("steps of `test`, in their order: {}", step::NAMES.join(", "));
}
