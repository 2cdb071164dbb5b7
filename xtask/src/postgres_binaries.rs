//! Where Debian puts the PostgreSQL server: in a directory per version, not on the path.

use std::path::PathBuf;

use crate::process;

/// The directory with `initdb` and `postgres` of the newest version there is.
pub(crate) fn find() -> Option<PathBuf> {
    newest_of_debian().or_else(|| process::on_path("initdb")?.parent().map(PathBuf::from))
}

fn newest_of_debian() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            let binaries = entry.path().join("bin");
            binaries.join("initdb").is_file().then_some((version, binaries))
        })
        .collect();
    versions.sort();
    versions.pop().map(|(_, binaries)| binaries)
}
