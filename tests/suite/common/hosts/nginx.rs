//! nginx, which shows a published folder as visitors see it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::super::server::Answer;
use super::{Daemon, free_port, is_root, need};

/// An nginx that serves a folder.
pub struct Nginx {
    daemon: Daemon,
    _state: TempDir,
}

impl Nginx {
    /// Serves a folder, `extra` being added to the server's block; needs nginx with gzip_static
    /// (Debian's nginx-light).
    pub fn serve(folder: &Path, extra: &str) -> Option<Self> {
        let nginx = need("nginx")?;
        let state = tempfile::tempdir().unwrap();
        let (port, config, prefix) =
            (free_port(), state.path().join("nginx.conf"), state.path().to_path_buf());
        fs::write(&config, self::config(state.path(), folder, port, extra)).unwrap();
        let daemon = Daemon::start(port, state.path().join("log"), move || {
            let mut command = Command::new(&nginx);
            command.args(["-e", "stderr", "-p"]).arg(&prefix).arg("-c").arg(&config);
            command
        });
        Some(Self { daemon, _state: state })
    }

    pub fn port(&self) -> u16 {
        self.daemon.port
    }

    /// The address of the folder, with a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port())
    }

    /// What a path is answered with: `status`, `header(name)`, `bytes`, `text()`.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.ask(path, &[])
    }

    /// The same with headers of the request, such as `("Accept-Encoding", "gzip")`. Nothing is
    /// unpacked.
    #[track_caller]
    pub fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{headers}\r\n",
            self.port()
        )
        .unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        let end = all.windows(4).position(|w| w == b"\r\n\r\n").expect("the answer has a head") + 4;
        let head = String::from_utf8_lossy(&all[..end]).into_owned();
        let status =
            head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("the answer has a status");
        Answer { status, head, bytes: all[end..].to_vec() }
    }
}

fn config(state: &Path, folder: &Path, port: u16, extra: &str) -> String {
    let (state, folder) = (state.display(), folder.display());
    // The workers of root stay root: a temporary folder is nobody else's to read.
    let user = if is_root() { "user root;" } else { "" };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|t| format!("    {t}_temp_path {state}/{t};\n"))
        .concat();
    format!(
        "{user}\ndaemon off;\npid {state}/pid;\nworker_processes 1;\nevents {{}}\n\
         http {{\n    include /etc/nginx/mime.types;\n    \
         default_type application/octet-stream;\n    access_log off;\n{temporary}    server {{\n        listen 127.0.0.1:{port};\n        \
         root \"{folder}\";\n        index index.html;\n        gzip_static on;\n        \
                {extra}\n    }}\n}}\n"
    )
}
