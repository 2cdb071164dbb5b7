//! Where Redis is: one server, or the master that sentinels name at this moment. Nothing here promises anything: what
//! asks for a connection lives without one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus::IntGauge;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, IntoConnectionInfo, RedisError, TlsMode};

/// Whoever takes longer to answer is treated as away.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum RedisAddressError {
    #[error("the Redis address cannot be read: {0}")]
    Unreadable(#[from] RedisError),
    #[error("the Redis address names no service: redis+sentinel://host:26379,host:26379/service")]
    NoService,
    #[error("the gauge of the Redis connection cannot be made: {0}")]
    Gauge(#[from] prometheus::Error),
}

/// The way to Redis. Clones share what is known of it.
#[derive(Clone)]
pub struct Redis {
    place: Arc<Place>,
    connected: IntGauge,
}

enum Place {
    Server(Client),
    Sentinels { nodes: Vec<ConnectionInfo>, service: String, server: SentinelNodeConnectionInfo },
}

impl fmt::Debug for Redis {
    /// Addresses carry passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("connected", &self.is_connected()).finish_non_exhaustive()
    }
}

impl Redis {
    /// `redis://user:password@host:6379/0`, or `redis+sentinel://user:password@host:26379,host:26379/service` with the
    /// sentinels' hosts and the credentials of the servers they watch; `rediss` for TLS to all of them. Nobody is asked yet.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn at(url: &str) -> Result<Self, RedisAddressError> {
        let place = match url.split_once("+sentinel://") {
            Some((scheme, rest)) => sentinels(scheme, rest)?,
            None => Place::Server(Client::open(url)?),
        };
        let help = "1 while wake-ups and live updates go through Redis, 0 while other processes' work is found by a poll.";
        let connected = IntGauge::new("postcall_redis_connected", help)?;
        Ok(Self { place: Arc::new(place), connected })
    }

    /// Shows the state of the connection as `postcall_redis_connected`.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(&self, registry: &prometheus::Registry) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.connected.clone()))
    }

    /// Whether wake-ups go through it right now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected.get() == 1
    }

    pub(crate) fn set_connected(&self, connected: bool) {
        self.connected.set(i64::from(connected));
    }

    /// A connection for commands.
    pub(crate) async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        Self::connect_to(&self.client().await?).await
    }

    /// A connection for commands and one for listening, to the same server.
    pub(crate) async fn connect_both(&self) -> Result<(MultiplexedConnection, PubSub), RedisError> {
        let client = self.client().await?;
        let listening = in_time(client.get_async_pubsub()).await?;
        Ok((Self::connect_to(&client).await?, listening))
    }

    async fn connect_to(client: &Client) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        in_time(client.get_multiplexed_async_connection_with_config(&config)).await
    }

    /// The server as it is now: sentinels are asked anew each time, one after the other, until one names a master.
    async fn client(&self) -> Result<Client, RedisError> {
        let (nodes, service, server) = match self.place.as_ref() {
            Place::Server(client) => return Ok(client.clone()),
            Place::Sentinels { nodes, service, server } => (nodes, service, server),
        };
        let mut last = None;
        for node in nodes {
            let mut sentinel = Sentinel::build(vec![node.clone()])?;
            match in_time(sentinel.async_master_for(service, Some(server))).await {
                Ok(master) => return Ok(master),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(late))
    }
}

pub(crate) async fn in_time<T>(asked: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisError> {
    tokio::time::timeout(ANSWER_TIMEOUT, asked).await.unwrap_or_else(|_| Err(late()))
}

fn late() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

/// `user:password@host:port,host:port/service/db`. Each piece is read by the client's own reader of addresses.
fn sentinels(scheme: &str, rest: &str) -> Result<Place, RedisAddressError> {
    let (credentials, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (service, db) = path.split_once('/').unwrap_or((path, ""));
    if service.is_empty() {
        return Err(RedisAddressError::NoService);
    }
    let read = |address: String| address.into_connection_info();
    let nodes: Result<Vec<ConnectionInfo>, RedisError> =
        hosts.split(',').map(|host| read(format!("{scheme}://{}", host.trim()))).collect();
    let server = read(format!("{scheme}://{credentials}@server/{db}"))?;
    let mut info =
        SentinelNodeConnectionInfo::default().set_redis_connection_info(server.redis_settings().clone());
    if scheme == "rediss" {
        info = info.set_tls_mode(TlsMode::Secure);
    }
    Ok(Place::Sentinels { nodes: nodes?, service: service.to_owned(), server: info })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_nonsense_is_refused() {
        for good in [
            "redis://127.0.0.1:6379/2",
            "rediss://user:p%40ss@cache.example",
            "redis+sentinel://one:26379,two:26379/orders",
            "redis+sentinel://user:p%40ss@one,two:26380/orders/3",
            "rediss+sentinel://one/orders",
        ] {
            assert!(Redis::at(good).is_ok(), "{good}");
        }
        for bad in
            ["", "cache:6379", "redis+sentinel://one:26379", "redis+sentinel://one:port/orders", "http://x"]
        {
            assert!(Redis::at(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_sentinels_and_their_servers_have_credentials_of_their_own() {
        let Place::Sentinels { nodes, service, server } =
            sentinels("redis", "user:p%40ss@one,two:26380/orders/3").unwrap()
        else {
            panic!("these are sentinels")
        };
        assert_eq!(service, "orders");
        let addresses: Vec<String> = nodes.iter().map(|node| node.addr().to_string()).collect();
        assert_eq!(addresses, ["one:6379", "two:26380"]);
        assert!(nodes.iter().all(|node| node.redis_settings().password().is_none()));
        let shown = format!("{server:?}");
        assert!(shown.contains("user") && shown.contains('3'), "{shown}");
    }

    #[test]
    fn a_password_is_not_shown() {
        let redis = Redis::at("redis://user:hunter2@127.0.0.1/").unwrap();
        assert!(!format!("{redis:?}").contains("hunter2"));
    }
}
