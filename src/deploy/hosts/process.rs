//! Runs the programs that deploys need: `git` and `rsync`.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::deploy::error::HostError;
use crate::diag::single_line_without_middle;

/// The result of a program.
#[derive(Debug)]
pub struct ProcessOutput {
    program: String,
    pub code: i32,
    pub stdout: Vec<u8>,
    /// What it wrote to standard error, on one line.
    pub stderr: String,
}

/// The longest part of standard error that is shown, in characters.
const MAX_STDERR: usize = 500;

/// Exit codes after which another attempt may succeed: rsync's for errors in socket I/O, in the
/// protocol and for time-outs (rsync(1), "EXIT VALUES"), and ssh's for a failed connection (ssh(1),
/// "EXIT STATUS").
const TRANSIENT_CODES: [i32; 5] = [10, 12, 30, 35, 255];

/// Runs a program to its end, with `input` on its standard input.
///
/// # Errors
/// When it cannot be started.
pub fn run(command: &mut Command, input: &[u8]) -> Result<ProcessOutput, HostError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed =
        |e: std::io::Error| HostError::other(format!("`{program}` cannot be run")).with_source(e);
    // Nobody can answer a question.
    command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
    if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let stdin = child.stdin.take();
    let input = input.to_vec();
    // The input is written by another thread, since a program may write before it has read it all.
    let writer = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let output = child.wait_with_output().map_err(failed)?;
    let _ = writer.join();
    tracing::debug!(program, code = output.status.code(), "ran a program");
    Ok(ProcessOutput {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: single_line_without_middle(&String::from_utf8_lossy(&output.stderr), MAX_STDERR),
        program,
    })
}

impl ProcessOutput {
    /// The standard output of a program that succeeded.
    ///
    /// # Errors
    /// When it has failed.
    pub fn success(self) -> Result<Vec<u8>, HostError> {
        if self.code == 0 {
            return Ok(self.stdout);
        }
        Err(HostError::Program {
            is_transient: TRANSIENT_CODES.contains(&self.code),
            program: self.program,
            code: self.code,
            stderr: self.stderr,
        })
    }
}
