//! Running a program: its output is shown as it comes, kept for reading, and its time is limited.

use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

pub struct Finished {
    pub ok: bool,
    pub lines: Vec<String>,
}

/// Runs it to its end, or to the limit and not a moment longer.
pub fn run(command: &mut Command, limit: Duration) -> Result<Finished> {
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    command.env("CARGO_TERM_PROGRESS_WHEN", "never");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().with_context(|| format!("{program} could not be started"))?;

    let (sender, receiver) = channel();
    if let Some(stdout) = child.stdout.take() {
        send_lines(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        send_lines(stderr, sender);
    }
    let (lines, in_time) = show_and_keep(&receiver, Instant::now() + limit);
    if !in_time {
        println!("{program} was still running after {} s and was stopped", limit.as_secs());
        child.kill().with_context(|| format!("{program} could not be stopped"))?;
    }
    let status = child.wait().with_context(|| format!("{program} could not be waited for"))?;
    Ok(Finished { ok: in_time && status.success(), lines })
}

/// The lines until both streams end, and whether they ended before the deadline.
fn show_and_keep(receiver: &Receiver<String>, deadline: Instant) -> (Vec<String>, bool) {
    let mut lines = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok(line) => {
                println!("{line}");
                lines.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => return (lines, true),
            Err(RecvTimeoutError::Timeout) => return (lines, false),
        }
    }
}

fn send_lines(stream: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        // Bytes, not `lines()`: one program that prints broken UTF-8 must not silence the rest of its output.
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            if sender.send(line).is_err() {
                return;
            }
            bytes.clear();
        }
    });
}

/// Whether it can be started and says it is well; its output is not shown.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program prints, when it can be started and succeeds.
pub fn printed(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub fn is_root() -> bool {
    printed(Command::new("id").arg("-u")).is_some_and(|id| id == "0")
}

pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// As it would be typed, for the reader of the log.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_kept_and_broken_text_does_not_end_the_reading() {
        let finished =
            run(&mut shell("echo one; printf '\\377\\n'; echo two >&2"), Duration::from_secs(20)).unwrap();
        assert!(finished.ok);
        assert_eq!(finished.lines.len(), 3);
        assert!(finished.lines.contains(&"two".to_owned()));
    }

    #[test]
    fn a_bad_exit_status_is_told() {
        assert!(!run(&mut shell("exit 3"), Duration::from_secs(20)).unwrap().ok);
    }

    #[test]
    fn a_program_that_hangs_is_stopped_at_its_limit() {
        let began = Instant::now();
        let finished = run(&mut shell("echo here; exec sleep 60"), Duration::from_millis(300)).unwrap();
        assert!(!finished.ok);
        assert_eq!(finished.lines, ["here"]);
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_and_not_a_panic() {
        assert!(run(&mut Command::new("there-is-no-such-program"), Duration::from_secs(1)).is_err());
        assert!(on_path("there-is-no-such-program").is_none());
        assert!(on_path("sh").is_some());
    }
}
