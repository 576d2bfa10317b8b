//! WebDAV as Apache's mod_dav has it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Daemon, free_port, is_root, need, open_folder, run, write};

/// Whom Debian's Apache runs as, where root starts it.
const USER: &str = "www-data";

/// A WebDAV server with a user and a password. Files lie on the disk: they stay over a restart.
pub struct WebDav {
    daemon: Daemon,
    pub user: &'static str,
    pub password: &'static str,
    state: TempDir,
}

impl WebDav {
    /// Starts a server; needs apache2.
    pub fn start() -> Option<Self> {
        let (apache, _) = (need("apache2")?, need("htpasswd")?);
        let (user, password) = ("folio", "open:sesame");
        let state = open_folder();
        let (folder, port) = (state.path(), free_port());
        run(Command::new("htpasswd").arg("-bcs").arg(folder.join("users")).args([user, password]));
        for name in ["www", "locks"] {
            fs::create_dir(folder.join(name)).unwrap();
            give(&folder.join(name));
        }
        let config = folder.join("apache.conf");
        fs::write(&config, self::config(folder, port)).unwrap();
        let daemon = Daemon::start(port, folder.join("log"), move || {
            let mut command = Command::new(&apache);
            command.args(["-D", "FOREGROUND", "-f"]).arg(&config);
            command
        });
        Some(Self { daemon, user, password, state })
    }

    pub fn port(&self) -> u16 {
        self.daemon.port
    }

    /// The address of the folder, with a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port())
    }

    /// The folder on the disk. It is the server's: write into it by `put`, or the server cannot.
    pub fn folder(&self) -> PathBuf {
        self.state.path().join("www")
    }

    /// Writes a file behind the deployment's back, which the server may change.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        write(&self.folder().join(name), content);
        give(&self.folder());
    }

    /// What the server wrote so far, requests among it.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.daemon.log).unwrap_or_default()
    }

    /// Ends the server; what was published stays.
    pub fn stop(&mut self) {
        self.daemon.stop();
    }

    /// Starts it again on the same port with the same files; requests under way are cut.
    #[track_caller]
    pub fn restart(&mut self) {
        self.daemon.restart();
    }
}

/// Makes a folder and what is in it the server's own.
fn give(folder: &Path) {
    if is_root() {
        run(Command::new("chown").args(["-R", USER]).arg(folder));
    }
}

fn config(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    let modules: String = [
        "mpm_event",
        "authn_core",
        "authn_file",
        "authz_core",
        "authz_user",
        "auth_basic",
        "mime",
        "dir",
        "dav",
        "dav_fs",
    ]
    .map(|m| format!("LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n"))
    .concat();
    let whom = if is_root() { format!("User {USER}\nGroup {USER}\n") } else { String::new() };
    format!(
        "{modules}{whom}ServerName 127.0.0.1\nListen 127.0.0.1:{port}\nServerRoot {folder}\n\
         DefaultRuntimeDir {folder}\nPidFile {folder}/pid\n\
         ErrorLog /proc/self/fd/2\nTypesConfig /etc/mime.types\nDocumentRoot {folder}/www\nDavLockDB {folder}/locks/db\n\
         <Directory {folder}/www>\n  Dav On\n  AllowOverride None\n  AuthType Basic\n  AuthName folio\n  AuthUserFile {folder}/users\n  Require valid-user\n\
         </Directory>\n"
    )
}
