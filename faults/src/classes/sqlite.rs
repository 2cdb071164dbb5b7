//! SQLite in trouble: another process holds the write lock, the disk is full, the file cannot be written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::Rng;
use sqlx::Connection;
use xtask::process::{is_root, on_path};

use crate::machine::Machine;
use crate::process::run as system;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store, sqlite};
use crate::tally::{RECOVERY_MAX, Tally};
use crate::wishes::Load;

const AS_NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const DISK: &str = "size=48m";

/// A disk of its own that can be filled; where nobody may mount one, that part is left out and named.
struct Disk {
    path: PathBuf,
    mounted: bool,
}

impl Disk {
    async fn make(room: PathBuf) -> Result<Self> {
        let mounted = is_root()
            && on_path("mount").is_some()
            && system("mount", &["-t", "tmpfs", "-o", DISK, "tmpfs", &shown(&room)]).await.is_ok();
        Ok(Self { path: room, mounted })
    }

    /// Takes what room there is left.
    async fn fill(&self) -> Result<()> {
        let ballast = shown(&self.ballast());
        // It fails when the disk is full, which is what is wanted.
        let _full = system("dd", &["if=/dev/zero", &format!("of={ballast}"), "bs=64k", "count=2000"]).await;
        Ok(std::fs::metadata(self.ballast()).map(drop)?)
    }

    fn empty(&self) -> Result<()> {
        std::fs::remove_file(self.ballast()).context("the ballast cannot be thrown out")
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: a process that ends later must not keep it.
            let unmounted = std::process::Command::new("umount").arg("-l").arg(&self.path).status();
            drop(unmounted);
        }
    }
}

pub(crate) async fn run(machine: Arc<Machine>, _kind: Kind) -> Result<Tally> {
    let mut rng = machine.rng("sqlite");
    let rounds = machine.many(3, 25);
    let most = rounds * 400;
    let disk = Disk::make(machine.room()?).await?;
    let store = Store::in_folder(&disk.path);
    let site = Site::open(&machine, "sqlite", Plan { store: Some(store), ..Plan::default() }, most).await?;
    let mut tally = Tally::default();
    let load = Load::start(&site, 0..most, 6, Duration::from_millis(60));
    for _ in 0..rounds {
        busy(&disk.path.join("postcall.db"), Duration::from_millis(rng.random_range(200..3_000))).await?;
        tally.fault("write lock held by another", 1);
        if disk.mounted {
            disk.fill().await?;
            tokio::time::sleep(Duration::from_millis(rng.random_range(200..1_500))).await;
            disk.empty()?;
            tally.fault("disk full", 1);
        }
        read_only(&site, &disk.path, &mut tally).await?;
        site.next_text(RECOVERY_MAX).await;
    }
    // Longer than the product waits for the lock.
    busy(&disk.path.join("postcall.db"), Duration::from_secs(12)).await?;
    tally.fault("write lock held past its time-out", 1);
    if !disk.mounted {
        println!("left out: a full disk (no tmpfs may be mounted here)");
    }
    site.next_text(RECOVERY_MAX).await;
    let wishes = load.stop().await;
    tally.surfaced += site.settle(wishes).await?;
    tally.judged(&site.judge(wishes).await?);
    site.stop().await?;
    Ok(tally)
}

/// Another process has the only right to write.
async fn busy(path: &Path, span: Duration) -> Result<()> {
    let mut other = sqlite(path).await?;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await?;
    tokio::time::sleep(span).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await?;
    other.close().await?;
    Ok(())
}

/// A product that starts on a file it may not write says so and ends, and answers nothing 2xx meanwhile.
async fn read_only(site: &Arc<Site>, folder: &Path, tally: &mut Tally) -> Result<()> {
    site.stop().await?;
    let files: Vec<String> = std::fs::read_dir(folder)?
        .flatten()
        .map(|entry| shown(&entry.path()))
        .filter(|path| path.contains("postcall.db"))
        .collect();
    // As an ordinary user: to root nothing is read-only.
    for file in &files {
        system("chmod", &["0444", file]).await?;
    }
    system("chmod", &["0555", &shown(folder)]).await?;
    let mut refused = site.spawn_in(&AS_NOBODY, "serve", &[])?;
    let ended = refused.ends_within(Duration::from_secs(60)).await?;
    tally.expect(ended.is_some_and(|status| !status.success()), || {
        format!("on a read-only file it ended with {ended:?}")
    });
    refused.kill().await?;
    system("chmod", &["0755", &shown(folder)]).await?;
    for file in &files {
        system("chmod", &["0644", file]).await?;
    }
    tally.fault("read-only file", 1);
    site.start().await
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
