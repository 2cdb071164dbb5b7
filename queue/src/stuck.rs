//! What an operator is told about: jobs whose worker is gone, and whether Redis is there.

use std::time::Duration;

use sea_orm::{DbErr, Statement};

use crate::Redis;
use crate::ledger::{Ledger, expired_leases};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

impl Ledger {
    /// How many jobs have a lease that ended more than `over_ms` ago, by the database's clock. A living worker takes
    /// them over at its next poll.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn leases_expired_for(&self, over_ms: i64) -> Result<i64, DbErr> {
        use sea_orm::ConnectionTrait;
        let text = expired_leases(self.backend());
        let statement = Statement::from_sql_and_values(self.backend(), text, [over_ms.into()]);
        let row = self.read.query_one_raw(statement).await?;
        row.map_or(Ok(0), |row| row.try_get("", "jobs"))
    }
}

/// The clock of a Redis, in milliseconds since 1970.
///
/// # Errors
/// In words: the address cannot be read, nobody answers in time, or Redis says no.
pub async fn redis_now_ms(url: &str) -> Result<i64, String> {
    let redis = Redis::at(url).map_err(|error| error.to_string())?;
    let asking = async {
        let mut connection = redis.connect().await?;
        redis::cmd("TIME").query_async::<(i64, i64)>(&mut connection).await
    };
    let (seconds, micros) = tokio::time::timeout(ANSWER_TIMEOUT, asking)
        .await
        .map_err(|_| "it does not answer in time".to_owned())?
        .map_err(|error| error.to_string())?;
    Ok(seconds * 1_000 + micros / 1_000)
}
