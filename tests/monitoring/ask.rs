//! Every query of the dashboards and the rules, asked.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::prometheus::Prometheus;

/// What Grafana would put in its place at a scrape interval of one second: four scrapes, and some more for a busy machine.
const RATE_INTERVAL: &str = "15s";

fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("monitoring")
}

/// What every panel would show, and a sentence for each that would show nothing.
pub(crate) async fn dashboards(prometheus: &Prometheus) -> (Value, Vec<String>) {
    let mut figures = json!({});
    let mut faults = Vec::new();
    let folder = std::fs::read_dir(monitoring().join("grafana/dashboards")).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let dashboard: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let mut shown = Vec::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let expr = target["expr"].as_str().unwrap().replace("$__rate_interval", RATE_INTERVAL);
                let instant = target["instant"] == true;
                let rows =
                    if instant { prometheus.instant(&expr).await } else { prometheus.range(&expr).await };
                let name = format!("{}: {}", dashboard["title"], panel["title"]);
                match &rows {
                    Ok(rows) if rows.iter().any(has_a_number) => {}
                    Ok(_) => faults.push(format!("{name} shows nothing: {expr}")),
                    Err(error) => faults.push(format!("{name} cannot be asked: {error}: {expr}")),
                }
                shown.push(json!({
                    "panel": panel["id"], "ref": target["refId"], "legend": target["legendFormat"], "rows": rows.unwrap_or_default(),
                }));
            }
        }
        assert!(shown.len() >= 10, "{} has {} queries", file.display(), shown.len());
        figures[dashboard["uid"].as_str().unwrap()] = shown.into();
    }
    (figures, faults)
}

fn has_a_number(row: &Value) -> bool {
    let is_number = |sample: &Value| sample[1].as_str().is_some_and(|text| text != "NaN");
    is_number(&row["value"]) || row["values"].as_array().into_iter().flatten().any(is_number)
}

/// A sentence for each rule that cannot be evaluated, records nothing, or looks at a series that is not there.
pub(crate) async fn rules(prometheus: &Prometheus) -> Vec<String> {
    let mut faults = Vec::new();
    let answer = prometheus.get("rules", &[]).await.unwrap();
    let groups = answer["groups"].as_array().unwrap();
    let rules: Vec<&Value> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() > 60, "{} rules were read", rules.len());
    for rule in rules {
        let (name, expr) = (rule["name"].as_str().unwrap(), rule["query"].as_str().unwrap());
        if rule["health"] != "ok" {
            faults.push(format!("{name} is not well: {}", rule["lastError"]));
        }
        if rule["type"] == "recording" && !answers(prometheus, name).await {
            faults.push(format!("{name} records nothing: {expr}"));
        }
        // An alert that is silent answers nothing, which is well; but everything it looks at must be there.
        for selector in selectors(expr) {
            if !answers(prometheus, &selector).await {
                faults.push(format!("{name} looks at {selector}, and that is nowhere"));
            }
        }
        if name == "Watchdog" && rule["state"] != "firing" {
            faults.push("the watchdog does not bark".to_owned());
        }
    }
    faults
}

async fn answers(prometheus: &Prometheus, expr: &str) -> bool {
    prometheus.instant(expr).await.is_ok_and(|rows| rows.iter().any(has_a_number))
}

/// The series that an expression looks at: every name of ours with the labels behind it.
fn selectors(expr: &str) -> Vec<String> {
    const BEGINNINGS: [&str; 3] = ["postcall", "process_", "up{"];
    let is_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == ':';
    let mut found = Vec::new();
    let mut rest = expr;
    while let Some(begin) = rest.find(|sign: char| sign.is_ascii_alphabetic()) {
        let word = &rest[begin..];
        let end = word.find(|sign: char| !is_name(sign)).unwrap_or(word.len());
        let labels_end = word[end..].starts_with('{').then(|| word[end..].find('}')).flatten();
        let whole = labels_end.map_or(end, |labels| end + labels + 1);
        if BEGINNINGS.iter().any(|beginning| word.starts_with(beginning)) {
            found.push(word[..whole].to_owned());
        }
        // What stands between quotes is no series.
        rest = &word[whole..];
    }
    found
}

#[test]
fn the_series_of_an_expression_are_found_with_their_labels() {
    let expr = r#"sum by (kind) (rate(postcall_jobs_total{outcome="done",kind=~"a|b"}[5m])) / postcall:x:ratio_rate5m > 0 and up{job="postcall"} == 0"#;
    assert_eq!(
        selectors(expr),
        [
            r#"postcall_jobs_total{outcome="done",kind=~"a|b"}"#,
            "postcall:x:ratio_rate5m",
            r#"up{job="postcall"}"#
        ]
    );
}
