//! For tests: a TCP server that does to each request exactly what the script says, and remembers what it heard.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What to do about the next request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Read it all, answer with these bytes, wait for the next on the same connection.
    Reply(Vec<u8>),
    /// Read it all, answer with these bytes, hang up.
    ReplyAndClose(Vec<u8>),
    /// Read this many bytes of it and hang up.
    CloseAfterReading(usize),
    /// Read it all and never answer.
    Silence,
}

/// One request as far as it was heard.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub head: String,
    pub body: Vec<u8>,
    pub is_whole: bool,
}

impl Heard {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|line| {
            line.split_once(':').is_some_and(|(written, _)| written.eq_ignore_ascii_case(name))
        })?;
        line.split_once(':').map(|(_, value)| value.trim())
    }

    pub(crate) fn request_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

#[derive(Default)]
struct Journal {
    heard: Vec<Heard>,
    connections: usize,
}

pub(crate) struct ScriptedServer {
    pub url: String,
    journal: Arc<Mutex<Journal>>,
}

impl ScriptedServer {
    /// Requests take the acts in turn; when they are used up, it falls silent.
    pub(crate) async fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let journal = Arc::new(Mutex::new(Journal::default()));
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let accepting = journal.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, script.clone(), accepting.clone()));
            }
        });
        Self { url, journal }
    }

    /// Everything heard so far, in order.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.journal.lock().unwrap().heard.clone()
    }

    pub(crate) fn whole_requests(&self) -> usize {
        self.heard().iter().filter(|heard| heard.is_whole).count()
    }

    pub(crate) fn connections(&self) -> usize {
        self.journal.lock().unwrap().connections
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<VecDeque<Act>>>, journal: Arc<Mutex<Journal>>) {
    loop {
        let act = script.lock().unwrap().pop_front().unwrap_or(Act::Silence);
        let limit = if let Act::CloseAfterReading(limit) = act { limit } else { usize::MAX };
        let heard = read_request(&mut stream, limit).await;
        let is_nothing = heard.head.is_empty() && heard.body.is_empty();
        if is_nothing && limit > 0 {
            // The caller hung up between requests: the act was not used.
            script.lock().unwrap().push_front(act);
            return;
        }
        journal.lock().unwrap().heard.push(heard);
        match act {
            Act::Reply(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Act::ReplyAndClose(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Act::CloseAfterReading(_) => return,
            Act::Silence => {
                // Until the caller gives up.
                let _ = stream.read(&mut [0; 64]).await;
                return;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream, limit: usize) -> Heard {
    let mut bytes = Vec::new();
    while bytes.len() < limit {
        if let Some(heard) = whole(&bytes) {
            return heard;
        }
        let mut byte = [0; 1];
        match stream.read(&mut byte).await {
            Ok(1) => bytes.extend_from_slice(&byte),
            Ok(_) | Err(_) => break,
        }
    }
    whole(&bytes).unwrap_or_else(|| {
        let (head, body) = split(&bytes);
        Heard { head, body, is_whole: false }
    })
}

fn whole(bytes: &[u8]) -> Option<Heard> {
    let (head, body) = split(bytes);
    if !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        return None;
    }
    let heard = Heard { head, body, is_whole: true };
    let length = heard.header("content-length").map_or(0, |length| length.parse::<usize>().unwrap());
    (heard.body.len() == length).then_some(heard)
}

fn split(bytes: &[u8]) -> (String, Vec<u8>) {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = match end {
        Some(at) => (&bytes[..at], &bytes[at + 4..]),
        None => (bytes, &bytes[bytes.len()..]),
    };
    (String::from_utf8_lossy(head).into_owned(), body.to_vec())
}

/// An HTTP answer of known length.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub(crate) fn json(status: u16, body: &serde_json::Value) -> Vec<u8> {
    answer(status, &[("Content-Type", "application/json")], &body.to_string())
}

/// A port on which nobody listens.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
