//! What was taken, told to Redis in one atomic script, and what the others took, heard from it.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script};
use tokio_util::sync::CancellationToken;

use super::{Bucket, BucketName, PAUSE_MAX_US, Shelf, TELL_EVERY};
use crate::Redis;
use crate::redis_server::in_time;

const RECONNECT: Duration = Duration::from_secs(1);
/// Buckets in one script, so that no script holds others up for long.
const TOLD_AT_ONCE: usize = 500;

/// For every bucket (`KEYS`): its interval, how many were taken, for how long it shall rest, and how full it may be at
/// most, in microseconds (`ARGV`, four each). Answers how full each is now. On Redis's own clock, so that no process's
/// matters; that clock stepping back cannot block a bucket for longer than the most it may be full.
const SCRIPT: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = {}
for i, key in ipairs(KEYS) do
  local interval, taken = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local rest, most = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i])
  local empty_at = math.max(tonumber(redis.call('GET', key) or 0), now)
  empty_at = math.max(empty_at + interval * taken, now + rest)
  empty_at = math.min(empty_at, now + most)
  redis.call('SET', key, string.format('%.0f', empty_at), 'PX', math.ceil((empty_at - now) / 1000) + 1000)
  full[i] = empty_at - now
end
return full";

/// What is told of one bucket.
struct News {
    name: BucketName,
    taken: i64,
    hold_us: i64,
    bucket: Bucket,
}

pub(super) async fn tell(redis: Redis, shelf: Arc<Shelf>, shutdown: CancellationToken) {
    let script = Script::new(SCRIPT);
    let mut connection = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = shelf.news.notified() => {}
        }
        tokio::time::sleep(TELL_EVERY).await;
        let mut news = shelf.gather();
        while !news.is_empty() {
            let rest = news.split_off(news.len().min(TOLD_AT_ONCE));
            let told = in_time(exchange(&redis, &mut connection, &script, &news)).await;
            let Ok(full) = told else {
                // Each process keeps its own limits meanwhile. That Redis is away is told by the relay of wake-ups.
                connection = None;
                shelf.untold(news);
                shelf.untold(rest);
                tokio::select! { () = shutdown.cancelled() => return, () = tokio::time::sleep(RECONNECT) => {} }
                break;
            };
            shelf.heard(&news, &full);
            news = rest;
        }
    }
}

async fn exchange(
    redis: &Redis,
    connection: &mut Option<MultiplexedConnection>,
    script: &Script,
    news: &[News],
) -> Result<Vec<i64>, RedisError> {
    let open = match connection {
        Some(open) => open,
        None => connection.insert(redis.connect().await?),
    };
    let mut call = script.prepare_invoke();
    for News { name, taken, hold_us, bucket } in news {
        let tolerance_us = bucket.pace.tolerance_us();
        let most_us = tolerance_us.saturating_mul(4).saturating_add(PAUSE_MAX_US);
        let rest_us = if *hold_us > 0 { hold_us.saturating_add(tolerance_us) } else { 0 };
        call.key(format!("postcall:bucket:{}:{}", name.kind, name.of));
        call.arg(bucket.pace.interval_us()).arg(*taken).arg(rest_us).arg(most_us);
    }
    call.invoke_async(open).await
}

impl Shelf {
    /// What the others do not know yet. Counts as told from here on.
    fn gather(&self) -> Vec<News> {
        let now_us = self.now_us();
        let mut news = Vec::new();
        let mut buckets = self.all();
        buckets.retain(|_, bucket| !bucket.is_empty(now_us));
        for (name, bucket) in buckets.iter_mut() {
            let hold_us = bucket.untold_hold_us.saturating_sub(now_us).max(0);
            if bucket.untold > 0 || hold_us > 0 {
                news.push(News { name: name.clone(), taken: bucket.untold, hold_us, bucket: *bucket });
                (bucket.untold, bucket.untold_hold_us) = (0, 0);
            }
        }
        news
    }

    /// It was told in vain.
    fn untold(&self, news: Vec<News>) {
        let now_us = self.now_us();
        let mut buckets = self.all();
        for News { name, taken, hold_us, bucket } in news {
            let kept = buckets.entry(name).or_insert(Bucket { untold: 0, ..bucket });
            // No more than a bucketful: what nobody could be told of for long is water under the bridge.
            kept.untold = kept.untold.saturating_add(taken).min(4 * kept.pace.burst());
            if hold_us > 0 {
                kept.untold_hold_us = kept.untold_hold_us.max(now_us.saturating_add(hold_us));
            }
        }
        drop(buckets);
        self.news.notify_one();
    }

    /// How full the shared buckets are, with what was just told.
    fn heard(&self, news: &[News], full_us: &[i64]) {
        let now_us = self.now_us();
        let mut buckets = self.all();
        for (News { name, .. }, full_us) in news.iter().zip(full_us) {
            let Some(bucket) = buckets.get_mut(name) else { continue };
            // What was taken here while the answer was on its way comes on top.
            let since_us = bucket.pace.interval_us().saturating_mul(bucket.untold);
            let shared_us = now_us.saturating_add(*full_us).saturating_add(since_us);
            bucket.empty_at_us = bucket.empty_at_us.max(shared_us);
        }
    }
}
