#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn name(of: &str) -> BucketName {
    BucketName { kind: "test", of: of.to_owned() }
}

fn slow() -> Pace {
    // One every two minutes, ten at once.
    Pace::per_hour(30).unwrap()
}

fn taken(buckets: &Buckets, of: &str, tries: usize) -> usize {
    (0..tries).filter(|_| buckets.take(name(of), slow()).is_ok()).count()
}

#[test]
fn everybody_has_a_bucket_of_its_own() {
    let buckets = Buckets::default();
    assert_eq!(taken(&buckets, "a", 50), 10);
    assert_eq!(taken(&buckets, "b", 50), 10);
    let wait = buckets.take(name("a"), slow()).unwrap_err();
    assert!(wait > Duration::from_secs(110) && wait <= Duration::from_secs(120), "{wait:?}");
}

#[test]
fn who_has_to_wait_gets_a_place_behind_the_others() {
    let buckets = Buckets::default();
    let pace = Pace::steady_per_minute(60).unwrap();
    buckets.take_in_turn(name("a"), pace).unwrap();
    let waits: Vec<u64> = (0..400)
        .map(|_| buckets.take_in_turn(name("a"), pace).unwrap_err().as_millis().try_into().unwrap())
        .collect();
    assert!((900..=1_000).contains(&waits[0]), "{}", waits[0]);
    assert!((9_800..=10_000).contains(&waits[9]), "{}", waits[9]);
    assert!(waits.iter().all(|wait| *wait <= 301_000), "{waits:?}");
}

#[test]
fn a_pause_holds_everybody_back_and_then_one_at_a_time_goes() {
    let buckets = Buckets::default();
    let pace = Pace::steady_per_minute(6_000).unwrap();
    buckets.take_in_turn(name("a"), pace).unwrap();
    buckets.hold(name("a"), Duration::from_secs(3_600));
    let wait = buckets.take_in_turn(name("a"), pace).unwrap_err();
    assert!(wait > Duration::from_secs(55) && wait <= Duration::from_secs(61), "{wait:?}");
    let next = buckets.take_in_turn(name("a"), pace).unwrap_err();
    assert!(next > wait && next < wait + Duration::from_secs(1), "{next:?}");
}

#[test]
fn a_flood_of_names_fills_no_memory() {
    let buckets = Buckets::default();
    for number in 0..BUCKETS_MAX + 1_000 {
        let _either_way = buckets.take(name(&number.to_string()), slow());
    }
    assert!(buckets.shelf.all().len() <= BUCKETS_MAX + 1);
    assert!(buckets.take(name("somebody new"), slow()).is_err());
    assert!(buckets.take(BucketName { kind: "another", of: "x".to_owned() }, slow()).is_ok());
}

mod shared {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[expect(clippy::disallowed_methods, reason = "a test reads its own environment")]
    fn redis_url() -> Option<String> {
        std::env::var("POSTCALL_TEST_REDIS_URL").ok()
    }

    fn process(url: &str, shutdown: &CancellationToken) -> Buckets {
        Buckets::through(Redis::at(url).unwrap(), shutdown)
    }

    /// Waits until everything was told.
    async fn told(buckets: &Buckets) {
        let begun = Instant::now();
        while buckets.shelf.all().values().any(|bucket| bucket.untold > 0) {
            assert!(begun.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(2 * TELL_EVERY).await;
    }

    #[tokio::test]
    async fn what_one_process_took_the_others_cannot_take_again() {
        let Some(url) = redis_url() else { return };
        let shutdown = CancellationToken::new();
        let whose = format!("{:016x}", rand::random::<u64>());
        let processes: Vec<Buckets> = (0..4).map(|_| process(&url, &shutdown)).collect();
        assert_eq!(taken(&processes[0], &whose, 50), 10);
        told(&processes[0]).await;
        // The first one each is let through before it has heard of the others; not a burst, had it asked one by one.
        for other in &processes[1..] {
            assert_eq!(taken(other, &whose, 1), 1);
            told(other).await;
            assert_eq!(taken(other, &whose, 50), 0);
        }
        // And it is paid back: the first waits for all of them.
        assert_eq!(taken(&processes[0], &whose, 50), 0);
        shutdown.cancel();
    }

    #[tokio::test]
    async fn all_at_once_exceed_the_limit_by_no_more_than_a_burst_each() {
        let Some(url) = redis_url() else { return };
        let shutdown = CancellationToken::new();
        let whose = format!("{:016x}", rand::random::<u64>());
        let processes: Vec<Buckets> = (0..4).map(|_| process(&url, &shutdown)).collect();
        let begun = Instant::now();
        let mut all = 0;
        while begun.elapsed() < Duration::from_secs(1) {
            all += processes.iter().map(|buckets| taken(buckets, &whose, 20)).sum::<usize>();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!((10..=40).contains(&all), "{all}");
        shutdown.cancel();
    }

    #[tokio::test]
    async fn a_pause_is_heard_of_in_other_processes() {
        let Some(url) = redis_url() else { return };
        let shutdown = CancellationToken::new();
        let whose = format!("{:016x}", rand::random::<u64>());
        let (one, other) = (process(&url, &shutdown), process(&url, &shutdown));
        let pace = Pace::steady_per_minute(6_000).unwrap();
        one.take_in_turn(name(&whose), pace).unwrap();
        one.hold(name(&whose), Duration::from_secs(50));
        told(&one).await;
        let _first = other.take_in_turn(name(&whose), pace);
        told(&other).await;
        let wait = other.take_in_turn(name(&whose), pace).unwrap_err();
        assert!(wait > Duration::from_secs(30), "{wait:?}");
        shutdown.cancel();
    }

    #[tokio::test]
    async fn without_redis_each_process_keeps_its_own_and_nobody_waits_for_it() {
        let shutdown = CancellationToken::new();
        let alone = process("redis://127.0.0.1:9", &shutdown);
        let begun = Instant::now();
        assert_eq!(taken(&alone, "a", 50), 10);
        assert!(begun.elapsed() < Duration::from_millis(500));
        tokio::time::sleep(3 * TELL_EVERY).await;
        assert_eq!(taken(&alone, "a", 50), 0);
        shutdown.cancel();
    }
}
