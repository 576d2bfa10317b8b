//! Other programs that deploys are done with: `git`, `rsync`.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::deploy::failure::{Failure, FailureKind};

/// What a program came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: Vec<u8>,
    /// On one line.
    pub words: String,
}

/// Runs a program to its end, with this on its standard input.
///
/// # Errors
/// When it cannot be started.
pub fn run(command: &mut Command, input: &[u8]) -> Result<Ran, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |e: &std::io::Error| Failure::new(FailureKind::Other, format!("`{name}` cannot be run: {}", crate::load::reason(e)));
    // Messages are read here, and nobody is there to answer a question.
    command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
    if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| failed(&e))?;
    let stdin = child.stdin.take();
    let input = input.to_vec();
    // In a thread of its own: a program may answer before it has read everything.
    let writer = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let output = child.wait_with_output().map_err(|e| failed(&e))?;
    let _ = writer.join();
    Ok(Ran { code: output.status.code().unwrap_or(-1), stdout: output.stdout, words: on_one_line(&String::from_utf8_lossy(&output.stderr)) })
}

fn on_one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let line: String = lines.collect::<Vec<_>>().join("; ").chars().filter(|c| !c.is_control()).collect();
    line.chars().take(500).collect()
}

/// What kind of failure a program tells of.
#[must_use]
pub fn ssh_kind(words: &str) -> FailureKind {
    let lower = words.to_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|text| lower.contains(text));
    if has(&["permission denied", "host key verification failed", "authentication failed", "could not read username", "access denied", "publickey"]) {
        FailureKind::Denied
    } else if has(&["no space left", "quota exceeded", "disk full"]) {
        FailureKind::Full
    } else if has(&[
        "could not resolve",
        "name or service not known",
        "does not appear to be a git repository",
        "not found",
        "does not exist",
        "no such file",
    ]) {
        FailureKind::Missing
    } else if has(&["connection refused", "connection reset", "timed out", "connection closed", "broken pipe", "unreachable", "early eof", "hung up"])
    {
        FailureKind::Passing
    } else {
        FailureKind::Other
    }
}

impl Ran {
    /// What the program put out.
    ///
    /// # Errors
    /// When it says that it failed.
    pub fn well(self, what: &str) -> Result<Vec<u8>, Failure> {
        if self.code == 0 {
            return Ok(self.stdout);
        }
        let words = if self.words.is_empty() { format!("it ended with {}", self.code) } else { self.words };
        Err(Failure::new(ssh_kind(&words), format!("{what}: {words}")))
    }
}
