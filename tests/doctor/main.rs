//! `postcall doctor`: each of its findings, on a world that is made ill in one place.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and reads its own environment"
)]

mod patient;

use patient::{Patient, column};
use postcall::doctor::Verdict;

fn as_seen(finding: &postcall::doctor::Finding) -> (Verdict, &str) {
    (finding.verdict, finding.seen.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_installation_has_only_good_findings() {
    let patient = Patient::healthy().await;
    let findings = patient.examined().await;
    let bad: Vec<_> = findings
        .iter()
        // How full this machine's disk is says nothing about the product.
        .filter(|finding| finding.verdict != Verdict::Fine && finding.check != "disk space")
        .collect();
    assert!(bad.is_empty(), "{bad:?}");
    let checks: Vec<&str> = findings.iter().map(|finding| finding.check).collect();
    let expected = [
        "variables",
        "variable names",
        "keys",
        "database",
        "database clock",
        "disk space",
        "schema",
        "writes",
        "durability",
        "link keys",
        "due jobs",
        "leases",
        "dead jobs",
        "unknown sends",
        "stuck messages",
        "redis",
        "stripe",
        "stripe clock",
        "carrier",
        "carrier clock",
        "mail relay",
    ];
    assert_eq!(checks, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exit_code_says_fine_look_or_broken_and_json_is_one_object() {
    let mut patient = Patient::healthy().await;
    let (code, text) = patient.command(&[]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("21 fine, 0 to look at, 0 broken"), "{text}");
    let (code, text) = patient.command(&[("POSTCALL_KEZS", "k1:…")]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("nobody reads POSTCALL_KEZS"), "{text}");
    patient.config.stripe_secret_key = "sk_test_wrong".to_owned();
    let (code, text) = patient.command_with(&["--json"], &[]).await;
    assert_eq!(code, 2, "{text}");
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["verdict"], "broken");
    let stripe =
        told["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "stripe").unwrap();
    assert_eq!(stripe["verdict"], "broken");
    assert!(stripe["advice"].as_str().unwrap().contains("POSTCALL_STRIPE_SECRET_KEY"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_in_files_are_as_good_as_secrets_in_variables() {
    let patient = Patient::healthy().await;
    let (code, text) = patient.command_with_secret_files().await;
    assert_eq!(code, 0, "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_and_misspelt_variables_are_named() {
    let mut patient = Patient::healthy().await;
    patient.config.twilio_account_sid = String::new();
    patient.config.public_url = "https://pay.example.com/".to_owned();
    patient.config.store.keys = Some("k1:c2hvcnQ=".to_owned());
    patient.config.clock_offset_ms = 1;
    patient.variables = vec!["POSTCALL_REDIS".to_owned(), "POSTCALL_KEYS_FILE".to_owned(), "PATH".to_owned()];
    let findings = patient.examined().await;
    let variables = patient::found(&findings, "variables");
    assert_eq!(variables.verdict, Verdict::Broken);
    assert!(
        variables.seen.contains("POSTCALL_PUBLIC_URL")
            && variables.seen.contains("POSTCALL_TWILIO_ACCOUNT_SID")
    );
    assert_eq!(
        as_seen(patient::found(&findings, "variable names")),
        (Verdict::Warning, "nobody reads POSTCALL_REDIS")
    );
    let keys = patient::found(&findings, "keys");
    assert_eq!(keys.verdict, Verdict::Broken);
    assert!(!keys.seen.contains("c2hvcnQ="), "a key is never shown");
    assert_eq!(patient::found(&findings, "time offset").verdict, Verdict::Warning);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_there_is_not_made() {
    let mut patient = Patient::healthy().await;
    let missing = patient.folder.path().join("elsewhere.db");
    patient.config.store.database_url = format!("sqlite://{}", missing.display());
    let findings = patient.examined().await;
    assert_eq!(patient::found(&findings, "database").verdict, Verdict::Broken);
    assert!(!missing.exists());
    patient.config.store.database_url = "postgres://127.0.0.1:9/nobody".to_owned();
    assert_eq!(patient::found(&patient.examined().await, "database").verdict, Verdict::Broken);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_behind_ahead_or_missing_is_told() {
    let mut patient = Patient::healthy().await;
    patient.run("INSERT INTO seaql_migrations (version, applied_at) VALUES ('9999_from_tomorrow', 0)").await;
    let findings = patient.examined().await;
    let schema = patient::found(&findings, "schema");
    assert_eq!(schema.verdict, Verdict::Warning);
    assert!(schema.seen.contains("9999_from_tomorrow"));
    patient.run("DELETE FROM seaql_migrations WHERE version = '0001_merchants'").await;
    let findings = patient.examined().await;
    let schema = patient::found(&findings, "schema");
    assert_eq!(schema.verdict, Verdict::Broken);
    assert!(schema.seen.contains("0001_merchants"));
    let empty = patient.folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    patient.config.store.database_url = format!("sqlite://{}", empty.display());
    let findings = patient.examined().await;
    assert_eq!(as_seen(patient::found(&findings, "schema")), (Verdict::Broken, "there are no tables yet"));
    assert!(findings.iter().all(|finding| finding.check != "due jobs"), "there is no work to look at");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_is_told() {
    let mut patient = Patient::healthy().await;
    patient.config.store.database_url += "?mode=ro";
    assert_eq!(patient::found(&patient.examined().await, "writes").verdict, Verdict::Broken);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_living_link_whose_key_is_gone_is_told() {
    let patient = Patient::healthy().await;
    patient.link().await;
    assert_eq!(patient::found(&patient.examined().await, "link keys").verdict, Verdict::Fine);
    patient.run("UPDATE links SET key_id = 'former'").await;
    let findings = patient.examined().await;
    let keys = patient::found(&findings, "link keys");
    assert!(keys.verdict == Verdict::Broken && keys.seen.ends_with(": former"), "{keys:?}");
    patient.run("UPDATE links SET status = 'expired'").await;
    assert_eq!(patient::found(&patient.examined().await, "link keys").verdict, Verdict::Fine);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_dead_and_orphaned_jobs_are_told() {
    let mut patient = Patient::healthy().await;
    let minutes_ago = |minutes: i64| patient::machine_ms() - minutes * 60_000;
    patient.job("waiting", &[("due_at_ms", column(minutes_ago(-60)))]).await;
    assert_eq!(patient::found(&patient.examined().await, "due jobs").verdict, Verdict::Fine, "it is not due");
    patient.job("waiting", &[("due_at_ms", column(minutes_ago(2)))]).await;
    assert_eq!(patient::found(&patient.examined().await, "due jobs").verdict, Verdict::Warning);
    patient.job("waiting", &[("due_at_ms", column(minutes_ago(20)))]).await;
    patient.job("dead", &[]).await;
    patient.job("leased", &[("lease_until_ms", column(minutes_ago(1)))]).await;
    patient.job("leased", &[("lease_until_ms", column(minutes_ago(-1)))]).await;
    let findings = patient.examined().await;
    assert_eq!(patient::found(&findings, "due jobs").verdict, Verdict::Broken);
    assert_eq!(as_seen(patient::found(&findings, "dead jobs")), (Verdict::Warning, "1 send_link"));
    let leases = patient::found(&findings, "leases");
    assert!(leases.verdict == Verdict::Broken && leases.seen.starts_with("1 jobs"), "{leases:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_that_stay_unknown_and_messages_nobody_works_on_are_told() {
    let patient = Patient::healthy().await;
    patient.message_waiting_for_minutes(20).await;
    let findings = patient.examined().await;
    assert_eq!(patient::found(&findings, "stuck messages").verdict, Verdict::Broken);
    assert_eq!(patient::found(&findings, "unknown sends").verdict, Verdict::Fine);
    patient.attempt_unknown_for_minutes(6).await;
    assert_eq!(patient::found(&patient.examined().await, "unknown sends").verdict, Verdict::Broken);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_away_or_does_not_know_us_is_told() {
    let mut patient = Patient::healthy().await;
    patient.world.stripe().door().shut();
    patient.config.twilio_auth_tokens = "wrong".to_owned();
    patient.config.smtp_url = "smtp://127.0.0.1:9".to_owned();
    patient.config.store.redis_url = Some("redis://:hush@127.0.0.1:9".to_owned());
    let findings = patient.examined().await;
    for check in ["stripe", "carrier", "mail relay"] {
        assert_eq!(patient::found(&findings, check).verdict, Verdict::Broken, "{check}");
    }
    assert!(patient::found(&findings, "carrier").seen.contains("401"));
    let redis = patient::found(&findings, "redis");
    assert_eq!(redis.verdict, Verdict::Warning, "nothing is lost without Redis");
    assert!(!redis.seen.contains("hush"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_whose_date_is_far_from_ours_shows_our_clock_wrong_and_a_5xx_is_its_own_trouble() {
    let mut patient = Patient::healthy().await;
    patient.config.stripe_url = patient::server_from_1999().await;
    let findings = patient.examined().await;
    assert_eq!(patient::found(&findings, "stripe clock").verdict, Verdict::Broken);
    assert_eq!(patient::found(&findings, "stripe").verdict, Verdict::Warning);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_and_redis_are_examined_with_their_clocks() {
    let Some(mut patient) = Patient::on_postgres_and_redis().await else { return };
    let findings = patient.examined().await;
    for check in ["database", "database clock", "schema", "writes", "redis", "redis clock"] {
        assert_eq!(patient::found(&findings, check).verdict, Verdict::Fine, "{check}");
    }
    patient.config.store.database_url += "?options=-c%20synchronous_commit%3Doff";
    let findings = patient.examined().await;
    let durability = patient::found(&findings, "durability");
    assert!(
        durability.verdict == Verdict::Broken && durability.seen.contains("synchronous_commit"),
        "{durability:?}"
    );
}
