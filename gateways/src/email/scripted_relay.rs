//! For tests: a mail relay that says at each step what the script wants, and keeps what it was told.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    Say(&'static str),
    HangUp,
    Silence,
}

/// What the relay says to each step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script {
    pub greeting: Word,
    pub hello: Word,
    pub login: Word,
    pub sender: Word,
    pub recipient: Word,
    pub data: Word,
    pub content: Word,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            greeting: Word::Say("220 relay"),
            hello: Word::Say("250-relay\r\n250-8BITMIME\r\n250 AUTH PLAIN"),
            login: Word::Say("235 welcome"),
            sender: Word::Say("250 ok"),
            recipient: Word::Say("250 ok"),
            data: Word::Say("354 go on"),
            content: Word::Say("250 taken"),
        }
    }
}

#[derive(Default)]
struct Journal {
    /// Whole messages, as they ended with the dot.
    messages: Vec<String>,
    commands: Vec<String>,
    connections: usize,
}

pub(super) struct ScriptedRelay {
    pub port: u16,
    journal: Arc<Mutex<Journal>>,
}

impl ScriptedRelay {
    pub(super) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let journal = Arc::new(Mutex::new(Journal::default()));
        let accepting = journal.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.lock().unwrap().connections += 1;
                tokio::spawn(serve(stream, script, accepting.clone()));
            }
        });
        Self { port, journal }
    }

    pub(super) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub(super) fn messages(&self) -> Vec<String> {
        self.journal.lock().unwrap().messages.clone()
    }

    pub(super) fn commands(&self) -> Vec<String> {
        self.journal.lock().unwrap().commands.clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.journal.lock().unwrap().connections
    }
}

async fn serve(stream: TcpStream, script: Script, journal: Arc<Mutex<Journal>>) {
    let mut stream = BufReader::new(stream);
    if !say(&mut stream, script.greeting).await {
        return;
    }
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let command = line.trim().to_owned();
        let verb = command.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        journal.lock().unwrap().commands.push(command);
        let word = match verb.as_str() {
            "EHLO" => script.hello,
            "AUTH" => script.login,
            "MAIL" => script.sender,
            "RCPT" => script.recipient,
            "DATA" => script.data,
            "NOOP" => Word::Say("250 here"),
            _ => Word::Say("502 what?"),
        };
        if !say(&mut stream, word).await {
            return;
        }
        let is_data = verb == "DATA" && matches!(word, Word::Say(text) if text.starts_with("354"));
        if is_data && !take_message(&mut stream, script.content, &journal).await {
            return;
        }
    }
}

async fn take_message(stream: &mut BufReader<TcpStream>, word: Word, journal: &Mutex<Journal>) -> bool {
    let mut message = String::new();
    while !message.ends_with("\r\n.\r\n") {
        if stream.read_line(&mut message).await.unwrap_or(0) == 0 {
            return false;
        }
    }
    message.truncate(message.len() - "\r\n.\r\n".len());
    journal.lock().unwrap().messages.push(message);
    say(stream, word).await
}

/// Whether the conversation goes on.
async fn say(stream: &mut BufReader<TcpStream>, word: Word) -> bool {
    match word {
        Word::Say(text) => stream.write_all(format!("{text}\r\n").as_bytes()).await.is_ok(),
        Word::HangUp => false,
        Word::Silence => {
            // Until the caller gives up.
            while stream.read(&mut [0; 4096]).await.unwrap_or(0) > 0 {}
            false
        }
    }
}
