//! A TCP proxy that breaks what passes through it: cut or bent at a chosen byte of an exchange, or silent. It knows no
//! protocol, only turns: an exchange begins when the caller speaks after the other side had the word.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Longer than anybody waits for an answer.
const SILENCE: Duration = Duration::from_secs(12);

/// What happens to one exchange; the number is the byte it happens at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    Nothing,
    /// The request ends here; the rest never arrives.
    CutRequest(usize),
    /// The answer ends here.
    CutAnswer(usize),
    /// One bit of the answer is turned.
    BendAnswer(usize),
    /// The answer stops here and the line stays open.
    SilentAnswer(usize),
}

/// Chooses the harm of each exchange, and learns of what was done.
pub(crate) trait Script: Send + 'static {
    fn next(&mut self) -> Harm;
    /// An exchange ended after so many bytes of request and answer; what was chosen for it and did not come about.
    fn passed(&mut self, request: usize, answer: usize, unused: Harm);
    fn done(&mut self, harm: Harm);
}

/// A proxy in front of one address.
pub(crate) struct Proxy<S> {
    pub(crate) address: SocketAddr,
    script: Arc<Mutex<S>>,
    task: JoinHandle<()>,
}

impl<S> Drop for Proxy<S> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<S: Script> Proxy<S> {
    pub(crate) async fn start(target: &str, script: S) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let script = Arc::new(Mutex::new(script));
        let target = target.to_owned();
        let shared = Arc::clone(&script);
        let task = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(carry(caller, target.clone(), Arc::clone(&shared)));
            }
        });
        Ok(Self { address, script, task })
    }

    pub(crate) fn script<R>(&self, look: impl FnOnce(&mut S) -> R) -> R {
        look(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One exchange so far.
struct Turn {
    harm: Harm,
    request: usize,
    answer: usize,
}

async fn carry<S: Script>(caller: TcpStream, target: String, script: Arc<Mutex<S>>) {
    let Ok(server) = TcpStream::connect(&target).await else { return };
    let _ = (caller.set_nodelay(true), server.set_nodelay(true));
    let mut line = Line { caller, server, script, turn: None };
    // A line that breaks is what this is for.
    let _ = line.talk().await;
    line.pass();
}

struct Line<S> {
    caller: TcpStream,
    server: TcpStream,
    script: Arc<Mutex<S>>,
    turn: Option<Turn>,
}

impl<S: Script> Line<S> {
    async fn talk(&mut self) -> std::io::Result<()> {
        let (mut out, mut back) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
        loop {
            let goes_on = tokio::select! {
                read = self.caller.read(&mut out) => { let count = read?; self.said(&out[..count]).await? }
                read = self.server.read(&mut back) => { let count = read?; self.answered(&mut back, count).await? }
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// The caller speaks. Whether the line goes on.
    async fn said(&mut self, bytes: &[u8]) -> std::io::Result<bool> {
        if bytes.is_empty() {
            return Ok(false);
        }
        if self.turn.as_ref().is_none_or(|turn| turn.answer > 0) {
            self.pass();
            let harm = self.script(S::next);
            self.turn = Some(Turn { harm, request: 0, answer: 0 });
        }
        let Some(turn) = &mut self.turn else { return Ok(false) };
        let before = turn.request;
        turn.request += bytes.len();
        if let Harm::CutRequest(at) = turn.harm
            && turn.request > at
        {
            self.server.write_all(&bytes[..at.saturating_sub(before)]).await?;
            self.cut(at);
            return Ok(false);
        }
        self.server.write_all(bytes).await?;
        Ok(true)
    }

    /// The other side speaks.
    async fn answered(&mut self, bytes: &mut [u8], count: usize) -> std::io::Result<bool> {
        if count == 0 {
            return Ok(false);
        }
        let Some(turn) = &mut self.turn else {
            self.caller.write_all(&bytes[..count]).await?;
            return Ok(true);
        };
        let before = turn.answer;
        turn.answer += count;
        let reaches = |at: usize| (before..before + count).contains(&at);
        match turn.harm {
            Harm::CutAnswer(at) if reaches(at) => {
                self.caller.write_all(&bytes[..at - before]).await?;
                self.cut(at);
                Ok(false)
            }
            Harm::SilentAnswer(at) if reaches(at) => {
                self.caller.write_all(&bytes[..at - before]).await?;
                self.harmed();
                let mut ignored = [0; 64];
                let _ = tokio::time::timeout(SILENCE, self.caller.read(&mut ignored)).await;
                Ok(false)
            }
            Harm::BendAnswer(at) if reaches(at) => {
                bytes[at - before] ^= 1;
                self.harmed();
                self.caller.write_all(&bytes[..count]).await?;
                Ok(true)
            }
            Harm::Nothing
            | Harm::CutRequest(_)
            | Harm::CutAnswer(_)
            | Harm::SilentAnswer(_)
            | Harm::BendAnswer(_) => {
                self.caller.write_all(&bytes[..count]).await?;
                Ok(true)
            }
        }
    }

    /// Every second cut is a reset, the others an orderly end.
    fn cut(&mut self, at: usize) {
        if at.is_multiple_of(2) {
            let _ = (self.caller.set_zero_linger(), self.server.set_zero_linger());
        }
        self.harmed();
    }

    fn harmed(&mut self) {
        if let Some(turn) = &mut self.turn {
            let harm = std::mem::replace(&mut turn.harm, Harm::Nothing);
            self.script(|script| script.done(harm));
        }
    }

    /// The exchange is over.
    fn pass(&mut self) {
        if let Some(turn) = self.turn.take() {
            self.script(|script| script.passed(turn.request, turn.answer, turn.harm));
        }
    }

    fn script<R>(&self, act: impl FnOnce(&mut S) -> R) -> R {
        act(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
