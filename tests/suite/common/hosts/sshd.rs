//! sshd, for the user the tests run as, and clients that do or do not get in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Daemon, free_port, is_root, need, run, write};

/// An sshd with sftp and a folder to publish to. Files lie on the disk: they stay over a restart.
pub struct Sshd {
    daemon: Daemon,
    client: SshClient,
    state: TempDir,
}

/// How to reach the server, as `folio-test`: with the config given by `-F`, or with `ssh`, `sftp`
/// and `scp` of a folder that comes first in PATH, since OpenSSH finds `~/.ssh` by the user's name
/// and not by HOME.
#[derive(Clone, Debug)]
pub struct SshClient {
    folder: PathBuf,
}

impl SshClient {
    /// An ssh_config(5) with the host `folio-test`, for `ssh -F`.
    pub fn config(&self) -> PathBuf {
        self.folder.join(".ssh/config")
    }

    /// A PATH whose `ssh`, `sftp` and `scp` know the host `folio-test`.
    pub fn path_env(&self) -> String {
        format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap())
    }

    /// Writes a client into a folder of the state: its config and its programs.
    fn write(state: &Path, name: &str, port: u16, key: &str, known_hosts: &str) -> Self {
        let client = Self { folder: state.join(name) };
        let (key, known) = (state.join(key), client.folder.join(".ssh/known_hosts"));
        write(&known, known_hosts);
        // By the alias a host's key is looked up whatever port the connection goes through.
        let config = format!(
            "Host folio-test\n  HostName 127.0.0.1\n  Port {port}\n  HostKeyAlias folio-test\n  \
             IdentityFile {}\n  IdentitiesOnly yes\n  \
             IdentityAgent none\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  BatchMode yes\n  ConnectTimeout 10\n",
            key.display(),
            known.display(),
        );
        write(&client.config(), config);
        for program in ["ssh", "sftp", "scp"] {
            let path = client.folder.join("bin").join(program);
            write(
                &path,
                format!(
                    "#!/bin/sh\nexec /usr/bin/{program} -F '{}' \"$@\"\n",
                    client.config().display()
                ),
            );
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        client
    }
}

impl Sshd {
    /// Starts a server that lets the user of the tests in by a key made for it; needs
    /// openssh-server.
    pub fn start() -> Option<Self> {
        let (sshd, _, _) = (need("sshd")?, need("ssh-keygen")?, need("ssh")?);
        let state = tempfile::tempdir().unwrap();
        let (folder, port) = (state.path(), free_port());
        for key in ["host", "user", "stranger"] {
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f"])
                .arg(folder.join(key)));
        }
        fs::copy(folder.join("user.pub"), folder.join("authorized_keys")).unwrap();
        fs::create_dir(folder.join("www")).unwrap();
        fs::write(folder.join("sshd_config"), config(folder, port)).unwrap();
        if is_root() {
            // Where nothing has started the service it wants this folder.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let config = folder.join("sshd_config");
        let daemon = Daemon::start(port, folder.join("log"), move || {
            let mut command = Command::new(&sshd);
            command.args(["-D", "-e", "-f"]).arg(&config);
            command
        });
        let client = SshClient::write(folder, "client", port, "user", &known(folder, "host"));
        Some(Self { daemon, client, state })
    }

    pub fn port(&self) -> u16 {
        self.daemon.port
    }

    /// An ssh_config(5) with the host `folio-test`, for `ssh -F`.
    pub fn config(&self) -> PathBuf {
        self.client.config()
    }

    /// A PATH whose `ssh`, `sftp` and `scp` know the host `folio-test`.
    pub fn path_env(&self) -> String {
        self.client.path_env()
    }

    /// An empty folder of the server to publish to. The server shows the whole disk: its path is
    /// the same there.
    pub fn folder(&self) -> PathBuf {
        self.state.path().join("www")
    }

    /// A client that goes through another port, such as a proxy's.
    pub fn through(&self, port: u16) -> SshClient {
        self.variant(&format!("through-{port}"), port, "user", "host")
    }

    /// A client whose key is refused.
    pub fn wrong_key(&self) -> SshClient {
        self.variant("wrong-key", self.port(), "stranger", "host")
    }

    /// A client that has never heard of the host.
    pub fn unknown_host_key(&self) -> SshClient {
        SshClient::write(self.state.path(), "unknown-host", self.port(), "user", "")
    }

    /// A client that knows the host by another key than it shows.
    pub fn changed_host_key(&self) -> SshClient {
        self.variant("changed-host", self.port(), "user", "stranger")
    }

    fn variant(&self, name: &str, port: u16, key: &str, host_key: &str) -> SshClient {
        SshClient::write(self.state.path(), name, port, key, &known(self.state.path(), host_key))
    }

    /// What the server wrote so far, for messages.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.daemon.log).unwrap_or_default()
    }

    /// Ends the server and every session; what was published stays.
    pub fn stop(&mut self) {
        self.daemon.stop();
    }

    /// Starts it again on the same port with the same keys; sessions that ran are cut.
    #[track_caller]
    pub fn restart(&mut self) {
        self.daemon.restart();
    }
}

fn config(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    // Without the limit on logins under way, which refuses some of many at once at random.
    format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n\
         AuthorizedKeysFile {folder}/authorized_keys\nPidFile {folder}/pid\n\
         StrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         MaxStartups 1000\nMaxSessions 1000\nUseDNS no\nPrintMotd no\nSubsystem sftp internal-sftp\n"
    )
}

/// A line of known_hosts with a key's public half.
fn known(state: &Path, key: &str) -> String {
    format!("folio-test {}", fs::read_to_string(state.join(key).with_extension("pub")).unwrap())
}
