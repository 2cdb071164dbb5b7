//! The classes of faults, each on the stores where it makes sense.

mod backlog;
mod callbacks;
mod carrier;
mod clocks;
mod cuts;
mod descriptors;
mod doubles;
mod drains;
mod kills;
mod poison;
mod postgres;
mod redis;
mod restarts;
mod soak;
mod sqlite;
mod steps;
mod stops;
mod wires;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::Result;

use crate::machine::Machine;
use crate::store::Kind;
use crate::tally::Tally;

pub(crate) type Run = Pin<Box<dyn Future<Output = Result<Tally>> + Send>>;

pub(crate) struct Class {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) kinds: &'static [Kind],
    pub(crate) run: fn(Arc<Machine>, Kind) -> Run,
}

pub(crate) const ALL: &[Class] = &[
    Class {
        name: "kills",
        about: "SIGKILL at random moments, under load",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(kills::run(machine, kind)),
    },
    Class {
        name: "steps",
        about: "death at every named step between an event and its text",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(steps::run(machine, kind)),
    },
    Class {
        name: "stops",
        about: "SIGSTOP past the lease, others go on, SIGCONT",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(stops::run(machine, kind)),
    },
    Class {
        name: "drains",
        about: "SIGTERM with a hundred sends in flight",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(drains::run(machine, kind)),
    },
    Class {
        name: "cuts",
        about: "the exchange with the carrier cut or bent at every byte",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(cuts::run(machine, kind)),
    },
    Class {
        name: "callbacks",
        about: "the carrier's reports early, late, again, in reverse, forged",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(callbacks::run(machine, kind)),
    },
    Class {
        name: "carrier",
        about: "time-outs, errors after acceptance, torn answers, every shape of Retry-After",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(carrier::run(machine, kind)),
    },
    Class {
        name: "doubles",
        about: "every call reported again and again, at once, later, and about a kill",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(doubles::run(machine, kind)),
    },
    Class {
        name: "restarts",
        about: "PostgreSQL stopped hard and started again",
        kinds: &[Kind::Postgres],
        run: |machine, kind| Box::pin(restarts::run(machine, kind)),
    },
    Class {
        name: "postgres",
        about: "wires to PostgreSQL cut, back ends terminated, deadlocks, serialization failures, tables locked",
        kinds: &[Kind::Postgres],
        run: |machine, kind| Box::pin(postgres::run(machine, kind)),
    },
    Class {
        name: "sqlite",
        about: "the write lock held by another process, a full disk, a read-only file",
        kinds: &[Kind::Sqlite],
        run: |machine, kind| Box::pin(sqlite::run(machine, kind)),
    },
    Class {
        name: "redis",
        about: "Redis flushed, killed, full, frozen, absent",
        kinds: &[Kind::Postgres],
        run: |machine, kind| Box::pin(redis::run(machine, kind)),
    },
    Class {
        name: "clocks",
        about: "hosts an hour off, clocks stepped by an hour",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(clocks::run(machine, kind)),
    },
    Class {
        name: "poison",
        about: "events and jobs that nobody can work on",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(poison::run(machine, kind)),
    },
    Class {
        name: "descriptors",
        about: "processes that may open hardly any file",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(descriptors::run(machine, kind)),
    },
    Class {
        name: "wires",
        about: "the exchanges with the mail relay and with Stripe cut at every byte",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(wires::run(machine, kind)),
    },
    Class {
        name: "backlog",
        about: "calls that waited for workers, and a mountain of work in another lane",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(backlog::run(machine, kind)),
    },
    Class {
        name: "soak",
        about: "minutes of random faults under load",
        kinds: &Kind::BOTH,
        run: |machine, kind| Box::pin(soak::run(machine, kind)),
    },
];
