//! A PgBouncer of the test's own, in transaction mode, in front of the PostgreSQL of the tests. It has fewer server
//! connections than the product has, so that no two statements outside of a transaction can count on the same one.

use std::path::PathBuf;
use std::process::Stdio;
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use tokio::process::{Child, Command};

pub(crate) struct Pooler {
    pub(crate) url: String,
    _process: Child,
    _folder: tempfile::TempDir,
}

fn program() -> PathBuf {
    let debian = PathBuf::from("/usr/sbin/pgbouncer");
    if debian.exists() { debian } else { PathBuf::from("pgbouncer") }
}

fn rules(server: &PgConnectOptions, port: u16) -> String {
    format!(
        "[databases]\n* = host={} port={} user={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 5\nmax_client_conn = 200\n\
         server_reset_query = DEALLOCATE ALL\nserver_reset_query_always = 1\n",
        server.get_host(),
        server.get_port(),
        server.get_username(),
    )
}

impl Pooler {
    /// In front of this database, whose limits it sets first.
    pub(crate) async fn before(database_url: &str, port: u16) -> Self {
        let server = PgConnectOptions::from_str(database_url).unwrap();
        let database = server.get_database().unwrap().to_owned();
        let direct = sqlx::PgPool::connect(database_url).await.unwrap();
        for (name, value) in [
            ("idle_in_transaction_session_timeout", "15s"),
            ("lock_timeout", "10s"),
            ("statement_timeout", "60s"),
        ] {
            let text = format!("ALTER DATABASE {database} SET {name} = '{value}'");
            sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&direct).await.unwrap();
        }
        direct.close().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, rules(&server, port)).unwrap();
        let mut command = Command::new(program());
        // It refuses to run as root; then it takes the user of Debian's PostgreSQL.
        if std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0) {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
            command.args(["-u", "postgres"]);
        }
        command
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut process =
            command.spawn().expect("PgBouncer is installed where POSTCALL_TEST_POSTGRES_URL is set");
        let deadline = Instant::now() + Duration::from_secs(20);
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(
                Instant::now() < deadline && process.try_wait().unwrap().is_none(),
                "PgBouncer did not start"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let url = format!("postgres://{}@127.0.0.1:{port}/{database}?pgbouncer=true", server.get_username());
        Self { url, _process: process, _folder: folder }
    }
}
