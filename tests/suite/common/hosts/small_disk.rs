//! A disk that is soon full.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::need;

/// A file system of a few megabytes in memory, mounted at a temporary folder while the value lives.
pub struct SmallDisk {
    folder: TempDir,
}

/// Mounts a tmpfs of so many megabytes; only root may, and where it may not the test says so.
pub fn small_disk(mib: u32) -> Option<SmallDisk> {
    need("mount")?;
    let folder = tempfile::tempdir().unwrap();
    let size = format!("size={mib}m,mode=755");
    let output = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
        .arg(folder.path())
        .output()
        .unwrap();
    if !output.status.success() {
        super::super::skip(&format!(
            "no small disk can be mounted: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
        return None;
    }
    Some(SmallDisk { folder })
}

impl SmallDisk {
    /// The disk's root.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: something of a failed test may still be in it.
        let _ =
            Command::new("umount").arg("-l").arg(self.folder.path()).stderr(Stdio::null()).status();
    }
}
