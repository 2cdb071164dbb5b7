//! A Prometheus of our own: a private port, our own rules, gone with the test.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::process::{Child, Command};

const READY_WITHIN: Duration = Duration::from_secs(30);

pub(crate) struct Prometheus {
    url: String,
    http: reqwest::Client,
    begun_s: u64,
    _server: Child,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts it on the product's private listener with the rules of this repository, asking every second.
    pub(crate) async fn scraping(product: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("monitoring/rules/*.yml");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\nscrape_configs:\n\
             - {{job_name: postcall, static_configs: [{{targets: ['{product}'], labels: {{half: serve}}}}]}}\n",
            rules.display()
        );
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let address = crate::stage::free_address();
        let server = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus is installed");
        let http = gateways::http::client(Duration::from_secs(20), gateways::http::Reach::Anywhere).unwrap();
        let begun_s = now_s();
        let prometheus =
            Self { url: format!("http://{address}"), http, begun_s, _server: server, _folder: folder };
        prometheus.until("it has scraped the product", "up == 1").await;
        prometheus
    }

    /// Waits until the last scrape is younger than what happened before this call, rules included.
    pub(crate) async fn has_caught_up(&self) {
        let now = now_s() + 3;
        self.until("it has scraped again", &format!("timestamp(up) > {now}")).await;
    }

    async fn until(&self, what: &str, expr: &str) {
        let deadline = Instant::now() + READY_WITHIN;
        while self.instant(expr).await.map_or(true, |rows| rows.is_empty()) {
            assert!(Instant::now() < deadline, "in vain: {what}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The rows of an answer now.
    pub(crate) async fn instant(&self, expr: &str) -> Result<Vec<Value>, String> {
        self.rows("query", &[("query", expr.to_owned())]).await
    }

    /// The rows of an answer over all the time this Prometheus has seen.
    pub(crate) async fn range(&self, expr: &str) -> Result<Vec<Value>, String> {
        let span =
            [("start", self.begun_s.to_string()), ("end", now_s().to_string()), ("step", "1".to_owned())];
        let values: Vec<(&str, String)> = std::iter::once(("query", expr.to_owned())).chain(span).collect();
        self.rows("query_range", &values).await
    }

    async fn rows(&self, path: &str, values: &[(&str, String)]) -> Result<Vec<Value>, String> {
        let answer = self.get(path, values).await?;
        // A scalar is one row: [time, value].
        match answer["resultType"].as_str() {
            Some("scalar") => Ok(vec![serde_json::json!({"metric": {}, "value": answer["result"]})]),
            _ => Ok(answer["result"].as_array().cloned().unwrap_or_default()),
        }
    }

    /// `data` of an answer of its API.
    pub(crate) async fn get(&self, path: &str, values: &[(&str, String)]) -> Result<Value, String> {
        let asked = self.http.get(format!("{}/api/v1/{path}", self.url)).query(values).send().await;
        let answer: Value = match asked {
            Ok(answer) => answer.json().await.map_err(|error| error.to_string())?,
            Err(error) => return Err(error.to_string()),
        };
        if answer["status"] != "success" {
            return Err(answer["error"].as_str().unwrap_or("no reason given").to_owned());
        }
        Ok(answer["data"].clone())
    }

    /// What the product itself says.
    pub(crate) async fn text_of(&self, product: SocketAddr) -> String {
        let asked = self.http.get(format!("http://{product}/metrics")).send().await.unwrap();
        asked.text().await.unwrap()
    }
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
