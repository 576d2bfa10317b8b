//! Real hosts for `folio deploy`, on loopback, with throw-away state: an S3 server, sshd, Apache's
//! WebDAV, nginx, a bare repository, a small disk, and a proxy that makes any of them fail. Each
//! server ends with its value, and a test whose server is not installed says so.

#![allow(unused_imports, reason = "each test file uses its own part of this")]

mod nginx;
mod proxy;
mod repository;
mod s3;
mod small_disk;
mod sshd;
mod webdav;

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use nginx::Nginx;
pub use proxy::{Failure, Proxy};
pub use repository::Repository;
pub use s3::{Object, S3};
pub use small_disk::{SmallDisk, small_disk};
pub use sshd::{SshClient, Sshd};
pub use webdav::WebDav;

/// A server's process: how it is started, where it answers, what it wrote.
struct Daemon {
    command: Box<dyn Fn() -> Command + Send + Sync>,
    port: u16,
    log: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    /// Starts a server and waits until its port answers.
    #[track_caller]
    fn start(
        port: u16,
        log: PathBuf,
        command: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Self {
        let mut daemon = Self { command: Box::new(command), port, log, child: None };
        daemon.restart();
        daemon
    }

    /// Ends the server if it runs, and starts it on its port.
    #[track_caller]
    fn restart(&mut self) {
        self.stop();
        let log = fs::File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = (self.command)();
        // A group of its own, so that its workers can be ended with it.
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = self.child.insert(command.spawn().unwrap());
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = child.try_wait().unwrap();
            let said = || fs::read_to_string(&self.log).unwrap_or_default();
            assert!(
                ended.is_none(),
                "{} ended: {ended:?}\n{}",
                command.get_program().display(),
                said()
            );
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{} does not answer\n{}",
                command.get_program().display(),
                said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the server at once, with everything it started: what is under way is cut off.
    fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let pid = child.id();
        // It must not start another one while the list is made. sshd's sessions are in no group of
        // ours.
        signal("-STOP", &[pid.to_string()]);
        let mut all: Vec<String> = descendants(pid).iter().map(u32::to_string).collect();
        all.extend([pid.to_string(), format!("-{pid}")]);
        signal("-KILL", &all);
        let _ = child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

fn signal(signal: &str, to: &[String]) {
    // Some may have ended by themselves.
    let _ = Command::new("kill").args([signal, "--"]).args(to).stderr(Stdio::null()).status();
}

/// The processes that a process started, and those that they started.
fn descendants(pid: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let Some(child) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // `pid (name) state parent …`, and a name may have anything in it.
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        children.entry(parent.unwrap_or(0)).or_default().push(child);
    }
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        let more = children.remove(parent).unwrap_or_default();
        found.extend(more);
        next += 1;
    }
    found.split_off(1)
}

/// A port that nobody listens on. It lies below those that the system gives out by itself, so that
/// it is still free after a server was stopped.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number =
            std::process::id().wrapping_mul(61).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + u16::try_from(number % 12_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Where a program is, looked for in the folders of PATH and those of system programs.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|f| f.join(program)).find(|p| p.is_file())
}

/// Where a program is; where it is not installed the test says so.
fn need(program: &str) -> Option<PathBuf> {
    let found = find(program);
    if found.is_none() {
        super::skip_without(program);
    }
    found
}

/// A folder that a server's own user can get into.
fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Runs a command that must go well, and returns what it printed.
#[track_caller]
fn run(command: &mut Command) -> Vec<u8> {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {status}\n{}", String::from_utf8_lossy(&stderr));
    stdout
}

/// Writes a file and the folders on the way to it.
fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
