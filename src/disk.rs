//! How much room the disk of the embedded database has, asked when somebody scrapes.

use std::path::{Path, PathBuf};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntGauge, Registry};

struct Disk {
    folder: PathBuf,
    available: IntGauge,
    size: IntGauge,
}

/// Shows the disk that holds this file. A server's disk is its own to show.
///
/// # Errors
/// When the metrics are registered already.
pub(crate) fn watch(file: &Path, registry: &Registry) -> Result<(), prometheus::Error> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let available = "Bytes that may still be written to the disk of the embedded database.";
    let size = "Bytes on the disk of the embedded database, free or not.";
    registry.register(Box::new(Disk {
        folder: folder.to_owned(),
        available: IntGauge::new("postcall_disk_available_bytes", available)?,
        size: IntGauge::new("postcall_disk_size_bytes", size)?,
    }))
}

impl Collector for Disk {
    fn desc(&self) -> Vec<&Desc> {
        [&self.available, &self.size].into_iter().flat_map(Collector::desc).collect()
    }

    /// Nothing where the disk cannot be asked: an old figure would be a wrong one.
    fn collect(&self) -> Vec<MetricFamily> {
        let Ok(disk) = rustix::fs::statvfs(&self.folder) else {
            return Vec::new();
        };
        let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(disk.f_frsize)).unwrap_or(i64::MAX);
        self.available.set(bytes(disk.f_bavail));
        self.size.set(bytes(disk.f_blocks));
        [&self.available, &self.size].into_iter().flat_map(Collector::collect).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_disk_has_less_room_than_size_and_one_that_is_not_there_has_no_figures() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::new();
        watch(&folder.path().join("postcall.db"), &registry).unwrap();
        let values: Vec<f64> =
            registry.gather().iter().map(|family| family.get_metric()[0].get_gauge().get_value()).collect();
        assert!(values[0] > 0.0 && values[0] <= values[1], "{values:?}");
        let nowhere = Registry::new();
        watch(&folder.path().join("no/such/folder/postcall.db"), &nowhere).unwrap();
        assert!(nowhere.gather().is_empty());
    }
}
