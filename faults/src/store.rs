//! Where a product keeps its rows, seen from outside: planted, disturbed and waited on, never believed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};

use crate::machine::Machine;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// One database.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Store {
    pub(crate) async fn fresh(machine: &Machine, kind: Kind) -> Result<Self> {
        match kind {
            Kind::Sqlite => Ok(Self::in_folder(&machine.room()?)),
            Kind::Postgres => Self::on_server(&machine.postgres.url).await,
        }
    }

    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::Sqlite(folder.join("postcall.db"))
    }

    /// A new database on this server.
    pub(crate) async fn on_server(server: &str) -> Result<Self> {
        let name = format!("faults_{:016x}", rand::random::<u64>());
        let mut admin = PgConnection::connect(server).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await?;
        admin.close().await?;
        let base = server.rsplit_once('/').map_or(server, |(base, _)| base);
        Ok(Self::Postgres(format!("{base}/{name}")))
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// The first column of the first row, a whole number.
    pub(crate) async fn number(&self, query: &str) -> Result<i64> {
        let query = AssertSqlSafe(query.to_owned());
        match self {
            Self::Sqlite(path) => {
                let mut connection = sqlite(path).await?;
                let found = sqlx::query_scalar(query).fetch_one(&mut connection).await?;
                connection.close().await?;
                Ok(found)
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await?;
                let found = sqlx::query_scalar(query).fetch_one(&mut connection).await?;
                connection.close().await?;
                Ok(found)
            }
        }
    }

    /// Any statements.
    pub(crate) async fn run(&self, statements: &str) -> Result<()> {
        let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        match self {
            Self::Sqlite(path) => {
                let mut connection = sqlite(path).await?;
                statements.execute(&mut connection).await?;
                connection.close().await?;
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await?;
                statements.execute(&mut connection).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }
}

pub(crate) async fn sqlite(path: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(path);
    Ok(options.busy_timeout(std::time::Duration::from_secs(20)).connect().await?)
}
